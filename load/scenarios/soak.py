"""Hours at half the load, to find leaks, full disks and slow growth. Use a long --duration."""

from load.curves import Curve, constant
from load.schedule import Mix
from load.users.visitors import StoreHours, StoreVisitors

__all__ = ["Soak", "StoreHours"]  # Locust uses both


class Soak(StoreVisitors):
    """Scans and carts at random, at half the rate."""

    mix = Mix(carts=0.5)

    @classmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """Return half the rate over the whole duration."""
        return constant(rate / 2, duration_s)
