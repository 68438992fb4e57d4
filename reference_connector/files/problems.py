"""Collects the problems of files, so that one error reports all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_NUMBERED = re.compile("(?:line|row) ([0-9]+)")
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
    """The problems of several files; they are reported by file and line."""

    def __init__(self) -> None:
        self._found: dict[str, list[FileProblem]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._found.values()))

    def add(self, file: str, place: str, problem: str, fix: str) -> None:
        """Add a problem."""
        self._found.setdefault(file, []).append(FileProblem(file, place, problem, fix))

    @property
    def first_fix(self) -> str:
        """What to do about the first problem; empty if there is no problem."""
        return next((min(found, key=_line_of).fix for found in self._found.values()), "")

    def as_text(self) -> str:
        """Write the problems, one a line: the first ones of each file, and the number of the others."""
        lines = list(self._lines())
        return lines[0] if len(self) == 1 else "\n  ".join([f"{len(self)} errors", *lines])

    def _lines(self) -> Iterator[str]:
        for file, found in self._found.items():
            yield from map(str, sorted(found, key=_line_of)[:_SHOWN])
            if len(found) > _SHOWN:
                yield f"{file}: and {len(found) - _SHOWN} more errors"


def _line_of(problem: FileProblem) -> int:
    """Return the line or row that a place begins with; 0 for a problem of the whole file."""
    number = _NUMBERED.match(problem.place)
    return int(number[1]) if number else 0
