"""Only fresh carts, evenly spaced, at one rate."""

from load.curves import Curve, constant
from load.schedule import Mix
from load.users.visitors import StoreHours, StoreVisitors

__all__ = ["CartsOnly", "StoreHours"]  # Locust uses both


class CartsOnly(StoreVisitors):
    """Carts at a constant rate, evenly spaced."""

    mix = Mix(carts=1, associates=0, bad_keys=0, duplicates=0, at_once=0)
    poisson = False

    @classmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """Return one rate."""
        return constant(rate, duration_s)
