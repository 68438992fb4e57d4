"""report.json: the complete report, checked against its schema and against its own cases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from typing import cast

import jsonschema_rs

from conformance.report.errors import ReportBreaksSchema
from conformance.report.model import Completeness, Report, from_json, to_json
from conformance.report.verdict import count_verdicts, overall_verdict
from conformance.verdicts import Verdict, severity
from jwo_toolkit.json_types import Json


@lru_cache(maxsize=1)
def schema() -> dict[str, Json]:
    """Return the JSON Schema (2020-12) of report.json."""
    text = (resources.files("conformance.report") / "report.schema.json").read_text("utf-8")
    return cast("dict[str, Json]", json.loads(text))


def check(report: Mapping[str, Json]) -> None:
    """Check a report, as JSON. Raises ReportBreaksSchema if it contradicts its schema or its own cases."""
    breaches = [_described(error) for error in _validator().iter_errors(report)]
    if breaches := breaches or list(_contradictions(from_json(Report, report))):
        raise ReportBreaksSchema(breaches)


def render_json(report: Report) -> str:
    """Return the text of report.json."""
    return json.dumps(to_json(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


@lru_cache(maxsize=1)
def _validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema(), validate_formats=True)


def _described(error: jsonschema_rs.ValidationError) -> str:
    place = "/".join(str(part) for part in error.instance_path)
    return f"{place or 'the report'}: {error.message[:200]}"


def _contradictions(report: Report) -> Iterator[str]:
    cases, counts = report.cases, count_verdicts(report.cases)
    if {**dict.fromkeys(counts, 0), **report.counts} != counts:
        yield f"counts: the cases say {counts}"
    own = [case.verdict for case in report.own_cases or ()]
    least = overall_verdict(cases, strict=report.suite.strict, stale=len(report.stale), own=own)
    if severity(report.verdict) < severity(least):
        yield f"verdict: is {report.verdict}, and the cases make it {least}"
    if report.verdict is Verdict.PASS and not all(stage.ok for stage in report.stages or ()):
        yield "verdict: is pass, and a stage failed"
    if (part := report.completeness) and not _adds_up(part):
        yield f"completeness: {part.judged} judged and {len(part.not_judged)} not judged, of {part.total}"
    ids = [case.id for case in cases]
    if twice := {case_id for case_id in ids if ids.count(case_id) > 1}:
        yield f"cases: more than one has the id {', '.join(sorted(twice))}"


def _adds_up(part: Completeness) -> bool:
    return part.judged + len(part.not_judged) == part.total and part.complete is not bool(part.not_judged)
