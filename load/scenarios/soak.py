"""Hours at half the rated load: what leaks, fills up or slows down shows only with time. Give it a long --duration."""

from load.curves import Curve, constant
from load.schedule import Mix
from load.users.visitors import StoreHours, StoreVisitors

__all__ = ["Soak", "StoreHours"]  # Locust takes both


class Soak(StoreVisitors):
    """Scans and carts by chance, at half the rate."""

    mix = Mix(carts=0.5)

    @classmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """Half the rate, for as long as it takes."""
        return constant(rate / 2, duration_s)
