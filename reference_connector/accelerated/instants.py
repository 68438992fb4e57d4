"""Comparing two instants as texts, which is what most of them allow."""

from __future__ import annotations

from contract.values import parse_instant

_TO_THE_MICROSECOND = len("2026-02-09T17:53:57.123456Z")


def is_before(text: str, other: str) -> bool:
    """Say whether one instant is before another; both are what `parse_instant` reads.

    Two in UTC that are written alike, as most are, have the order of their texts.
    """
    if len(text) == len(other) <= _TO_THE_MICROSECOND and text[-1] == other[-1] == "Z" and text[10] == other[10]:
        return text < other
    return parse_instant(text) < parse_instant(other)
