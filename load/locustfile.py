"""The default scenario for `locust -f load/locustfile.py`: an ordinary hour. The others are in load/scenarios."""

from load.scenarios.steady_store import SteadyStore
from load.users.visitors import StoreHours

__all__ = ["SteadyStore", "StoreHours"]  # Locust uses both
