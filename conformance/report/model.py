"""The report of a run as frozen, typed values, and its form as JSON, which `report.schema.json` describes.

A member's name in JSON is the field's name in camel case. The JSON leaves out a field that has its default value None.
It always has the fields without a default.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from conformance.verdicts import Verdict
from jwo_contract.gate import NoAnswer
from jwo_contract.register import Level, NotTestedBecause, Provenance, Tier
from jwo_toolkit.json_types import Json

FORMAT = "jwo-report-1"
Part = TypeVar("Part")


@dataclass(frozen=True)
class Suite:
    """The suite that judged: the kit's version, the digests of its rules and of its files, and its strictness."""

    name: str
    version: str
    revision: str
    doc_set: str
    strict: bool
    digest: str | None = None
    """Absent from reports of older versions."""


@dataclass(frozen=True)
class Connector:
    """The connector under test; `declared` holds kinds of keys, never values."""

    url: str
    auth: Literal["none", "headers", "sigv4"]
    store_id: str
    declared: tuple[str, ...]


@dataclass(frozen=True)
class Latency:
    """The times of one operation, in milliseconds, against its budget in seconds."""

    operation: str
    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    late: int
    budget_s: float
    samples_ms: tuple[float, ...]


@dataclass(frozen=True)
class Step:
    """A line of a scenario, and whether it passed."""

    text: str
    ok: bool


@dataclass(frozen=True)
class Request:
    """The request of the suite; `body` is the JSON value, or the text if it is not JSON."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Json


@dataclass(frozen=True)
class Response:
    """The answer of the connector."""

    status: int
    headers: Mapping[str, str]
    body: Json


@dataclass(frozen=True)
class ReportedExchange:
    """One call of the connector, with secrets masked."""

    operation: str
    started_at: str
    elapsed_ms: float
    request: Request
    response: Response | None
    failure: NoAnswer | None
    curl: str
    about: str | None = None


@dataclass(frozen=True)
class Case:
    """One requirement: its row of the register, its verdict, and the evidence for it."""

    id: str
    title: str
    api: str
    tier: Tier
    level: Level
    provenance: Provenance
    page: str
    verdict: Verdict
    rule: str
    expected: str
    got: str
    reason: str
    hint: str
    steps: tuple[Step, ...]
    duration_ms: float
    replay: str
    exchanges: tuple[ReportedExchange, ...]
    story: tuple[str, ...] | None = None
    expected_failure: str | None = None
    follows_from: str | None = None
    """The id of the case that this result probably follows from; None for a cause of its own."""


@dataclass(frozen=True)
class OwnCase:
    """A case of the profile's owner, with its result; it is no part of the score. `kind` is always `own`."""

    name: str
    kind: Literal["own"]
    operation: str
    verdict: Verdict
    expected: str
    got: str
    reason: str
    duration_ms: float
    replay: str
    exchanges: tuple[ReportedExchange, ...]


@dataclass(frozen=True)
class Stale:
    """An entry of the file of expected failures that no longer applies."""

    id: str
    reason: str
    why: str


@dataclass(frozen=True)
class ExpectedFailures:
    """The file of expected failures, by name, and its stale entries."""

    source: str
    stale: tuple[Stale, ...]


@dataclass(frozen=True)
class Traced:
    """A published case that the suite proves, and the ids that prove it."""

    id: str
    title: str
    api: str
    tier: Tier
    by: tuple[str, ...]


@dataclass(frozen=True)
class NotTested:
    """A published case that no scenario proves, and why."""

    id: str
    title: str
    api: str
    tier: Tier
    reason: str
    because: NotTestedBecause | None = None
    """Absent from reports of older versions."""


@dataclass(frozen=True)
class NotJudged:
    """A MUST rule of the run's tiers that the run did not judge, and why."""

    id: str
    title: str
    reason: str


@dataclass(frozen=True)
class Completeness:
    """How many MUST rules of the run's tiers were judged, which were not, and what the retailer does not offer."""

    complete: bool
    judged: int
    total: int
    not_judged: tuple[NotJudged, ...]
    not_offered: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """A step of the demonstration around the cases."""

    name: str
    summary: str
    ok: bool
    details: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """The whole report. `verdict` is pass, fail or error; `counts` has a member for each verdict of a case."""

    format: str
    suite: Suite
    connector: Connector
    started_at: str
    duration_s: float
    verdict: Verdict
    counts: Mapping[str, int]
    latency: tuple[Latency, ...]
    settings: Mapping[str, Json]
    cases: tuple[Case, ...]
    not_tested: tuple[NotTested, ...]
    trace: tuple[Traced, ...] | None = None
    expected_failures: ExpectedFailures | None = None
    stages: tuple[Stage, ...] | None = None
    """Absent from the report of a certification without the demonstration."""
    completeness: Completeness | None = None
    """Absent from reports of older versions."""
    own_cases: tuple[OwnCase, ...] | None = None
    """Absent from the report of a profile without cases."""

    @property
    def own_failures(self) -> tuple[OwnCase, ...]:
        """The cases of the profile that the connector fails."""
        return tuple(case for case in self.own_cases or () if case.verdict is Verdict.FAIL)

    @property
    def is_partial(self) -> bool:
        """Whether a MUST rule of the run's tiers was not judged; False for a report of an older version."""
        return self.completeness is not None and not self.completeness.complete

    @property
    def stale(self) -> tuple[Stale, ...]:
        """The stale entries of the file of expected failures."""
        return self.expected_failures.stale if self.expected_failures else ()


_FIRST: dict[type, tuple[str, ...]] = {
    Suite: ("name", "version", "revision", "digest"),
    ReportedExchange: ("operation", "about"),
    Report: (
        *("format", "suite", "connector", "startedAt", "durationS", "verdict", "completeness"),
        *("counts", "latency", "settings", "cases", "trace"),
    ),
}
"""Members that report.json writes first; in a dataclass, fields with a default must come later."""


def to_json(value: object) -> Json:
    """Return a part of the report as JSON: dicts, lists and plain values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        members = {
            camel(field.name): to_json(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.default is not None or getattr(value, field.name) is not None
        }
        first = [name for name in _FIRST.get(type(value), ()) if name in members]
        return {name: members[name] for name in dict.fromkeys([*first, *members])}
    if isinstance(value, tuple):
        return [to_json(each) for each in value]
    return value.value if isinstance(value, Enum) else value


def from_json(kind: type[Part], value: Json) -> Part:
    """Return a part of the report from the JSON of this or another version; unknown members are left out.

    Raises KeyError, TypeError or ValueError if the value is not such a part; check it against the schema first.
    """
    members = {
        name: _read(hint, value[camel(name)])
        for name, hint in _hints(cast("Hashable", kind)).items()
        if camel(name) in value
    }
    return kind(**members)


def camel(name: str) -> str:
    """Return a field's name in camel case."""
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(cast("type", kind))


def _read(hint: Any, value: Json) -> Any:  # noqa: ANN401 - any type of a field
    if value is None:
        return None
    if get_origin(hint) in {Union, types.UnionType}:
        hint = next(each for each in get_args(hint) if each is not type(None))
    if get_origin(hint) is tuple:
        return tuple(_read(get_args(hint)[0], each) for each in value)
    if dataclasses.is_dataclass(hint):
        return from_json(cast("type[object]", hint), value)
    return hint(value) if hint in {Verdict, NoAnswer} else value
