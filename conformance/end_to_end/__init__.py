"""Plays visits through the simulated platform and judges its journal, for rules that no single call can show."""
