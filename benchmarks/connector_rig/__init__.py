"""Shared by the connector's benchmarks: a fast client, servers as processes, carts and scans, tables."""
