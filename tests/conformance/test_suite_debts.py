"""Cases about payment and debts: a debt that comes late, and keys that cannot show a debt."""

from __future__ import annotations

import asyncio

import pytest

from conformance.mutants.gate import profile_of
from conformance.mutants.http_app import Request
from conformance.mutants.serving import served
from conformance.mutants.small_connector import DEBTOR, SmallConnector
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import run
from conformance.verdicts import CaseResult, Verdict
from jwo_contract.house import House, Suite
from jwo_contract.profile import KeysTable
from jwo_contract.scan_key import to_identity_key

CASE = "VIK-X.126"
LATE_S = 1.0


class LearnsOfDebtsLate(SmallConnector):
    def charge(self, request: Request) -> None:
        if request.items:
            asyncio.get_running_loop().call_later(LATE_S, self.debtors.add, DEBTOR)


def judged(connector: SmallConnector, within_s: float = 2.0, keys: KeysTable | None = None) -> CaseResult:
    with served(connector) as url:
        profile = profile_of(url)
        update = {"house": House(suite=Suite(debt_within_s=within_s)), "keys": keys or profile.keys}
        return run(RunConfiguration(profile.model_copy(update=update), Selection(("core",), (CASE,)))).results[CASE]


@pytest.mark.parametrize(("within_s", "verdict"), [(2.0, Verdict.PASS), (0.05, Verdict.WARN)])
def test_a_debt_has_the_time_of_the_setting(within_s: float, verdict: Verdict) -> None:
    assert judged(LearnsOfDebtsLate(), within_s).verdict is verdict


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({}, "declare the Base64 of such a key, or list debt_after_trip in [keys] minted"),
        ({"debt_after_trip": to_identity_key("refused_key")}, "does not open the gate twice before the trip"),
    ],
)
def test_a_key_that_shows_no_debt_is_no_verdict(declared: dict[str, str], reason: str) -> None:
    keys = KeysTable(shopper=to_identity_key("valid_shopper_key"), **declared)

    found = judged(SmallConnector(), keys=keys)

    assert found.verdict is Verdict.NOT_APPLICABLE
    assert reason in found.reason


def test_a_fixed_key_that_works_more_than_once_shows_a_debt() -> None:
    key = to_identity_key("debt_after_trip_key")

    found = judged(SmallConnector(), keys=KeysTable(shopper=to_identity_key("valid_shopper_key"), debt_after_trip=key))

    assert found.verdict is Verdict.PASS
