"""An ordinary hour: as many shoppers leave as enter, at one rate."""

from load.curves import Curve, constant
from load.schedule import Mix
from load.users.visitors import StoreHours, StoreVisitors

__all__ = ["SteadyStore", "StoreHours"]  # Locust uses both


class SteadyStore(StoreVisitors):
    """Scans and carts in equal parts at a constant rate, evenly spaced."""

    mix = Mix(carts=0.5)
    poisson = False

    @classmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """Return one rate."""
        return constant(rate, duration_s)
