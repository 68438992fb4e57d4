"""What measures the simulated platform: a module for each section of bench_platform.py, and what they share."""
