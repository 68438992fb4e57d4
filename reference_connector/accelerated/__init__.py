"""What exists for speed alone: each part has a plain counterpart, and gives the same results in less time."""
