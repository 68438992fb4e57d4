"""From a finished certification to the report dict that `conformance.report` writes; nothing is judged anew here."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from datetime import datetime
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from conformance import expected
from conformance.catalogue import FEATURES
from conformance.digest import suite_digest
from conformance.drivers.exchange import Exchange, as_report
from conformance.report import count_verdicts, overall_verdict
from conformance.run.session import FinishedRun
from conformance.verdicts import CaseResult
from contract.operations import OPERATIONS, Operation
from contract.profile import Profile
from contract.register import DOC_SET, Requirement, register
from contract.values import format_instant

_MOST_SAMPLES = 400
_MOST_SHOWN = 6


class Replay(NamedTuple):
    """Commands for a reader of the report, in which `{id}` stands for the case's id."""

    case: str = "jwo replay {id}"
    story: str = ""
    """Plays the story again that a case ended with; empty where the connector is gone by then."""


AGAIN = Replay()


def summarise(
    finished: FinishedRun,
    *,
    started_at: datetime,
    duration_s: float,
    strict: bool,
    stages: list[dict[str, Any]] | None = None,
    expectations: expected.Expectations = expected.NONE,
    replay: Replay = AGAIN,
) -> dict[str, Any]:
    """Return the report of a run; see `report/report.schema.json` for its shape. `replay` runs one case again."""
    profile = finished.configuration.profile
    results = [finished.results[each] for each in _in_order(finished.results)]
    cases = [_case(each, profile, (each.story and replay.story) or replay.case) for each in results]
    stale = _apply(expectations, cases, finished)
    report: dict[str, Any] = {
        "format": "jwo-report-1",
        "suite": _suite(strict=strict),
        "connector": _connector(profile),
        "startedAt": format_instant(started_at),
        "durationS": round(duration_s, 3),
        "verdict": overall_verdict(cases, strict=strict, stale=len(stale)),
        "counts": count_verdicts(cases),
        "latency": _latency(finished),
        "settings": effective_settings(profile),
        "cases": cases,
        "trace": [_traced(row) for row in register().values() if row.kind != "own" and not row.not_tested],
        "notTested": [_not_tested(row) for row in register().values() if row.not_tested],
    }
    if expectations.source:
        report["expectedFailures"] = {"source": expectations.source, "stale": stale}
    return report if stages is None else report | {"stages": stages}


def _suite(*, strict: bool) -> dict[str, Any]:
    return {
        "name": "jwo-conformance-kit",
        "version": version("jwo-conformance-kit"),
        "revision": revision(),
        "digest": suite_digest(),
        "docSet": DOC_SET,
        "strict": strict,
    }


def _connector(profile: Profile) -> dict[str, Any]:
    return {
        "url": profile.connector.url,
        "auth": profile.connector.auth,
        "storeId": profile.store.id,
        "declared": profile.declared_keys(),
    }


def _apply(
    expectations: expected.Expectations, cases: list[dict[str, Any]], finished: FinishedRun
) -> list[dict[str, str]]:
    """Mark the cases whose failure is expected, and return the entries that do not hold."""
    verdicts = {each: result.verdict for each, result in finished.results.items()}
    reasons = expectations.reasons(verdicts)
    for case in cases:
        if case["id"] in reasons:
            case["expectedFailure"] = reasons[case["id"]]
    selection = finished.configuration.selection
    return [each._asdict() for each in expectations.stale(verdicts, selection.tiers, selection.only)]


def _in_order(ids: Iterable[str]) -> list[str]:
    """Sort ids as the contract does: by call, identity first, then as the register has them."""
    calls, rows = [operation.name for operation in OPERATIONS], list(register())
    return sorted(ids, key=lambda each: (_place(register()[each].api, calls), rows.index(each)))


def _place(api: str, calls: list[str]) -> int:
    return calls.index(api) if api in calls else len(calls)


def revision() -> str:
    """Return the digest of what is judged by: the features and the register."""
    digest = hashlib.sha256()
    register_files = resources.files("contract") / "requirements"
    for name, content in sorted([*_files(FEATURES.rglob("*.feature")), *_files(Path(str(register_files)).glob("*"))]):
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()


def effective_settings(profile: Profile) -> dict[str, Any]:
    """Return the profile as it took effect, without its secrets."""
    settings = profile.model_dump(mode="json", exclude={"keys"})
    connector = settings["connector"]
    connector["headers"] = dict.fromkeys(connector["headers"], "<redacted>")
    for name in ("secret_access_key", "session_token"):
        connector[name] = "<redacted>" if connector[name] else ""
    client = settings["catalog_client"]
    client["environment"] = dict.fromkeys(client["environment"], "<redacted>")
    settings["keys"] = dict.fromkeys(profile.declared_keys(), "declared")
    return settings


def _files(paths: Iterable[Path]) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in paths if path.suffix in {".feature", ".toml"}]


def _case(result: CaseResult, profile: Profile, replay: str) -> dict[str, Any]:
    row = register()[result.id]
    secret_headers = frozenset(profile.connector.headers)
    case = {
        "id": row.id,
        "title": row.title,
        "api": row.api,
        "tier": row.tier,
        "level": row.level,
        "provenance": row.provenance,
        "page": row.page,
        "verdict": str(result.verdict),
        "rule": row.text,
        "expected": result.expected,
        "got": result.got,
        "reason": result.reason,
        "hint": row.usually,
        "steps": [{"text": step.text, "ok": step.ok} for step in result.steps],
        "durationMs": round(result.duration_s * 1000, 3),
        "replay": replay.format(id=row.id),
        "exchanges": [as_report(exchange, secret_headers) for exchange in _worth_showing(result)],
    }
    return {**case, "story": list(result.story)} if result.story else case


def _worth_showing(result: CaseResult) -> list[Exchange]:
    """Keep what the finding names, or the first, last and slowest exchanges, so that a report stays small."""
    if len(result.exchanges) <= _MOST_SHOWN:
        return result.exchanges
    named = [each for each in result.exchanges if each.label and f"{each.label.partition(' (')[0]}:" in result.got]
    if named:
        return named[:_MOST_SHOWN]
    slowest = sorted(result.exchanges, key=lambda exchange: exchange.elapsed_s)[-2:]
    chosen = [*result.exchanges[:2], *result.exchanges[-2:], *slowest]
    return [exchange for exchange in result.exchanges if any(exchange is each for each in chosen)]


def _latency(finished: FinishedRun) -> list[dict[str, Any]]:
    exchanges = {id(each): each for result in finished.results.values() for each in result.exchanges}.values()
    rows = []
    for operation in OPERATIONS:
        budget_s = operation.answer_budget_s(finished.configuration.profile.house)
        times = sorted(each.elapsed_s * 1000 for each in exchanges if _is_measured(each, operation))
        if times and math.isfinite(budget_s):
            rows.append(_latency_row(operation.name, times, budget_s))
    return rows


def _is_measured(exchange: Exchange, operation: Operation) -> bool:
    return exchange.operation == operation and exchange.answer is not None and exchange.measured


def _latency_row(operation: str, times: list[float], budget_s: float) -> dict[str, Any]:
    return {
        "operation": operation,
        "count": len(times),
        **{f"p{percent}Ms": round(_percentile(times, percent), 3) for percent in (50, 95, 99)},
        "maxMs": round(times[-1], 3),
        "late": sum(time > budget_s * 1000 for time in times),
        "budgetS": budget_s,
        "samplesMs": [round(time, 3) for time in times[:: max(1, len(times) // _MOST_SAMPLES)]],
    }


def _percentile(ordered: list[float], percent: int) -> float:
    """Return the smallest value that at least this share of the values does not exceed (nearest rank)."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _traced(row: Requirement) -> dict[str, Any]:
    by = list(row.proven_by or (row.id,))
    return {"id": row.id, "title": row.title, "api": row.api, "tier": row.tier, "by": by}


def _not_tested(row: Requirement) -> dict[str, Any]:
    return {"id": row.id, "title": row.title, "api": row.api, "tier": row.tier, "reason": row.not_tested}
