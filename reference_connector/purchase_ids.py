"""Ids of purchases: random, or with a seed a function of the shopping trip, so that two runs compare equal.

A seeded id can be guessed by whoever knows the seed: it is for simulated days, never for a shop.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import blake2b
from uuid import UUID

_BYTES, _CHUNK = 16, 4096
_VARIANTS = "89ab"


def purchase_ids(seed: str = "") -> Callable[[str], str]:
    """Return what makes the id of a new purchase from its trip id: a UUID, random without a seed."""
    return _seeded(seed) if seed else _random()


def _seeded(seed: str) -> Callable[[str], str]:
    key = blake2b(seed.encode()).digest()
    return lambda trip_id: str(UUID(bytes=blake2b(trip_id.encode(), digest_size=_BYTES, key=key).digest(), version=4))


def _random() -> Callable[[str], str]:
    """Make random UUIDs from chunks of randomness: the system is slow to ask, and just as random for many at once."""
    pool = bytearray()

    def new(_trip_id: str) -> str:
        if not pool:
            pool.extend(os.urandom(_CHUNK))
        chunk, pool[-_BYTES:] = bytes(pool[-_BYTES:]), b""
        text = chunk.hex()  # UUID(bytes=chunk, version=4) writes the same, and takes three times as long
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{_VARIANTS[chunk[8] >> 4 & 3]}{text[17:20]}-{text[20:]}"

    return new
