"""Visits through the simulated platform, judged from its journal: what no single call can show."""
