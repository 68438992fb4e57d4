"""Finds the probable cause of findings: which of them follow from one other, so that a reader begins with that one.

Two cases probably have one cause if they fail by the same symptom, such as 422 where 400 is right. A breach of an
invalid request that is accepted is a cause of its own, since each check of a member can be missing alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from conformance.verdicts import CaseResult, Verdict
from jwo_contract.register import Requirement, register

_FAILED = frozenset({Verdict.FAIL, Verdict.WARN})
_STATUS = re.compile(r"(?:.*?: )?(\d{3})(?: |$)")
_STATUSES = re.compile(r"\d{3}(?: or \d{3})*")
_BODY = re.compile(r": (?:.*?: )?\d{3} .*", re.DOTALL)
_VALUES = re.compile(r"'[^']*'|\"[^\"]*\"|\[\d+\]|\d+")
_REFUSALS_OF_ONE_CAUSE = 3
"""The least number of refusals with the same wrong status that have one cause; two may be a chance."""
_ROOTS = ("VIK-1.1", "VIK-2", "CP-1.1", "PLAN-CCD-VAL-CONN-001", "RS-1.1", "GSD-X.1")
"""The cases that are the root where they share a symptom with others: they send the plainest request."""
_DRAWN = ("VIK-X.35", "VIK-X.36", "CP-X.44", "CP-X.45", "CP-X.46", "CP-X.47")
"""The cases of random requests, which name no rule of their own; so they are never the root of others."""
_RESTS_ON: Mapping[str, tuple[str, ...]] = {
    "E2E-X.2": ("VIK-2", "VIK-1.1", "CP-1.1"),
    "E2E-X.4": ("VIK-1.1", "VIK-6", "VIK-X.1", "VIK-X.2"),
    "E2E-X.5": ("VIK-1.1", "VIK-6", "VIK-X.1", "VIK-X.24"),
    "E2E-X.7": ("VIK-1.1", "CP-1.1", "VIK-X.27", "VIK-X.28", "CP-X.36", "CP-X.37"),
    "E2E-X.9": ("VIK-1.1", "CP-1.1", "CP-2", "CP-X.1"),
    "E2E-X.10": ("VIK-1.1", "CP-1.1", "CP-2", "CP-X.1", "CP-X.39"),
    "E2E-X.11": ("VIK-1.1", "CP-1.1", "CP-X.39", "VIK-X.30", "CP-2", "CP-X.1"),
    "E2E-X.12": ("VIK-1.1", "CP-1.1", "CP-2", "CP-X.1", "CP-X.3"),
    "E2E-X.13": ("VIK-1.1", "CP-1.1", "CP-2", "CP-X.1", "CP-X.33"),
    "E2E-X.15": ("VIK-1.1", "CP-1.1", "CP-X.34", "CP-2", "CP-X.1"),
    "E2E-": ("VIK-1.1", "CP-1.1"),
    "PLAN-APPCHK-VAL-VIK": ("VIK-1.1", "VIK-2"),
    "PLAN-APP-VAL-CONN-001": ("VIK-1.1", "VIK-2"),
    "PLAN-APP-IV-001": ("VIK-1.1",),
    "PLAN-APP-VAL-CONN-002": ("CP-1.1",),
    "PLAN-CHK-VAL-CONN-001": ("CP-1.1",),
    "CP-X.46": ("CP-2", "CP-X.1", "CP-X.12", "CP-X.4", "CP-X.5", "CP-X.3", "CP-X.93", "CP-X.96"),
    "CP-X.47": ("CP-X.34", "CP-2", "CP-X.1", "CP-X.46"),
    "CP-X.37": ("CP-X.11",),
    "CP-X.85": ("CP-X.11",),
    "CP-X.86": ("CP-X.10",),
    "VIK-X.28": ("VIK-9",),
    "CP-X.32": ("CP-2", "CP-X.1"),
    "CP-X.33": ("CP-2", "CP-X.1"),
    "CP-X.34": ("CP-2", "CP-X.1"),
    "CP-X.35": ("CP-X.2", "CP-2"),
    "CP-X.1": ("CP-2",),
    "CP-X.2": ("CP-2", "CP-X.1"),
    "VIK-X.1": ("VIK-6",),
    "VIK-X.2": ("VIK-6", "VIK-X.1"),
    "VIK-X.23": ("VIK-6", "VIK-X.1"),
    "VIK-X.24": ("VIK-6", "VIK-X.1"),
    "VIK-X.25": ("VIK-6", "VIK-X.1"),
    "VIK-X.26": ("VIK-X.2", "VIK-6"),
}
"""Cases by id, or by the begin of ids, and the plainer cases on which they rest, the most probable cause first."""


class _Symptom(NamedTuple):
    """How a case failed, without the values that differ. `api` is empty where the symptom crosses calls."""

    api: str
    expected: str
    got: str
    least: int
    """The number of cases that must share the symptom to have one cause."""


def probable_causes(results: Mapping[str, CaseResult], rows: Mapping[str, Requirement]) -> dict[str, str]:
    """Return, for each case that probably fails or is blocked because of another, the id of that other case.

    `rows` are the rules of the run's edition. A cause has no cause of its own in the answer.
    """
    direct = {case_id: result.blocked_by for case_id, result in results.items() if result.blocked_by}
    failed = {each: results[each] for each in rows if each in results and results[each].verdict in _FAILED}
    direct |= _by_symptom(failed.values(), rows)
    for case_id in failed:
        if case_id not in direct and (root := _plainer(case_id, failed)):
            direct[case_id] = root
    return {case_id: _last(case_id, direct) for case_id in direct}


def _by_symptom(failed: Iterable[CaseResult], rows: Mapping[str, Requirement]) -> dict[str, str]:
    """Return the cause of each case that shares its symptom with a plainer one."""
    groups: dict[_Symptom, list[str]] = {}
    for result in failed:
        if symptom := _symptom(result):
            groups.setdefault(symptom, []).append(result.id)
    causes: dict[str, str] = {}
    for symptom, ids in groups.items():
        if len(ids) >= symptom.least:
            root = min(ids, key=lambda each: _plainness(each, rows))
            causes |= {each: root for each in ids if each != root}
    return causes


def _plainness(case_id: str, rows: Mapping[str, Requirement]) -> tuple[bool, bool, int, int]:
    """Return a key that sorts named requests first, then a rule that fails a connector, then the plainest requests."""
    place = _ROOTS.index(case_id) if case_id in _ROOTS else len(_ROOTS)
    return case_id in _DRAWN, rows[case_id].level != "must", place, list(rows).index(case_id)


def _symptom(result: CaseResult) -> _Symptom | None:
    expected, got, api = result.expected, result.got, register()[result.id].api
    if _STATUSES.fullmatch(expected):
        return _symptom_of_status(api, expected, got)
    if expected.startswith("a body that keeps "):
        return _Symptom(api, expected, _plain(_BODY.sub("", got)), least=2)
    if expected.startswith("Content-Type"):
        return _Symptom(api, expected, got, least=2)
    return None


def _symptom_of_status(api: str, expected: str, got: str) -> _Symptom | None:
    found = _STATUS.match(got)
    status = found[1] if found else ""
    if expected[0] == "2":
        return _Symptom(api, "2xx", status or _plain(got.rpartition("no answer: ")[2]), least=2)
    if status.startswith("2"):
        return _Symptom(api, expected, status, least=2) if expected == "401" else None
    if status.startswith("5") or not status:
        return _Symptom(api, expected, status or _plain(got.rpartition("no answer: ")[2]), least=_REFUSALS_OF_ONE_CAUSE)
    return _Symptom("", expected, status, least=_REFUSALS_OF_ONE_CAUSE)


def _plain(text: str) -> str:
    """Return a text without quoted values and numbers, which differ from case to case."""
    return _VALUES.sub("…", text)


def _plainer(case_id: str, failed: Mapping[str, CaseResult]) -> str:
    """Return the first failing case on which a case rests; empty where there is none."""
    rests_on = next((ids for begin, ids in _RESTS_ON.items() if case_id == begin), None)
    if rests_on is None:
        rests_on = next(
            (ids for begin, ids in _RESTS_ON.items() if begin.endswith("-") and case_id.startswith(begin)), ()
        )
    return next((each for each in rests_on if each in failed), "")


def _last(case_id: str, direct: Mapping[str, str]) -> str:
    """Return the end of a chain of causes; a circle ends at its first repetition."""
    seen, cause = {case_id}, direct[case_id]
    while cause in direct and cause not in seen:
        seen.add(cause)
        cause = direct[cause]
    return cause
