"""The wire contract as data and types; it knows none of the rooms that lean on it."""
