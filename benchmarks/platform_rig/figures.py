"""Measured figures with their goals, and the rows of the table that shows them."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """A measured number with its unit; `most` and `least` are its goals, if it has any."""

    name: str
    got: float
    unit: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def is_met(self) -> bool:
        """Return whether the figure meets its goals; without goals, it does."""
        return (self.most is None or self.got <= self.most) and (self.least is None or self.got >= self.least)

    def line(self) -> str:
        """Return the figure as a row of the table."""
        goal = f"<= {self.most:g}" if self.most is not None else f">= {self.least:g}" if self.least is not None else ""
        verdict = ("met" if self.is_met else "NOT MET") if goal else ""
        return f"  {self.name:<56}{self.got:>14,.2f} {self.unit:<5}{goal:<13}{verdict}"


class NotMeasured(Exception):
    """This machine cannot measure a section; the text says what is missing and how to get it."""


def percentile(values: list[float], share: float) -> float:
    """Return the percentile of values for a share from 0 to 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
