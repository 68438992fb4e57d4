"""The scenario that `locust -f load/locustfile.py` runs: an ordinary hour. The others are in load/scenarios."""

from load.scenarios.steady_store import SteadyStore
from load.users.visitors import StoreHours

__all__ = ["SteadyStore", "StoreHours"]  # Locust takes both
