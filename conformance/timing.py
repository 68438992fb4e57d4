"""Verdicts about time: which calls can be judged, and whether the suite itself ran in time."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.drivers.exchange import Exchange
from conformance.errors import NotDeclared

_QUIETER = "use a quieter machine"


def needs_punctual_suite(exchanges: Sequence[Exchange], budget_s: float) -> None:
    """Check that no answer was late because of the suite alone. Raises NotDeclared if one was, or if there is none."""
    if not exchanges:
        raise NotDeclared(f"the suite itself ran late in every call, so it cannot judge the time; {_QUIETER}")
    if unproven := [each for each in exchanges if each.is_late_by_suite(budget_s)]:
        lag_s = max(each.own_lag_s for each in unproven)
        raise NotDeclared(
            f"the suite itself ran up to {lag_s:.1f} s late in {len(unproven)} calls, so their time proves nothing; "
            f"{_QUIETER}"
        )


def average_calls(exchange: Exchange, exchanges: Sequence[Exchange]) -> float:
    """Return how many calls the suite made on average while an exchange lasted, this one included."""
    start, end = interval(exchange)
    shared_s = (min(end, other_end) - max(start, other_start) for other_start, other_end in map(interval, exchanges))
    return sum(each for each in shared_s if each > 0) / max(end - start, 1e-6)


def interval(exchange: Exchange) -> tuple[float, float]:
    """Return the start and the end of an exchange, in seconds of the wall clock."""
    start = exchange.started_at.timestamp()
    return start, start + exchange.elapsed_s
