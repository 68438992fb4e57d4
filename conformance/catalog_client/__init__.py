"""The retailer's own catalog client, run against a platform that keeps what it sees, and judged by that."""
