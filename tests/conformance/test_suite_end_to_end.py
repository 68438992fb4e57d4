"""Visits through the simulated platform: required declarations, the journal's exchanges, and who is at fault."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.drivers.http import ConnectorClient
from conformance.end_to_end import platform as platforms
from conformance.end_to_end.journal import to_exchange
from conformance.end_to_end.judgement import kept_out, nothing_doubled, nothing_leaked, nothing_lost, one_decision
from conformance.end_to_end.needs import case_ids
from conformance.end_to_end.platform import Platform, settings, starting
from conformance.end_to_end.visits import StoreDay, Visit, name_gates
from conformance.errors import HarnessBroke, NotDeclared
from conformance.mutants.gallery import RATE_LIMIT
from conformance.mutants.gate import certify, profile_of, run_fault
from conformance.mutants.registry import CONNECTOR_FAULTS
from conformance.mutants.small_connector import SmallConnector
from conformance.platform_control import Fault, PlatformControl
from conformance.report.model import to_json
from conformance.requests import Requests
from conformance.run.configuration import RunConfiguration, Selection, utc_now
from conformance.run.recorder import Recorder
from conformance.run.session import run
from conformance.summary import summarise
from conformance.verdicts import Verdict
from jwo_contract.gate import NoAnswer
from jwo_contract.house import House
from jwo_contract.operations import VERIFY_IDENTITY_KEYS
from jwo_contract.profile import for_url

Serve = Callable[[Any], str]
NOWHERE = "http://127.0.0.1:9"
QUICK = ("E2E-X.1", "E2E-X.2", "E2E-X.4", "E2E-X.9")


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with starting(profile_of(NOWHERE)) as started:
        yield started


def entry(operation: str = "Create Purchases", **more: Any) -> dict[str, Any]:
    body = {"idempotentShoppingTripId": "trip-1"}
    request = {"method": "POST", "url": "http://127.0.0.1:1/v1/order/purchases", "headers": {}, "body": body}
    answer = {"status": 201, "headers": {}, "body": {"purchaseId": "p-1"}}
    entry = {"seq": 1, "at": "2026-02-05T12:00:00Z", "operation": operation, "request": request, "response": answer}
    return {**entry, "failure": None, "elapsedMs": 12, **more}


def visit(label: str, *answers: dict[str, Any], operation: str = "Create Purchases", **more: Any) -> Visit:
    entries = [entry(operation, response={"status": 201, "headers": {}, "body": answer}) for answer in answers]
    return Visit(label, "gate", exchanges=[to_exchange(each, label) for each in entries], **more)


def delivery(*outcomes: str, state: str = "pending") -> dict[str, Any]:
    return {"state": state, "attempts": [{"outcome": outcome, "status": None} for outcome in outcomes]}


def test_a_correct_connector_passes_and_its_exchanges_come_from_the_journal(platform: Platform) -> None:
    finished = certify("", QUICK, stores=("journal 1", "journal 2"), platform=platform)

    assert {result.verdict for result in finished.results.values()} == {Verdict.PASS}
    journalled = [each for each in finished.results["E2E-X.9"].exchanges if not each.measured]
    carts = [each for each in journalled if each.operation.name == "Create Purchases"]
    assert len({json.loads(each.body)["requestId"] for each in carts}) == len(carts) >= 3
    assert len({each.answer and each.answer.body for each in carts}) == 1
    report = summarise(finished, started_at=datetime.now(UTC), duration_s=1, strict=False)
    assert finished.configuration.profile.keys.shopper not in json.dumps(to_json(report))
    assert sum(row.count for row in report.latency) == len(finished.known.trials) == 2


def test_with_nothing_declared_no_platform_is_started(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    monkeypatch.setattr(platforms, "COMMAND", ("/nowhere",))
    results = run(RunConfiguration(for_url(serve(SmallConnector())), Selection(only=QUICK))).results.values()

    assert {result.verdict for result in results} == {Verdict.NOT_APPLICABLE}
    assert all("[keys] shopper" in result.reason and "[catalog] skus" in result.reason for result in results)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("program", ["print('no address')", "raise SystemExit(3)"])
def test_a_platform_that_does_not_start_is_our_fault(
    program: str, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    monkeypatch.setattr(platforms, "COMMAND", (sys.executable, "-c", program))
    finished = run(RunConfiguration(profile_of(serve(SmallConnector())), Selection(only=("E2E-X.1",))))

    (result,) = finished.results.values()
    assert result.verdict is Verdict.ERROR
    assert "the simulated platform did not start" in result.reason


@pytest.mark.parametrize("fault", ["undoes_a_purchase_when_the_caller_hangs_up", "tells_of_the_last_visitor"])
def test_a_fault_that_only_visits_show_is_found(fault: str, platform: Platform) -> None:
    assert run_fault(CONNECTOR_FAULTS.named(fault), platform).killed


def test_a_gate_that_never_opens_fails_one_case_only(platform: Platform) -> None:
    results = certify("answers_flat", QUICK, stores=("closed 1", "closed 2"), platform=platform).results

    assert {each for each, result in results.items() if result.verdict is Verdict.FAIL} == {"E2E-X.1"}
    others = [result for each, result in results.items() if each != "E2E-X.1"]
    assert {result.verdict for result in others} == {Verdict.NOT_APPLICABLE}
    assert all("E2E-X.1 judges this" in result.reason for result in others)


def test_workers_share_one_platform(platform: Platform, serve: Serve) -> None:
    connector = SmallConnector()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(0.4)
            await connector(scope, receive, send)

    chosen = (*QUICK, "VIK-1.1", "VIK-1.2", "VIK-2", "CP-1.1", "CP-1.2")
    finished = run(RunConfiguration(profile_of(serve(slow)), Selection(only=chosen), platform=platform))

    assert finished.known.paces[VERIFY_IDENTITY_KEYS].max_concurrency > 1
    assert {each: result.verdict for each, result in finished.results.items()} == dict.fromkeys(chosen, Verdict.PASS)


@pytest.mark.slow
def test_a_late_connector_is_not_judged_by_visits(platform: Platform) -> None:
    only = ("E2E-X.1",)
    results = certify("answers_after_2100_ms:scan", only, stores=("late 1", "late 2"), platform=platform).results

    assert results["E2E-X.1"].verdict is Verdict.NOT_APPLICABLE
    assert "VIK-9" in results["E2E-X.1"].reason


def test_the_report_shows_the_exchanges_of_the_doubled_visit(platform: Platform) -> None:
    finished = certify("mixes_trips_up", ("E2E-X.7",), stores=("crowd 1", "crowd 2"), platform=platform)

    (case,) = summarise(finished, started_at=datetime.now(UTC), duration_s=1, strict=False).cases
    person = case.got.partition(":")[0]
    assert {str(each.about).partition(" (")[0] for each in case.exchanges} == {person}
    assert len(finished.results["E2E-X.7"].exchanges) > len(case.exchanges) >= 2


def test_the_platform_gets_its_settings_from_the_profile() -> None:
    house = House().model_copy(update={"ordering": House().ordering.model_copy(update={"cash_type": "CASH_SHOPPER"})})
    signing = {"auth": "sigv4", "access_key_id": "AKIA", "secret_access_key": "secret", "region": "eu-west-1"}
    profile = profile_of(NOWHERE)
    connector = profile.connector.model_copy(update=signing)
    variables = settings(profile.model_copy(update={"house": house, "connector": connector}))

    assert variables["JWO_PLATFORM_CONNECTOR_SECRET_ACCESS_KEY"] == "secret"
    assert json.loads(variables["JWO_PLATFORM_AUTH"])["region"] == "eu-west-1"
    assert json.loads(variables["JWO_PLATFORM_ORDERING"])["cash_type"] == "CASH_SHOPPER"
    assert "JWO_PLATFORM_IDENTITY" not in variables


class NothingHappens(PlatformControl):
    """The control of a platform that arms faults and never applies them."""

    def __init__(self) -> None:
        self._faults: set[str] = set()

    def arm(self, fault: Fault, **_where: str) -> str:
        self._faults.add(fault.name)
        return fault.name

    def disarm(self, fault_id: str) -> None:
        self._faults.remove(fault_id)

    def armed(self) -> set[str]:
        return self._faults | {"armed by another case"}


def test_a_fault_that_never_applied_is_an_error_unless_disarmed() -> None:
    requests, recorder, shopper = Requests(profile_of(NOWHERE), utc_now), Recorder(), Visit("a shopper", "gate")
    with ConnectorClient(requests.profile, utc_now, recorder.keep) as client:
        day = StoreDay(requests, recorder, client, NothingHappens(), "E2E-X.9", "14")
        day.disarm(day.arm(Fault("drop_before"), shopper))
        day.check_faults_applied()
        day.arm(Fault("drop_after"), shopper)

        with pytest.raises(HarnessBroke, match="drop_after"):
            day.check_faults_applied()


def test_gate_names_are_unique_and_fit_in_a_url() -> None:
    gates = [gate for store in ("14", "Ⅷ · 東京/渋谷") for case_id in case_ids() for gate in name_gates(store, case_id)]

    assert len(set(gates)) == len(gates)
    assert all(gate.isascii() and "/" not in gate for gate in gates)


def test_a_dropped_answer_counts_and_a_cut_message_has_no_answer() -> None:
    answer = {"status": 201, "headers": {}, "body": {"purchaseId": "p-9"}}
    lost = to_exchange(entry(response=None, failure="no_connection", lost=answer, faults=["drop_after"]), "a shopper")
    cut = to_exchange(entry(response=None, failure="no_connection", faults=["cut"]), "a shopper")

    assert lost.answer is not None
    assert lost.answer.json() == {"purchaseId": "p-9"}
    assert (lost.failure, cut.failure, cut.answer) == (None, NoAnswer.NO_CONNECTION, None)
    assert "cut" in cut.in_short()


def test_a_cart_is_lost_if_the_connector_never_accepted_it() -> None:
    accepted = Visit("one", "gate", delivery=delivery("no_connection", "delivered", state="delivered"))
    never = Visit("two", "gate", delivery=delivery("refused", state="dead_letter"))

    assert nothing_lost([accepted]) is None
    assert "two: 1 attempt, dead letter: refused" in str(nothing_lost([accepted, never]))


def test_a_purchase_is_doubled_within_a_trip_or_shared_by_two() -> None:
    one, same = visit("one", {"purchaseId": "p"}, {"purchaseId": "p"}), visit("two", {"purchaseId": "p"})
    other, torn = visit("three", {"purchaseId": "q"}), visit("four", {"purchaseId": "r"}, {"purchaseId": "s"})

    assert nothing_doubled([one, other]) is None
    assert "equal ones" in str(nothing_doubled([one, same]))
    assert "four: 2 different ones" in str(nothing_doubled([one, torn]))


def test_a_scan_is_decided_once() -> None:
    ann, bob = ({"visitorDetails": {"id": name, "type": "SHOPPER"}} for name in ("ann", "bob"))

    assert one_decision(visit("one", ann, ann, operation="Verify Identity Keys")) is None
    assert one_decision(visit("one", ann, bob, operation="Verify Identity Keys")) is not None


def test_a_429_for_the_declared_rate_is_not_a_decision() -> None:
    ann = {"status": 200, "headers": {}, "body": {"visitorDetails": {"id": "ann", "type": "SHOPPER"}}}
    too_many = {"status": 429, "headers": {}, "body": {}}

    def scans(*answers: dict[str, Any]) -> Visit:
        entries = [entry("Verify Identity Keys", response=each) for each in answers]
        return Visit("one", "gate", exchanges=[to_exchange(each, "one") for each in entries])

    assert one_decision(scans(ann, too_many, ann), limits_its_rate=True) is None
    assert one_decision(scans(ann, too_many, ann)) is not None
    with pytest.raises(NotDeclared, match="rate"):
        one_decision(scans(ann, too_many), limits_its_rate=True)


def test_a_connector_that_enforces_its_declared_rate_is_judged_and_passes(platform: Platform) -> None:
    chosen = ("E2E-X.4", "E2E-X.5")
    results = certify("", chosen, rate_limit=RATE_LIMIT, stores=("rate 1", "rate 2"), platform=platform).results

    assert {each: result.verdict for each, result in results.items()} == dict.fromkeys(chosen, Verdict.PASS)


def test_a_stranger_is_kept_out_by_a_401_and_not_by_a_500() -> None:
    closed, failed, opened = (
        Visit("the stranger", "gate", decision={"opens": opens, "cause": cause, "light": "red"})
        for opens, cause in ((False, "401"), (False, "500"), (True, "200"))
    )

    assert kept_out(closed) is None
    assert kept_out(failed) is not None
    assert kept_out(opened) is not None


def test_an_answer_holds_no_other_visitors_data() -> None:
    def named(name: str, *answers: dict[str, Any]) -> Visit:
        return visit(name, *answers, key=f"key of {name}", decision={"visitor": {"id": f"visitor {name}"}})

    own = [named("ann", {"purchaseId": "visitor ann"}), named("bob", {"purchaseId": "2"})]
    others = [named("ann", {"purchaseId": "1", "after": "visitor bob"}), named("bob", {"purchaseId": "2"})]
    key = [named("ann", {"purchaseId": "1"}), named("bob", {"purchaseId": "2", "key": "key of ann"})]

    assert nothing_leaked(own) is None
    assert "ann" in str(nothing_leaked(others))
    assert "bob" in str(nothing_leaked(key))
    assert "key of ann" not in str(nothing_leaked(key))
