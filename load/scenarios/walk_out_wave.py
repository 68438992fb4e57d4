"""A match ends: the carts of all shoppers in the shop arrive within minutes, while few people enter."""

from load.curves import Curve
from load.schedule import Mix
from load.users.visitors import StoreHours, StoreVisitors

__all__ = ["StoreHours", "WalkOutWave"]  # Locust takes both


class WalkOutWave(StoreVisitors):
    """Carts above all: a quiet start, a steep wave to the full rate, and its ebb."""

    mix = Mix(carts=0.95, bad_keys=0.0)

    @classmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """Quiet, up, on top, down, quiet."""
        shape = ((0.0, 0.1), (0.2, 0.1), (0.35, 1.0), (0.65, 1.0), (0.9, 0.1), (1.0, 0.1))
        return Curve(tuple((at * duration_s, share * rate) for at, share in shape))
