"""A store day, compressed into the run: breakfast, lunch, the way home, and quiet times between them."""

from load.curves import Curve, store_day
from load.schedule import Mix
from load.users.visitors import StoreHours, StoreVisitors

__all__ = ["MixedDay", "StoreHours"]  # Locust uses both


class MixedDay(StoreVisitors):
    """Scans and carts over a day's curve; `rate` is the rate of the busiest hour."""

    mix = Mix(carts=0.45, bad_keys=0.01)

    @classmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """Return the day's curve."""
        return store_day(rate, duration_s)
