"""Judges a run: pass, fail or invalid, with reasons as sentences and a bound of the late share.

Invalid comes first: if the generator did not follow the schedule, the run says nothing about the connector.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from jwo_toolkit.figures import upper_bound
from load.errors import BadOptions
from load.results import Results
from load.settings import LoadOptions

EXIT_CODES = {"pass": 0, "fail": 1, "invalid": 3}
_Z95 = 1.959964
_FEW_CROSSED = 5
_CROSSED_SHARE = 0.01
"""Highest share of requests on kept connections that may find them closed; a higher share means dropped requests."""


@dataclass(frozen=True)
class Verdict:
    """The verdict; `late_at_most` bounds the true share of late answers at 95 % confidence."""

    word: Literal["pass", "fail", "invalid"]
    reasons: tuple[str, ...]
    late_share: float
    late_at_most: float
    is_usage: bool = False
    """Invalid because of a usage error."""

    @property
    def exit_code(self) -> int:
        """The command's exit code."""
        return BadOptions.exit_code if self.is_usage else EXIT_CODES[self.word]


def judge(results: Results, options: LoadOptions, *, slower: str = "") -> Verdict:
    """Judge a run; `slower` is the slowdown against the baseline as a sentence, empty if there is none."""
    share = results.late / results.started if results.started else 0.0
    bound = late_at_most(results.late, results.started)
    invalid = _invalid(results, options)
    if invalid:
        return Verdict("invalid", invalid, share, bound, results.is_usage)
    wrong = _wrong(results, options) + ((slower,) if slower else ())
    if wrong:
        return Verdict("fail", wrong, share, bound)
    return Verdict(
        "pass", (f"0 late in {results.started}: at most {upper_bound(bound)} at 95 % confidence",), share, bound
    )


def late_at_most(late: int, of: int) -> float:
    """Return the upper bound of the true share at 95 %: 3/n if none is late (rule of three), else Wilson's limit."""
    if not of:
        return 1.0
    if not late:
        return min(3 / of, 1.0)
    share, z2 = late / of, _Z95 * _Z95
    middle = share + z2 / (2 * of)
    spread = _Z95 * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return min((middle + spread) / (1 + z2 / of), 1.0)


def _invalid(results: Results, options: LoadOptions) -> tuple[str, ...]:
    reasons = list(results.trouble)
    missing = results.workers_wanted - results.workers_heard
    if missing:
        reasons.append(f"{missing} of {results.workers_wanted} workers sent no results")
    if results.lag_p99_ms > options.lag_bound_ms:
        reasons.append(
            f"the generator lagged: p99 {results.lag_p99_ms:.3f} ms, bound {options.lag_bound_ms:g} ms; "
            "add --workers, or run it on another machine"
        )
    reasons += [f"{count} arrivals were not sent: {cause}" for cause, count in sorted(results.missed.items())]
    unaccounted = results.scheduled - results.started - results.missed.total()
    if unaccounted and not missing and not results.trouble:
        reasons.append(f"{unaccounted} arrivals of the schedule are not accounted for")
    open_ended = results.started - results.counts["answered"] - results.counts["unanswered"]
    if open_ended and not missing:
        reasons.append(f"{open_ended} requests had no result at the end of the run")
    doubt = results.counts["in_doubt"]
    if doubt and doubt == results.late:
        reasons.append(f"{doubt} of {results.late} late answers may be late because of the generator's own delay")
    if not results.scheduled:
        reasons.append("the schedule is empty: raise --rate or --duration")
    return tuple(reasons)


def _wrong(results: Results, options: LoadOptions) -> tuple[str, ...]:
    reasons = []
    if results.late:
        reasons.append(
            f"{results.late} of {results.started} answers later than {options.budget_s:g} s "
            f"(at most {upper_bound(late_at_most(results.late, results.started))} at 95 % confidence)"
            + (f", {doubt} of them in doubt" if (doubt := results.counts["in_doubt"]) else "")
        )
    if results.counts["unanswered"]:
        reasons.append(f"{results.counts['unanswered']} requests without an answer")
    sent_again = results.counts["resent"]
    kept = results.counts["warm"] + sent_again
    if sent_again > max(_FEW_CROSSED, _CROSSED_SHARE * kept):
        reasons.append(
            f"{sent_again} of {kept} requests on kept connections hit a connection that the connector had closed "
            "without `Connection: close`; send that header, or close only idle connections"
        )
    reasons += [f"{count} x {finding}" for finding, count in sorted(results.findings.items())]
    return tuple(reasons)
