"""A request that must be refused has one fault: without a declared shopper key, a 401 proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.mutants.gate import profile_of
from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.small_connector import STORES, SmallConnector
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import run
from conformance.verdicts import Verdict
from jwo_contract.profile import KeysTable

Serve = Callable[[Any], str]
ABOUT_OTHER_MEMBERS = ("VIK-3.1", "VIK-3.2", "VIK-3.6", "VIK-3.8", "VIK-3.10", "VIK-3.16", "VIK-X.20", "VIK-X.36")
ABOUT_THE_KEY = ("VIK-3.3", "VIK-3.4", "VIK-3.5", "VIK-3.17")


class LooksAtTheKeyFirst(SmallConnector):
    """Refuses an unknown key before it looks at any other member."""

    async def answer(self, request: Request) -> Reply:
        key = request.body.get("identityKey") if isinstance(request.document, dict) else None
        is_key = isinstance(key, str) and not self.problem_of_key(key)
        if request.call == "scan" and is_key and self.decide(request).status == 401:
            return self.turn_away()
        return await super().answer(request)

    def problem_of_key(self, key: str) -> bool:
        return len(key) > 1000 or len(key) % 4 != 0 or not key.replace("=", "").replace("+", "").isalnum()


class ChecksOnlyTheKey(LooksAtTheKeyFirst):
    """Never refuses a scan as invalid, so that a broken key is an unknown one."""

    def problem_of(self, request: Request) -> str:
        return "" if request.call == "scan" else super().problem_of(request)


class RefusesEachScanWith401(SmallConnector):
    """Refuses invalid scans with 401, whatever is wrong with them."""

    def refuse(self, request: Request, problem: str) -> Reply:
        return error(401, problem) if request.call == "scan" else super().refuse(request, problem)


def verdicts(serve: Serve, connector: SmallConnector, only: tuple[str, ...]) -> dict[str, Verdict]:
    profile = profile_of(serve(connector)).model_copy(update={"keys": KeysTable()})
    return {
        each: found.verdict
        for each, found in run(RunConfiguration(profile, Selection(("core",), only))).results.items()
    }


def test_key_before_other_members_is_no_finding_without_a_declared_key(serve: Serve) -> None:
    found = verdicts(serve, LooksAtTheKeyFirst(STORES), ABOUT_OTHER_MEMBERS)

    assert set(found.values()) == {Verdict.NOT_APPLICABLE}


def test_answer_about_a_broken_key_is_judged_without_a_declared_key(serve: Serve) -> None:
    found = verdicts(serve, RefusesEachScanWith401(STORES), ABOUT_THE_KEY)

    assert found == dict.fromkeys(ABOUT_THE_KEY, Verdict.FAIL)


@pytest.mark.parametrize("case_id", ["VIK-X.20", "VIK-X.36"])
def test_unclear_answers_hide_no_wrong_one(serve: Serve, case_id: str) -> None:
    assert verdicts(serve, ChecksOnlyTheKey(STORES), (case_id,)) == {case_id: Verdict.WARN}
