"""The merchant portal: the stores and accounts, and their connections."""
