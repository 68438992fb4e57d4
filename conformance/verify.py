"""From a match to a judgement: `must` stops the scenario, `should` writes a warning down and goes on."""

from __future__ import annotations

from collections.abc import Callable

from conformance.errors import Finding
from conformance.match import Mismatch


def must(mismatch: Mismatch | None) -> None:
    """Stop with a Finding when there is a mismatch."""
    if mismatch is not None:
        raise Finding(*mismatch)


def should(mismatch: Mismatch | None, warn: Callable[[Mismatch], None]) -> None:
    """Hand a mismatch to `warn`; the scenario goes on."""
    if mismatch is not None:
        warn(mismatch)
