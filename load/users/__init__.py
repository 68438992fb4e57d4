"""The Locust users of the load test: a scenario is one of their subclasses."""
