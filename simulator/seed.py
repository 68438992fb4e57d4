"""Ids and random numbers. With a seed, each is a function of the seed and of its purpose.

An id depends on what it is for, and not on the number of ids made before it. So the order of answers changes no id.
"""

from __future__ import annotations

import random
from hashlib import blake2b
from uuid import UUID, uuid4

_BYTES = 16


class Seed:
    """The seed of a platform; with `number` None, ids and numbers differ in every run.

    `run` is the number of earlier starts on the same files, so that a restart makes no id a second time.
    """

    def __init__(self, number: int | None = None, run: int = 0) -> None:
        self.number = number
        self._run = run

    def id(self, *of: object) -> str:
        """Return the UUID for `of`; the same seed and the same `of` give the same UUID."""
        if self.number is None:
            return str(uuid4())
        return str(UUID(bytes=self._digest(of), version=4))

    def draw(self, *of: object) -> float:
        """Return a number from 0 to below 1 for `of`."""
        if self.number is None:
            return random.random()  # noqa: S311 - chance in a simulation
        return int.from_bytes(self._digest(("draw", *of))[:7]) / 2**56

    def stream(self, *of: object) -> random.Random:
        """Return a generator for `of`, for callers that need many numbers."""
        if self.number is None:
            return random.Random()  # noqa: S311 - chance in a simulation
        return random.Random(self._digest(("stream", *of)))  # noqa: S311 - as above

    def _digest(self, of: tuple[object, ...]) -> bytes:
        text = "\x1f".join(map(str, (self.number, self._run, *of)))
        return blake2b(text.encode(), digest_size=_BYTES).digest()
