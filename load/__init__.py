"""The load test: Locust scenarios that compare a connector's latency with a budget, without hiding a stall."""

from jwo_toolkit.extras import require

require("the load test", "load")
