"""Only fresh scans, evenly spaced, at one rate, to measure only the timing."""

from load.curves import Curve, constant
from load.schedule import Mix
from load.users.visitors import StoreHours, StoreVisitors

__all__ = ["ScansOnly", "StoreHours"]  # Locust uses both


class ScansOnly(StoreVisitors):
    """Scans at a constant rate, evenly spaced."""

    mix = Mix(associates=0, bad_keys=0, duplicates=0, at_once=0)
    poisson = False

    @classmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """Return one rate."""
        return constant(rate, duration_s)
