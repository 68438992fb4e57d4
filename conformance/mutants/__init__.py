"""Connectors that are wrong in one way each, named by their fault: the proof that a check can fail."""
