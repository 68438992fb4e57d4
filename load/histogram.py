"""Counts latencies: in a fast tally during the load, and in HDR histograms afterwards.

Values are microseconds, up to ten minutes, with three significant digits. A tally has the cells of the histogram.
"""

from __future__ import annotations

from collections.abc import Mapping

from hdrh.histogram import HdrHistogram

HIGHEST_US = 600_000_000
DIGITS = 3
_CELL_BITS = 11
_SHOWN = {"p50_ms": 50.0, "p95_ms": 95.0, "p99_ms": 99.0, "max_ms": 100.0}
PERCENTILES = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99)


class Tally(dict[int, int]):
    """The number of times that each value occurred; `add` takes a third of a microsecond."""

    def add(self, value_us: int) -> None:
        """Count one value; a value below 0 counts as 0, and one above the highest counts as the highest."""
        value_us = min(max(value_us, 0), HIGHEST_US)
        shift = value_us.bit_length() - _CELL_BITS
        cell = value_us >> shift << shift if shift > 0 else value_us
        self[cell] = self.get(cell, 0) + 1

    def add_cells(self, cells: Mapping[str, int]) -> None:
        """Add the cells of another tally, as JSON has them."""
        for cell, count in cells.items():
            self[int(cell)] = self.get(int(cell), 0) + count


def histogram(*tallies: Tally) -> HdrHistogram:
    """Return one HDR histogram of all the tallies."""
    made = HdrHistogram(1, HIGHEST_US, DIGITS)
    for tally in tallies:
        for value_us, count in tally.items():
            made.record_value(value_us, count)
    return made


def encoded(tally: Tally) -> str:
    """Return a tally as the text of a compressed HDR histogram, the form in messages and reports."""
    return str(histogram(tally).encode().decode())


def merged(*texts: str) -> HdrHistogram:
    """Return the sum of several encoded histograms."""
    made = HdrHistogram(1, HIGHEST_US, DIGITS)
    for text in texts:
        made.decode_and_add(text)
    return made


def percentile_ms(of: HdrHistogram, percentile: float) -> float | None:
    """Return a percentile in milliseconds; None if the histogram is empty."""
    if not of.get_total_count():
        return None
    return float(of.get_value_at_percentile(percentile)) / 1000


def recent_latency(tally: Tally) -> dict[str, float | None]:
    """Return the percentiles that a report of progress shows, in milliseconds; None without an answer."""
    of = histogram(tally)
    return {name: percentile_ms(of, percent) for name, percent in _SHOWN.items()}


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
