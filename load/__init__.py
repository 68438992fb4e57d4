"""The load room: Locust scenarios that hold a connector to the two-second budget, judged so that a stall cannot hide."""
