"""The scenarios. Copy one, change its curve and its mix, and give its path to --scenario or to `locust -f`."""
