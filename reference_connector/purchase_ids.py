"""Ids of purchases: random, or computed from a seed and the shopping trip, so that two runs are equal.

A person that knows the seed can guess the ids. Seeds are for simulated days, never for a real store.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import blake2b

_BYTES, _AT_ONCE = 16, 64


class RandomIds:
    """Makes random UUIDs, each from 16 random bytes of its own.

    It reads the random bytes of 64 ids at once. `uuid4` reads them for each id. During each read the writer thread may
    run first, which costs 6 to 15 microseconds in a busy connector.
    """

    def __init__(self) -> None:
        self._ready: list[str] = []

    def __call__(self, _trip_id: str) -> str:
        """Return the id of a new purchase."""
        if not self._ready:
            chunk = os.urandom(_BYTES * _AT_ONCE)
            starts = range(0, len(chunk), _BYTES)
            self._ready = [_uuid(chunk[start : start + _BYTES]) for start in starts]
        return self._ready.pop()


def seeded_ids(seed: str) -> Callable[[str], str]:
    """Return a function that computes the id of a new purchase from its trip id. The id is a UUID too."""
    key = blake2b(seed.encode()).digest()

    def new_id(trip_id: str) -> str:
        return _uuid(blake2b(trip_id.encode(), digest_size=_BYTES, key=key).digest())

    return new_id


def _uuid(bits: bytes) -> str:
    """Write 16 bytes as a UUID of version 4, as `str(UUID(bytes=bits, version=4))` does in three times the time."""
    text = bits.hex()
    variant = "89ab"[bits[8] >> 4 & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"
