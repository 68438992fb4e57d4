"""Simulated store days: who comes when, what they take, and the results."""
