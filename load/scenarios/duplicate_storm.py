"""A network that repeats requests: half of all requests are duplicates, many of them at the same instant."""

from load.curves import Curve, constant
from load.schedule import Mix
from load.users.visitors import StoreHours, StoreVisitors

__all__ = ["DuplicateStorm", "StoreHours"]  # Locust uses both


class DuplicateStorm(StoreVisitors):
    """Scans and carts with many duplicates: each may cause only one decision or one purchase."""

    mix = Mix(carts=0.5, associates=0.1, bad_keys=0.05, duplicates=0.25, at_once=0.3)

    @classmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """Return one rate."""
        return constant(rate, duration_s)
