"""The search for the highest rate with no late answer: short runs at rates that `load/saturation.py` chooses.

Run by `--scenario find_knee`; --rate is then the rate that the connector must at least reach. Given to `locust -f`, it
is one such run.
"""

from load.curves import Curve, constant
from load.schedule import Mix
from load.users.visitors import StoreHours, StoreVisitors

__all__ = ["FindKnee", "StoreHours"]  # Locust takes both


class FindKnee(StoreVisitors):
    """One probe: scans and carts at a constant rate, evenly spaced."""

    mix = Mix(carts=0.3)
    poisson = False

    @classmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """One rate."""
        return constant(rate, duration_s)
