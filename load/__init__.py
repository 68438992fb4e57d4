"""The load test: Locust scenarios that compare a connector's latency with a budget, without hiding a stall."""
