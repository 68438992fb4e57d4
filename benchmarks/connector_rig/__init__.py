"""What the connector's measurements share: a fast client, servers as processes, carts and scans, tables."""
