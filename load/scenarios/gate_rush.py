"""Doors open: a queue at every gate is let in at once, then people keep coming."""

from load.curves import Curve, steps
from load.schedule import Mix
from load.users.visitors import StoreHours, StoreVisitors

__all__ = ["GateRush", "StoreHours"]  # Locust takes both


class GateRush(StoreVisitors):
    """A third of the time at the full rate as the doors open, then half of it. Scans only."""

    mix = Mix(carts=0.0, associates=0.02, bad_keys=0.02, duplicates=0.03, at_once=0.01)

    @classmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """The rush, then the flow after it."""
        return steps((rate, duration_s / 3), (rate / 2, duration_s * 2 / 3))
