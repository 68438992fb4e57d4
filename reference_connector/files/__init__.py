"""Reads the files of a retailer strictly: their encoding, their rows and columns, and the values in them."""
