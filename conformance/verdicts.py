"""What became of a case, and the worst of several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from conformance.drivers.exchange import Exchange


class Verdict(StrEnum):
    """From best to worst, save that not_applicable says nothing at all."""

    NOT_APPLICABLE = "not_applicable"
    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"


_ORDER = list(Verdict)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst; a case is as good as its worst example."""
    return max(verdicts, key=_ORDER.index, default=Verdict.NOT_APPLICABLE)


@dataclass(frozen=True)
class Step:
    """A line of the scenario and whether it held."""

    text: str
    ok: bool


@dataclass
class CaseResult:
    """The verdict of one requirement, and what it rests on. Several examples of one scenario add up here."""

    id: str
    verdict: Verdict = Verdict.NOT_APPLICABLE
    expected: str = ""
    got: str = ""
    reason: str = ""
    steps: list[Step] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    story: tuple[str, ...] = ()
    """The acts that lead to the finding, where a story was played."""
    duration_s: float = 0.0

    def add(self, other: CaseResult) -> None:
        """Take in the result of a further example; the worse one keeps the word."""
        if worst((self.verdict, other.verdict)) is not self.verdict:
            self.expected, self.got, self.reason = other.expected, other.got, other.reason
            self.story = other.story
        self.verdict = worst((self.verdict, other.verdict))
        self.steps += other.steps
        self.exchanges += other.exchanges
        self.duration_s += other.duration_s
