"""The first valid request: judged by a MUST case, tried in other forms, and a block for all that rests on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.forms import COMPLETE, OPTIONAL, other_forms
from conformance.mutants.gallery import connector_with
from conformance.mutants.gate import profile_of
from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.small_connector import SmallConnector
from conformance.requests import Requests
from conformance.run.configuration import RunConfiguration, Selection, utc_now
from conformance.run.session import FinishedRun, run
from conformance.verdicts import Verdict, overall
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile, for_url

Serve = Callable[[Any], str]
SOME = ("VIK-1.1", "VIK-2", "VIK-3.1", "VIK-6", "CP-1.1", "CP-1.15", "CP-2", "CP-3.1", "CP-X.56")


class AlwaysAnswers(SmallConnector):
    """Answers every call with one status."""

    status = 400

    async def answer(self, request: Request) -> Reply:
        del request
        return error(self.status, "no")


def judged(profile: Profile, only: tuple[str, ...] = SOME) -> FinishedRun:
    return run(RunConfiguration(profile, Selection(("core",), only)))


def verdicts(finished: FinishedRun) -> dict[str, Verdict]:
    return {each: result.verdict for each, result in finished.results.items()}


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 405, 415, 422, 500, 503])
def test_refusing_connector_fails_the_root_cases_and_passes_nothing(serve: Serve, status: int) -> None:
    connector = type("connector", (AlwaysAnswers,), {"status": status})()
    found = verdicts(judged(profile_of(serve(connector))))

    assert {each for each, verdict in found.items() if verdict is Verdict.FAIL} == {"VIK-1.1", "CP-1.1"}
    assert {verdict for each, verdict in found.items() if each not in {"VIK-1.1", "CP-1.1"}} == {Verdict.BLOCKED}
    assert overall(found.values(), fails=True) is Verdict.FAIL


def test_blocked_case_alone_never_passes(serve: Serve) -> None:
    finished = judged(profile_of(serve(connector_with("refuses_every_cart"))), ("CP-2",))
    result = finished.results["CP-2"]

    assert (result.verdict, result.blocked_by) == (Verdict.BLOCKED, "CP-1.1")
    assert "check the store, the key and the items of the profile first" in result.reason
    assert overall([result.verdict], fails=False) is Verdict.FAIL


def test_wrongly_refused_member_is_named_and_the_rest_is_judged(serve: Serve) -> None:
    finished = judged(profile_of(serve(connector_with("refuses_line_item_id"))))

    assert verdicts(finished) == dict.fromkeys(SOME, Verdict.PASS) | {"CP-1.1": Verdict.FAIL}
    assert finished.results["CP-1.1"].got == "it accepts the request only without cartItems[].lineItemId"
    assert len(finished.results["CP-1.1"].exchanges) == 2


def test_wrongly_required_member_is_named_and_the_rest_is_judged(serve: Serve) -> None:
    finished = judged(profile_of(serve(connector_with("requires_external_identifiers"))))

    assert verdicts(finished)["CP-2"] is Verdict.PASS
    assert finished.results["CP-1.1"].got == "it accepts the request only with cartItems[].externalIdentifiers"


def test_bare_profile_blames_itself_for_a_400(serve: Serve) -> None:
    found = judged(for_url(serve(AlwaysAnswers()))).results

    assert {result.verdict for result in found.values()} == {Verdict.NOT_APPLICABLE}
    assert "declare [store] id and [catalog] skus" in found["CP-1.1"].reason


def test_bare_profile_does_not_excuse_a_500(serve: Serve) -> None:
    connector = type("connector", (AlwaysAnswers,), {"status": 500})()
    found = verdicts(judged(for_url(serve(connector))))

    assert (found["VIK-2"], found["CP-1.1"]) == (Verdict.FAIL, Verdict.FAIL)
    assert found["VIK-3.1"] is Verdict.BLOCKED


def test_dead_connector_blocks_without_waiting_for_each_case() -> None:
    found = verdicts(judged(profile_of("http://127.0.0.1:9")))

    assert (found["VIK-1.1"], found["CP-1.1"], found["CP-3.1"]) == (Verdict.FAIL, Verdict.FAIL, Verdict.BLOCKED)


def test_unknown_key_looked_at_first_is_no_finding(serve: Serve) -> None:
    class KeyFirst(SmallConnector):
        def problem_of(self, request: Request) -> str:
            return "" if request.call == "scan" else super().problem_of(request)

    profile = profile_of(serve(KeyFirst()))
    without_shopper = profile.model_copy(update={"keys": profile.keys.model_copy(update={"shopper": ""})})
    result = judged(without_shopper, ("VIK-3.8",)).results["VIK-3.8"]

    assert (result.verdict, result.exchanges[-1].answer and result.exchanges[-1].answer.status) == (
        Verdict.NOT_APPLICABLE,
        401,
    )


def test_other_forms_change_one_member_each() -> None:
    requests = Requests(profile_of("http://127.0.0.1:9"), utc_now)
    for operation in (VERIFY_IDENTITY_KEYS, CREATE_PURCHASES):
        complete = requests.valid_request(operation)
        forms = list(other_forms(complete))

        assert len(forms) == len(set(forms)) >= len(OPTIONAL[operation])
        assert all(form.of(complete).body != complete.body for form in forms)
        assert COMPLETE.of(complete) == complete
