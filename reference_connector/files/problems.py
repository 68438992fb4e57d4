"""Collects the problems of files, so that one error reports all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

_SHOWN = 50
"""The number of problems of one file that an error lists; it counts the others."""


class FileProblem(NamedTuple):
    """One problem: the file, the place in it, what is wrong, and what to do."""

    file: str
    place: str
    problem: str
    fix: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.place}" if self.place else self.file
        end = "" if self.problem.endswith("?") else "."
        return f"{where}: {self.problem}{end} {self.fix}"


class Problems:
    """The problems of several files, in the order in which they were found."""

    def __init__(self) -> None:
        self._shown: dict[str, list[FileProblem]] = {}
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._counts.total()

    def add(self, file: str, place: str, problem: str, fix: str) -> None:
        """Add a problem; of each file, the first ones are kept and the others are counted."""
        self._counts[file] += 1
        shown = self._shown.setdefault(file, [])
        if len(shown) < _SHOWN:
            shown.append(FileProblem(file, place, problem, fix))

    @property
    def first_fix(self) -> str:
        """What to do about the first problem; empty if there is no problem."""
        return next((each.fix for shown in self._shown.values() for each in shown), "")

    def as_text(self) -> str:
        """Write all problems, one a line."""
        lines = list(self._lines())
        return lines[0] if len(self) == 1 else "\n  ".join([f"{len(self)} errors", *lines])

    def _lines(self) -> Iterator[str]:
        for file, shown in self._shown.items():
            yield from map(str, shown)
            if self._counts[file] > len(shown):
                yield f"{file}: and {self._counts[file] - len(shown)} more errors"
