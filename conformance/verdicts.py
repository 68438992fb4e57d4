"""The verdict of a case, and what follows from verdicts: the worst, the counts, the severity, the exit code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from conformance.drivers.exchange import Exchange


class Verdict(StrEnum):
    """The verdicts, from best to worst; `not_applicable` and `blocked` are no judgements of the rule.

    A `blocked` case needs a case that the connector fails, so a run with one never passes.
    """

    NOT_APPLICABLE = "not_applicable"
    PASS = "pass"  # noqa: S105 - a verdict
    BLOCKED = "blocked"
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"


_ORDER = list(Verdict)
FINDINGS = (Verdict.ERROR, Verdict.FAIL, Verdict.WARN)
"""The verdicts that a person must look at, worst first."""
JUDGED = frozenset({Verdict.PASS, Verdict.WARN, Verdict.FAIL})
EXIT_CODES = {
    Verdict.NOT_APPLICABLE: 0,
    Verdict.PASS: 0,
    Verdict.BLOCKED: 1,
    Verdict.WARN: 1,
    Verdict.FAIL: 1,
    Verdict.ERROR: 3,
}
"""The exit code of a command, by the verdict of its run; 2 is for a usage error."""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict, which is the verdict of a case with several examples; `not_applicable` without any."""
    return max(verdicts, key=_ORDER.index, default=Verdict.NOT_APPLICABLE)


def severity(verdict: Verdict) -> int:
    """Return 0 for a verdict that is not a finding, and a higher number for a worse finding."""
    return 0 if verdict not in FINDINGS else _ORDER.index(verdict)


def count(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Count verdicts; every verdict is a member, zero included."""
    counts = {str(each): 0 for each in ("pass", "fail", "warn", "blocked", "not_applicable", "error")}
    for verdict in verdicts:
        counts[str(verdict)] += 1
    return counts


def failing(*, strict: bool) -> frozenset[Verdict]:
    """Return the verdicts of a case that fail a run; with `strict` a warning is one of them."""
    return frozenset({Verdict.FAIL, Verdict.WARN} if strict else {Verdict.FAIL})


def overall(verdicts: Iterable[Verdict], *, fails: bool) -> Verdict:
    """Return the verdict of a run.

    It is `fail` if the run `fails` or a case is blocked: a harness error never hides a finding. Otherwise it is `error`
    if the harness broke or no case was judged, and else `pass`.
    """
    present = set(verdicts)
    if fails or Verdict.BLOCKED in present:
        return Verdict.FAIL
    if Verdict.ERROR in present or not present & JUDGED:
        return Verdict.ERROR
    return Verdict.PASS


@dataclass(frozen=True)
class Step:
    """A line of the scenario, and whether it passed."""

    text: str
    ok: bool


@dataclass
class CaseResult:
    """The verdict of one requirement, with its evidence. The examples of one scenario share one result."""

    id: str
    verdict: Verdict = Verdict.NOT_APPLICABLE
    expected: str = ""
    got: str = ""
    reason: str = ""
    blocked_by: str = ""
    """The id of the case on which this one rests, where the connector fails that."""
    steps: list[Step] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    story: tuple[str, ...] = ()
    """The acts that lead to the finding, if the case played a story."""
    duration_s: float = 0.0

    def add(self, other: CaseResult) -> None:
        """Add the result of another example; the texts of the worse one remain."""
        if worst((self.verdict, other.verdict)) is not self.verdict:
            self.expected, self.got, self.reason = other.expected, other.got, other.reason
            self.story, self.blocked_by = other.story, other.blocked_by
        self.verdict = worst((self.verdict, other.verdict))
        self.steps += other.steps
        self.exchanges += other.exchanges
        self.duration_s += other.duration_s
