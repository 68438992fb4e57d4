"""Builders of report dicts with defaults, like those that the suite's engine fills."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from conformance.report import count_verdicts, overall_verdict
from jwo_contract.register import register
from jwo_toolkit.json_types import JsonObject
from tests.conformance.report.reading import case_model

Build = Callable[..., JsonObject]


def _exchange(status: int | None = 200, body: Any = None, request: Any = None, **changes: Any) -> JsonObject:
    url = "http://127.0.0.1:8080/v1/identity/identity-keys"
    sent = {"requestId": "a1b2c3d4-e5f6-7890-abcd-ef1234567890", "storeId": "STORE-001"} if request is None else request
    answer = {"visitorDetails": {"id": "shopper-1", "type": "SHOPPER"}} if body is None else body
    headers = {"content-type": "application/json"}
    return {
        "operation": "Verify Identity Keys",
        "startedAt": "2026-03-02T09:30:00Z",
        "elapsedMs": 4.21,
        "request": {"method": "POST", "url": url, "headers": dict(headers), "body": sent},
        "response": None if status is None else {"status": status, "headers": dict(headers), "body": answer},
        "failure": "timed_out" if status is None else None,
        "curl": f"curl -sS -i -X POST {url} -H 'content-type: application/json' --data-binary '{{}}'",
    } | changes


def _case(case_id: str = "VIK-3.4", verdict: str = "pass", **changes: Any) -> JsonObject:
    row = register()[case_id] if case_id in register() else register()["VIK-3.4"]
    return {
        "id": case_id,
        "title": row.title,
        "api": row.api,
        "tier": row.tier,
        "level": row.level,
        "provenance": row.provenance,
        "page": row.page,
        "verdict": verdict,
        "rule": row.text,
        "expected": "" if verdict == "not_applicable" else "400",
        "got": {"pass": "400", "fail": "200 {...}", "warn": "200 {...}"}.get(verdict, ""),
        "reason": {"not_applicable": "no cash_shopper key is declared", "error": "the key command ended with 1"}.get(
            verdict, ""
        ),
        "hint": row.usually,
        "steps": [
            {"text": "Given a valid Verify Identity Keys request", "ok": True},
            {"text": "When it is sent with an identityKey of 1004 characters", "ok": True},
            {"text": "Then it is refused with 400", "ok": verdict != "fail"},
        ],
        "durationMs": 6.4,
        "replay": f"jwo replay {case_id}",
        "exchanges": [_exchange()],
    } | changes


def _latency(operation: str = "Verify Identity Keys", samples: list[float] | None = None) -> JsonObject:
    chance = random.Random(7)  # noqa: S311 - the same sample each time, nothing secret
    times = sorted(samples or [round(chance.lognormvariate(1.6, 0.5), 3) for _ in range(120)])
    return {
        "operation": operation,
        "count": len(times),
        "p50Ms": times[len(times) // 2],
        "p95Ms": times[int(len(times) * 0.95)],
        "p99Ms": times[int(len(times) * 0.99)],
        "maxMs": times[-1],
        "late": sum(time > 2000 for time in times),
        "budgetS": 2.0,
        "samplesMs": times,
    }


def _report(cases: list[JsonObject] | None = None, *, strict: bool = False, **changes: Any) -> JsonObject:
    judged = [_case()] if cases is None else cases
    models = [case_model(case) for case in judged]
    return {
        "format": "jwo-report-1",
        "suite": {
            "name": "jwo-conformance-kit",
            "version": "0.1.0",
            "revision": "9f2c4e7ab01d58c6e3a7f4129b6d0c8e5a1f3b7d9c2e4f6081a3b5c7d9e0f214",
            "docSet": "2026-02",
            "strict": strict,
        },
        "connector": {
            "url": "http://127.0.0.1:8080",
            "auth": "sigv4",
            "storeId": "STORE-001",
            "declared": ["shopper", "associate", "skus"],
        },
        "startedAt": "2026-03-02T09:30:00Z",
        "durationS": 3.2,
        "verdict": str(overall_verdict(models, strict=strict)),
        "counts": count_verdicts(models),
        "latency": [_latency()],
        "settings": {"suite": {"strict": strict}, "gate": {"timeout_s": 2.0}},
        "cases": judged,
        "notTested": [
            {"id": row.id, "title": row.title, "api": row.api, "tier": row.tier, "reason": row.not_tested}
            for row in register().values()
            if row.not_tested
        ],
    } | changes


@pytest.fixture
def an_exchange() -> Build:
    return _exchange


@pytest.fixture
def a_case() -> Build:
    return _case


@pytest.fixture
def a_latency() -> Build:
    return _latency


@pytest.fixture
def a_report() -> Build:
    return _report


@pytest.fixture
def a_full_report() -> JsonObject:
    """Return the report of a passing run of every core row in the register that has a test."""
    rows = [row for row in register().values() if row.side == "connector" and row.tier in {"core", "catalog"}]
    undeclared = "no cash_shopper key is declared: [keys] cash_shopper"
    cases = [_case(row.id) for row in rows if not row.not_tested][:108]
    cases += [_case(f"VIK-X.90{i}", "not_applicable", reason=undeclared, steps=[], exchanges=[]) for i in (1, 2)]
    return _report(cases, latency=[_latency(), _latency("Create Purchases")])
