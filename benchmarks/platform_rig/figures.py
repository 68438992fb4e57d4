"""Measured numbers with their limits, and the table that shows which limits are met."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """A number with its unit; `most` and `least` are its limits, if it has any."""

    name: str
    got: float
    unit: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def met(self) -> bool:
        """Say whether the figure is within its limits; a figure without limits is met."""
        return (self.most is None or self.got <= self.most) and (self.least is None or self.got >= self.least)

    def line(self) -> str:
        """Return the figure as a row of the table."""
        wish = f"<= {self.most:g}" if self.most is not None else f">= {self.least:g}" if self.least is not None else ""
        verdict = ("met" if self.met else "NOT MET") if wish else ""
        return f"  {self.name:<56}{self.got:>14,.2f} {self.unit:<5}{wish:<13}{verdict}"


class NotMeasured(Exception):
    """A section cannot be measured here; the text says what is missing and how to get it."""


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
