"""The probable causes of findings, from real runs and from made-up results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.causes import probable_causes
from conformance.mutants.gate import profile_of
from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.small_connector import SmallConnector
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import run
from conformance.verdicts import CaseResult, Verdict
from jwo_contract.register import rules

Serve = Callable[[Any], str]


class RefusesWith422(SmallConnector):
    """Refuses every malformed request with 422, as some frameworks do."""

    async def answer(self, request: Request) -> Reply:
        reply = await super().answer(request)
        return error(422, "no") if reply.status == 400 else reply


def failed(case_id: str, expected: str, got: str, verdict: Verdict = Verdict.FAIL) -> CaseResult:
    return CaseResult(case_id, verdict, expected=expected, got=got)


def causes(*results: CaseResult) -> dict[str, str]:
    return probable_causes({result.id: result for result in results}, rules())


def test_wrong_refusal_status_is_one_cause_for_all_calls(serve: Serve) -> None:
    broken = ("VIK-3.1", "VIK-3.3", "VIK-3.6", "CP-3.1", "CP-3.4")
    finished = run(RunConfiguration(profile_of(serve(RefusesWith422())), Selection(("core",), ("VIK-1.1", *broken))))
    found = probable_causes(finished.results, rules())

    assert set(found) | set(found.values()) == set(broken)
    assert len(set(found.values())) == 1


def test_accepted_invalid_requests_are_causes_of_their_own() -> None:
    ids = ("VIK-3.1", "VIK-3.2", "VIK-3.3", "VIK-3.4")

    assert causes(*(failed(each, "400", '200 {"a": 1}') for each in ids)) == {}


def test_two_wrong_refusals_may_be_a_chance() -> None:
    assert causes(*(failed(each, "400", "422 {}") for each in ("VIK-3.1", "VIK-3.2"))) == {}


@pytest.mark.parametrize(
    ("expected", "got", "root", "others"),
    [
        ("200", "500 oops", "VIK-1.1", ("VIK-1.2", "VIK-X.12")),
        ("200", "no answer: timed_out", "VIK-1.1", ("VIK-X.7",)),
        ("401", '200 {"visitorDetails": {}}', "VIK-2", ("VIK-X.9", "VIK-X.10")),
        ("a body that keeps verify_identity_keys.response", "x is missing: 200 {}", "VIK-1.1", ("VIK-1.2",)),
        ("Content-Type: application/json", "Content-Type: text/html", "VIK-1.1", ("VIK-X.37",)),
        ("201", "400 {}", "CP-1.1", ("CP-1.2", "CP-1.13")),
        ("201", "400 {}", "CP-X.57", ("CP-X.44",)),
    ],
)
def test_shared_symptom_has_the_plainest_case_as_its_root(
    expected: str, got: str, root: str, others: tuple[str, ...]
) -> None:
    found = causes(*(failed(each, expected, got) for each in (*others, root)))

    assert found == dict.fromkeys(others, root)


def test_other_values_are_the_same_symptom() -> None:
    schema = "a body that keeps create_purchases.response"
    results = [failed(each, schema, f"'{each}' is not of type 'string': 201 {{}}") for each in ("CP-1.1", "CP-1.2")]

    assert causes(*results) == {"CP-1.2": "CP-1.1"}


def test_visit_follows_from_the_core_case_that_fails() -> None:
    results = (failed("E2E-X.9", "one purchase", "two"), failed("CP-2", "one purchaseId", "2 different ones"))

    assert causes(*results) == {"E2E-X.9": "CP-2"}


def test_blocked_case_follows_to_the_end_of_the_chain() -> None:
    results = (
        failed("VIK-1.1", "200", "500 a"),
        failed("VIK-1.2", "200", "500 b"),
        CaseResult("VIK-6", Verdict.BLOCKED, reason="blocked", blocked_by="VIK-1.2"),
    )

    assert causes(*results) == {"VIK-1.2": "VIK-1.1", "VIK-6": "VIK-1.1"}


def test_passing_case_has_no_cause() -> None:
    assert causes(CaseResult("VIK-1.1", Verdict.PASS), failed("VIK-1.2", "200", "500 x")) == {}
