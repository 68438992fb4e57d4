"""The load room: Locust scenarios that hold a connector to its latency budget, so that a stall cannot hide."""
