"""Turns a finished run into the report that `conformance.report` writes. It changes no verdict."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from typing import NamedTuple

from conformance import expected
from conformance.causes import probable_causes
from conformance.completeness import completeness, not_offered
from conformance.digest import revision, suite_digest
from conformance.drivers.exchange import Exchange, as_report
from conformance.report.model import (
    FORMAT,
    Case,
    Connector,
    ExpectedFailures,
    Latency,
    NotTested,
    OwnCase,
    Report,
    ReportedExchange,
    Stale,
    Step,
    Suite,
    Traced,
    from_json,
)
from conformance.report.verdict import count_verdicts, overall_verdict
from conformance.retailer_clients.clients import TABLES
from conformance.run.session import FinishedRun
from conformance.verdicts import CaseResult
from jwo_contract.operations import OPERATIONS, Operation
from jwo_contract.profile import Profile
from jwo_contract.register import Requirement, newest_edition, rules
from jwo_contract.values import format_instant
from jwo_toolkit.json_types import Json

_MOST_SAMPLES = 400
_MOST_SHOWN = 6


class Replay(NamedTuple):
    """Commands for a reader of the report; `{id}` is replaced by the case's id."""

    case: str = "jwo replay {id}"
    story: str = ""
    """Command that plays the story of a case again; empty if the connector no longer runs after the report."""


AGAIN = Replay()


def summarise(
    finished: FinishedRun,
    *,
    started_at: datetime,
    duration_s: float,
    strict: bool,
    expectations: expected.Expectations = expected.NONE,
    replay: Replay = AGAIN,
) -> Report:
    """Return the report of a run. `replay` holds the commands to run one case again."""
    profile, selection = finished.configuration.profile, finished.configuration.selection
    edition = selection.edition or newest_edition()
    rows = rules(edition)
    verdicts = {each: result.verdict for each, result in finished.results.items()}
    reasons = expectations.reasons(verdicts)
    stale = expectations.stale(verdicts, selection)
    causes = probable_causes(finished.results, rows)
    own = tuple(_own_case(each, profile, replay) for each in finished.own)
    ordered = _in_order(finished.results, rows)
    found = (reported_case(finished.results[each], rows[each], profile, replay) for each in ordered)
    cases = tuple(
        replace(case, expected_failure=reasons.get(case.id), follows_from=causes.get(case.id)) for case in found
    )
    return Report(
        format=FORMAT,
        suite=_suite(edition, strict=strict),
        connector=_connector(profile),
        started_at=format_instant(started_at),
        duration_s=round(duration_s, 3),
        verdict=overall_verdict(cases, strict=strict, stale=len(stale), own=[each.verdict for each in own]),
        counts=count_verdicts(cases),
        latency=tuple(_latency(finished)),
        settings=effective_settings(profile),
        cases=cases,
        trace=tuple(_traced(row) for row in rows.values() if row.kind != "own" and not row.not_tested),
        not_tested=tuple(_not_tested(row) for row in rows.values() if row.not_tested),
        expected_failures=_expected_failures(expectations.source, stale),
        completeness=completeness(finished.results, selection, profile),
        own_cases=own or None,
    )


def _suite(edition: str, *, strict: bool) -> Suite:
    return Suite(
        name="jwo-conformance-kit",
        version=version("jwo-conformance-kit"),
        revision=revision(edition),
        digest=suite_digest(),
        doc_set=edition,
        strict=strict,
    )


def _connector(profile: Profile) -> Connector:
    return Connector(profile.connector.url, profile.connector.auth, profile.store.id, tuple(profile.declared_keys()))


def _expected_failures(source: str, stale: Iterable[expected.Stale]) -> ExpectedFailures | None:
    return ExpectedFailures(source, tuple(Stale(*entry) for entry in stale)) if source else None


def _in_order(ids: Iterable[str], rows: Mapping[str, Requirement]) -> list[str]:
    """Sort ids by operation, in the contract's order, and then in the order of the register."""
    calls, places = [operation.name for operation in OPERATIONS], list(rows)
    return sorted(ids, key=lambda each: (_place(rows[each].api, calls), places.index(each)))


def _place(api: str, calls: list[str]) -> int:
    return calls.index(api) if api in calls else len(calls)


def effective_settings(profile: Profile) -> dict[str, Json]:
    """Return the effective profile, with its secrets redacted."""
    settings = profile.model_dump(mode="json", exclude={"keys", "case"})
    connector = settings["connector"]
    connector["headers"] = dict.fromkeys(connector["headers"], "<redacted>")
    for name in ("secret_access_key", "session_token"):
        connector[name] = "<redacted>" if connector[name] else ""
    for table in TABLES.values():
        client = settings[table]
        client["environment"] = dict.fromkeys(client["environment"], "<redacted>")
    settings["keys"] = dict.fromkeys(profile.declared_keys(), "declared")
    return settings


def reported_case(result: CaseResult, row: Requirement, profile: Profile, replay: Replay = AGAIN) -> Case:
    """Return the part of the report about one case; `row` is its rule.

    Its texts may contain secrets; `report.clean` removes them.
    """
    secret_headers = frozenset(profile.connector.headers)
    exchanges = (as_report(exchange, secret_headers) for exchange in _worth_showing(result))
    return Case(
        id=row.id,
        title=row.title,
        api=row.api,
        tier=row.tier,
        level=row.level,
        provenance=row.provenance,
        page=row.page,
        verdict=result.verdict,
        rule=row.text,
        expected=result.expected,
        got=result.got,
        reason=_reason(result, profile),
        hint=row.usually,
        steps=tuple(Step(step.text, step.ok) for step in result.steps),
        duration_ms=round(result.duration_s * 1000, 3),
        replay=((result.story and replay.story) or replay.case).format(id=row.id),
        exchanges=tuple(from_json(ReportedExchange, each) for each in exchanges),
        story=result.story or None,
    )


def _own_case(result: CaseResult, profile: Profile, replay: Replay) -> OwnCase:
    case = next(each for each in profile.case if each.id == result.id)
    exchanges = (as_report(each, frozenset(profile.connector.headers)) for each in result.exchanges)
    return OwnCase(
        name=case.name,
        kind="own",
        operation=case.operation,
        verdict=result.verdict,
        expected=result.expected,
        got=result.got,
        reason=result.reason,
        duration_ms=round(result.duration_s * 1000, 3),
        replay=replay.case.format(id=shlex.quote(case.id)),
        exchanges=tuple(from_json(ReportedExchange, each) for each in exchanges),
    )


def _reason(result: CaseResult, profile: Profile) -> str:
    name = not_offered(result, profile)
    return f"not offered: [suite] not_offered of the profile lists {name}" if name else result.reason


def _worth_showing(result: CaseResult) -> list[Exchange]:
    """Return the exchanges that the finding names, or the first, last and slowest, so that a report stays small."""
    if len(result.exchanges) <= _MOST_SHOWN:
        return result.exchanges
    named = [each for each in result.exchanges if each.label and f"{each.label.partition(' (')[0]}:" in result.got]
    if named:
        return named[:_MOST_SHOWN]
    slowest = sorted(result.exchanges, key=lambda exchange: exchange.elapsed_s)[-2:]
    chosen = [*result.exchanges[:2], *result.exchanges[-2:], *slowest]
    return [exchange for exchange in result.exchanges if any(exchange is each for each in chosen)]


def _latency(finished: FinishedRun) -> list[Latency]:
    rows = []
    for operation in OPERATIONS:
        budget_s = operation.answer_budget_s(finished.configuration.profile.house)
        times = sorted(each.elapsed_s * 1000 for each in finished.exchanges if _is_measured(each, operation))
        if times and math.isfinite(budget_s):
            rows.append(_latency_row(operation.name, times, budget_s))
    return rows


def _is_measured(exchange: Exchange, operation: Operation) -> bool:
    return exchange.operation == operation and exchange.answer is not None and exchange.measured


def _latency_row(operation: str, times: list[float], budget_s: float) -> Latency:
    return Latency(
        operation=operation,
        count=len(times),
        p50_ms=round(_percentile(times, 50), 3),
        p95_ms=round(_percentile(times, 95), 3),
        p99_ms=round(_percentile(times, 99), 3),
        max_ms=round(times[-1], 3),
        late=sum(time > budget_s * 1000 for time in times),
        budget_s=budget_s,
        samples_ms=tuple(round(time, 3) for time in _samples(times, budget_s * 1000)),
    )


def _samples(ordered: list[float], budget_ms: float) -> list[float]:
    """Return at most 400 of the times within the budget, evenly chosen, and all later ones."""
    late = [time for time in ordered if time > budget_ms]
    on_time = ordered[: len(ordered) - len(late)]
    return on_time[:: max(1, -(-len(on_time) // _MOST_SAMPLES))] + late


def _percentile(ordered: list[float], percent: int) -> float:
    """Return the smallest value that at least this share of the values does not exceed (nearest rank)."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _traced(row: Requirement) -> Traced:
    return Traced(row.id, row.title, row.api, row.tier, row.proven_by or (row.id,))


def _not_tested(row: Requirement) -> NotTested:
    return NotTested(row.id, row.title, row.api, row.tier, row.not_tested, row.not_tested_because)
