"""Turns the reports of the tests, as JSON, into the model of the reporters."""

from __future__ import annotations

from typing import Any

from conformance.report.model import Case, Latency, Report, from_json


def model(report: dict[str, Any]) -> Report:
    return from_json(Report, report)


def case_model(case: dict[str, Any]) -> Case:
    return from_json(Case, case)


def latency_model(row: dict[str, Any]) -> Latency:
    return from_json(Latency, row)
