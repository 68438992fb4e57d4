"""What a scenario does with a mismatch: `must` stops with a Finding, `should` records a warning and continues."""

from __future__ import annotations

from collections.abc import Callable

from conformance.errors import Finding
from conformance.match import Mismatch


def must(mismatch: Mismatch | None) -> None:
    """Raise a Finding if there is a mismatch."""
    if mismatch is not None:
        raise Finding(*mismatch)


def should(mismatch: Mismatch | None, warn: Callable[[Mismatch], None]) -> None:
    """Pass a mismatch to `warn`; the scenario continues."""
    if mismatch is not None:
        warn(mismatch)
