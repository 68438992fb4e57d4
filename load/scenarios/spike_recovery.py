"""A coach party: five times the usual rate for a tenth of the run. The latency afterwards shows the recovery."""

from load.curves import Curve, spike
from load.schedule import Mix
from load.users.visitors import StoreHours, StoreVisitors

__all__ = ["SpikeRecovery", "StoreHours"]  # Locust uses both


class SpikeRecovery(StoreVisitors):
    """A fifth of the rate, a spike to the full rate, and a fifth again."""

    mix = Mix(carts=0.3)

    @classmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """Return a curve with a spike after two fifths of the run."""
        return spike(rate / 5, rate, duration_s, starts_at=0.4, lasts=0.1)
