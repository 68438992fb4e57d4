"""The merchant portal: which stores and accounts exist, and how each is connected."""
