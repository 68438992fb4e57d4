"""Simulated store days: when shoppers arrive, what they take, and the results."""
