"""The Locust user class of the load test; each scenario is a subclass."""
