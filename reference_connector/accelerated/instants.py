"""Compares two instants as texts where their form allows it."""

from __future__ import annotations

from jwo_contract.values import parse_instant

_TO_THE_MICROSECOND = len("2026-02-09T17:53:57.123456Z")


def is_before(text: str, other: str) -> bool:
    """Return whether one instant is before another. Both are in the format of `parse_instant`.

    Most are in UTC and have the same form. Their texts then have the order of the instants.
    """
    if len(text) == len(other) <= _TO_THE_MICROSECOND and text[-1] == other[-1] == "Z" and text[10] == other[10]:
        return text < other
    return parse_instant(text) < parse_instant(other)
