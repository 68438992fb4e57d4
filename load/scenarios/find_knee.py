"""The search for the highest rate with no late answer, in short runs.

`load/saturation.py` chooses the rates. `--scenario find_knee` runs the search; --rate is the rate that the connector
must reach. `locust -f` runs one probe.
"""

from load.curves import Curve, constant
from load.schedule import Mix
from load.users.visitors import StoreHours, StoreVisitors

__all__ = ["FindKnee", "StoreHours"]  # Locust uses both


class FindKnee(StoreVisitors):
    """One probe: scans and carts at a constant rate, evenly spaced."""

    mix = Mix(carts=0.3)
    poisson = False

    @classmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """Return one rate."""
        return constant(rate, duration_s)
