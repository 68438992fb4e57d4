"""The retailer's consumer of the platform's event feed and intra-day files, and the books that they make."""
