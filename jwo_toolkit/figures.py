"""Writes numbers for readers, with as many digits as the sample supports: shares, bounds, durations, percentiles."""

from __future__ import annotations

import math

_COUNTED_BELOW = 100
"""A share of fewer than this is a count, such as `3 of 21`: one more or less would change a percentage by a point."""
_MOST_DECIMALS = 3
_MS_PER_S, _S_PER_MIN = 1000.0, 60.0


def share(part: int, whole: int) -> str:
    """Return a measured share: `3 of 21`, from 100 on `14 %`, from 1,000 on `14.5 %`, and a digit more for each ten.

    A share that is neither none nor all never becomes 0 % or 100 %: it is `under 1 %` or `over 99 %`.
    """
    if whole < _COUNTED_BELOW:
        return f"{part:,} of {whole:,}"
    decimals = math.floor(math.log10(whole)) - 2
    percent, step = 100 * part / whole, 10.0**-decimals
    if part and percent < step:
        return f"under {step:.{decimals}f} %"
    if part < whole and percent > 100 - step:
        return f"over {100 - step:.{decimals}f} %"
    return f"{percent:.{decimals}f} %" if 0 < part < whole else f"{percent:.0f} %"


def upper_bound(fraction: float) -> str:
    """Return an upper bound in percent, rounded up to two significant digits: 0.00253 is `0.26 %`."""
    percent = 100 * min(fraction, 1.0)
    if percent <= 0:
        return "0 %"
    step = 10.0 ** (math.floor(math.log10(percent)) - 1)
    return f"{_plain(min(math.ceil(percent / step - 1e-9) * step, 100.0))} %"


def percent(fraction: float) -> str:
    """Return a share that a setting gives, with three significant digits at most: 0.75 is `75 %`."""
    return f"{_plain(float(f'{100 * fraction:.3g}'))} %"


def significant(value: float | None) -> str:
    """Return a measured number with three significant digits or all digits before its point; `-` for None.

    It has three decimals at most, as times in milliseconds are measured in microseconds.

    A number without a fraction, such as a count, keeps all digits.
    """
    if value is None:
        return "-"
    if isinstance(value, int) or value == 0:
        return f"{value:,.0f}"
    decimals = min(max(0, 2 - math.floor(math.log10(abs(value)))), _MOST_DECIMALS)
    return f"{value:,.{decimals}f}"


def duration(ms: float) -> str:
    """Return a time of three significant digits at most: `4.2 ms`, `137 ms`, `2.45 s`, `25.9 s`, `3 min 20 s`."""
    if ms < 9.95:  # noqa: PLR2004 - from here on, one digit more would be shown
        return f"{ms:.1f} ms"
    if ms < 999.5:  # noqa: PLR2004 - from here on, seconds
        return f"{ms:.0f} ms"
    seconds = ms / _MS_PER_S
    if seconds < 9.995:  # noqa: PLR2004 - as above
        return f"{seconds:.2f} s"
    if seconds < 99.95:  # noqa: PLR2004 - as above
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), int(_S_PER_MIN))
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def supports(percentile: float, count: int) -> bool:
    """Say whether a sample of `count` values has this percentile: at least one value must be above it."""
    return count * (100 - percentile) >= 100 - 1e-6


def _plain(value: float) -> str:
    return f"{value:.12f}".rstrip("0").rstrip(".")
