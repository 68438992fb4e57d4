"""Measurements of the simulated platform: a module for each section of bench_platform.py, and their shared parts."""
