"""Simulated store days: who comes when, what they take, and what came of it."""
