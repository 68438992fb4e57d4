"""Ids of purchases: random, or with a seed a function of the shopping trip, so that two runs compare equal.

Whoever knows the seed can guess a seeded id: it is for simulated days, never for a shop.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from uuid import UUID, uuid4

_BYTES = 16


def random_id(_trip_id: str) -> str:
    """Return a random UUID."""
    return str(uuid4())


def seeded_ids(seed: str) -> Callable[[str], str]:
    """Return a function that makes the id of a new purchase from its trip id: a UUID too."""
    key = blake2b(seed.encode()).digest()

    def new_id(trip_id: str) -> str:
        return str(UUID(bytes=blake2b(trip_id.encode(), digest_size=_BYTES, key=key).digest(), version=4))

    return new_id
