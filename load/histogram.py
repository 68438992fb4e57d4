"""Counting latencies: a fast tally while the load runs, HDR histograms for everything that is read from it.

Values are microseconds with three significant digits up to ten minutes; a tally's cells are exactly the histogram's.
"""

from __future__ import annotations

from hdrh.histogram import HdrHistogram

HIGHEST_US = 600_000_000
DIGITS = 3
_CELL_BITS = 11
PERCENTILES = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99)


class Tally(dict[int, int]):
    """How often each value came; `add` costs a third of a microsecond."""

    def add(self, value_us: int) -> None:
        """Count one value; below 0 counts as 0, past the highest as the highest."""
        value_us = min(max(value_us, 0), HIGHEST_US)
        shift = value_us.bit_length() - _CELL_BITS
        cell = value_us >> shift << shift if shift > 0 else value_us
        self[cell] = self.get(cell, 0) + 1


def histogram(*tallies: Tally) -> HdrHistogram:
    """Return the HDR histogram of tallies."""
    made = HdrHistogram(1, HIGHEST_US, DIGITS)
    for tally in tallies:
        for value_us, count in tally.items():
            made.record_value(value_us, count)
    return made


def encoded(tally: Tally) -> str:
    """Return a tally as a compressed HDR histogram, the form in which workers and reports pass it on."""
    return str(histogram(tally).encode().decode())


def merged(*texts: str) -> HdrHistogram:
    """Return one histogram of several encoded ones."""
    made = HdrHistogram(1, HIGHEST_US, DIGITS)
    for text in texts:
        made.decode_and_add(text)
    return made


def percentile_ms(of: HdrHistogram, percentile: float) -> float | None:
    """Return a percentile in milliseconds; None when nothing was counted."""
    if not of.get_total_count():
        return None
    return float(of.get_value_at_percentile(percentile)) / 1000


def curve_ms(of: HdrHistogram) -> list[tuple[float, float]]:
    """Return the percentile plot: `(share at or below, milliseconds)`, finer towards the end."""
    total = of.get_total_count()
    if not total:
        return []
    shares = [step / 20 for step in range(20)]
    tail = 0.05
    while tail * total >= 0.5:  # noqa: PLR2004 - half a sample
        shares.append(1 - tail)
        tail /= 1.25
    return [(share, float(of.get_value_at_percentile(share * 100)) / 1000) for share in [*shares, 1.0]]
