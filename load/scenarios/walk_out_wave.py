"""A match ends: the carts of all shoppers arrive within minutes, while few people enter."""

from load.curves import Curve
from load.schedule import Mix
from load.users.visitors import StoreHours, StoreVisitors

__all__ = ["StoreHours", "WalkOutWave"]  # Locust uses both


class WalkOutWave(StoreVisitors):
    """Mostly carts: a quiet start, a steep rise to the full rate, and a fall."""

    mix = Mix(carts=0.95, bad_keys=0.0)

    @classmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """Return the wave: quiet, rise, peak, fall, quiet."""
        shape = ((0.0, 0.1), (0.2, 0.1), (0.35, 1.0), (0.65, 1.0), (0.9, 0.1), (1.0, 0.1))
        return Curve(tuple((at * duration_s, share * rate) for at, share in shape))
