"""The model of a report and its schema agree, and a report survives the conversion to JSON and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any, get_args

import pytest

from conformance.report import schema
from conformance.report.json_file import check, render_json
from conformance.report.model import (
    Case,
    Connector,
    ExpectedFailures,
    Latency,
    NotTested,
    Report,
    ReportedExchange,
    Request,
    Response,
    Stage,
    Stale,
    Step,
    Suite,
    Traced,
    camel,
    from_json,
    to_json,
)
from conformance.verdicts import Verdict
from jwo_contract.register import Level, Provenance, Tier
from jwo_toolkit.json_types import JsonObject
from tests.conformance.report.reading import model

Build = Callable[..., JsonObject]
DEFS: JsonObject = schema()["$defs"]
EXCHANGE: JsonObject = DEFS["exchange"]["properties"]
PARTS = (
    (Report, schema()),
    (Suite, DEFS["suite"]),
    (Connector, DEFS["connector"]),
    (Latency, DEFS["latency"]),
    (Stage, DEFS["stage"]),
    (Case, DEFS["case"]),
    (Step, DEFS["step"]),
    (ReportedExchange, DEFS["exchange"]),
    (Request, EXCHANGE["request"]),
    (Response, EXCHANGE["response"]),
    (ExpectedFailures, DEFS["expectedFailures"]),
    (Stale, DEFS["expectedFailures"]["properties"]["stale"]["items"]),
    (Traced, DEFS["traced"]),
    (NotTested, DEFS["notTested"]),
)


@pytest.mark.parametrize(("kind", "described"), PARTS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_schema_describes_every_field(kind: Any, described: JsonObject) -> None:
    fields = {camel(field.name): field.default is dataclasses.MISSING for field in dataclasses.fields(kind)}

    assert set(fields) == set(described["properties"])
    assert {name for name, is_required in fields.items() if is_required} == set(described["required"])


def test_the_schema_describes_every_value() -> None:
    assert set(DEFS["case"]["properties"]["verdict"]["enum"]) == set(Verdict)
    assert set(DEFS["counts"]["properties"]) == set(Verdict)
    assert set(DEFS["counts"]["required"]) == set(Verdict) - {Verdict.BLOCKED}  # older reports lack it
    assert set(schema()["properties"]["verdict"]["enum"]) <= set(Verdict)
    for name, values in (("level", Level), ("provenance", Provenance), ("tier", Tier)):
        assert set(DEFS[name]["enum"]) == set(get_args(values))


def test_a_report_survives_the_conversion_to_json_and_back(
    a_full_report: JsonObject, a_case: Build, an_exchange: Build
) -> None:
    lost = an_exchange(status=None, about="cut off")
    known = a_case("VIK-3.99", "fail", exchanges=[lost], story=["buy nothing"], expectedFailure="not yet")
    stale = {"id": "CP-2", "reason": "the till is old", "why": "it passes now"}
    report = a_full_report | {
        "cases": [*a_full_report["cases"], known],
        "counts": a_full_report["counts"] | {"fail": 1},
        "verdict": "fail",
        "expectedFailures": {"source": "known.toml", "stale": [stale]},
        "stages": [{"name": "Gates", "summary": "", "ok": True, "details": ["one"]}],
        "trace": [{"id": "CP-2", "title": "t", "api": "Create Purchases", "tier": "core", "by": ["CP-2"]}],
    }
    check(report)

    assert to_json(model(report)) == report
    assert json.loads(render_json(model(report))) == report


def test_members_of_a_later_version_are_left_out(a_report: Build) -> None:
    assert from_json(Report, a_report() | {"weather": "fine"}) == model(a_report())
