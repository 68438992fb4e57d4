"""Ids and chances: random without a seed, and with one a function of the seed and of what they are for.

An id is named by what it belongs to, not by how many were made before it, so that the order in which answers come
back changes nothing.
"""

from __future__ import annotations

import random
from hashlib import blake2b
from uuid import UUID, uuid4

_BYTES = 16


class Seed:
    """One seed for the whole platform; `number` None means that nothing repeats.

    `run` is how many starts there were before on the same files, so that a restart makes no id a second time.
    """

    def __init__(self, number: int | None = None, run: int = 0) -> None:
        self.number = number
        self._run = run

    def id(self, *of: object) -> str:
        """Return the UUID that belongs to `of`; the same seed and the same `of` give the same one."""
        if self.number is None:
            return str(uuid4())
        return str(UUID(bytes=self._digest(of), version=4))

    def draw(self, *of: object) -> float:
        """Return a number from 0 up to 1 that belongs to `of`."""
        if self.number is None:
            return random.random()  # noqa: S311 - chance in a simulation
        return int.from_bytes(self._digest(("draw", *of))[:7]) / 2**56

    def stream(self, *of: object) -> random.Random:
        """Return a random generator of its own for `of`, for callers that need many numbers."""
        if self.number is None:
            return random.Random()  # noqa: S311 - chance in a simulation
        return random.Random(self._digest(("stream", *of)))  # noqa: S311 - as above

    def _digest(self, of: tuple[object, ...]) -> bytes:
        text = "\x1f".join(map(str, (self.number, self._run, *of)))
        return blake2b(text.encode(), digest_size=_BYTES).digest()
