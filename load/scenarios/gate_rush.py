"""The doors open: a queue at every gate enters at once, then more people arrive."""

from load.curves import Curve, steps
from load.schedule import Mix
from load.users.visitors import StoreHours, StoreVisitors

__all__ = ["GateRush", "StoreHours"]  # Locust uses both


class GateRush(StoreVisitors):
    """Scans only: the full rate for a third of the time, then half of that rate."""

    mix = Mix(carts=0.0, associates=0.02, bad_keys=0.02, duplicates=0.03, at_once=0.01)

    @classmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """Return the rush and the flow after it."""
        return steps((rate, duration_s / 3), (rate / 2, duration_s * 2 / 3))
