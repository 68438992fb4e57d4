"""The scenarios. To add one, copy a file, change its curve and mix, and pass its path to --scenario or `locust -f`."""
