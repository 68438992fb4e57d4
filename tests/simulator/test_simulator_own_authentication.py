"""Own authentication: registration, the lock of a gate until the time-out, and the result of an authentication."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jwo_contract.register import register
from tests.simulator.in_process import GATE, MISSING, RETAILER, STORE, InProcess, changed, in_process

DEVICE = {"storeId": STORE, "deviceId": "reader-1"}
REGISTER, START, PROCESS = "/auth/v2/createDeviceRegistration", "/auth/v2/startAuth", "/auth/v2/processAuth"
REGISTRATION = {**DEVICE, "deviceType": "facial_recognition", "laneId": GATE}
STARTING = {**DEVICE, "authTimeout": 20_000, "timestamp": 1_711_129_179_000}
RESULT = {
    **DEVICE,
    "personId": "person-1",
    "personType": "SHOPPER",
    "timestamp": 1_711_129_183_000,
    "authResult": "ACCEPTED",
}
INVALID = (400, {"errorMsg": "InvalidRequestException"})


@pytest.fixture(scope="module")
def running() -> Iterator[InProcess]:
    with in_process(own_auth={"burst": 100_000}) as platform:
        yield platform


@pytest.fixture
def platform(running: InProcess) -> InProcess:
    """Return a platform with a registered reader, no lock, and no shopper inside."""
    running.clock.ahead += timedelta(hours=1)
    for trip in running.get("/trips")["tripIds"]:
        running.post(f"/trips/{trip}/leave")
    assert running.signed(REGISTER, REGISTRATION).json() == {"deviceId": "reader-1", "registered": True}
    return running


def start(platform: InProcess, **changes: Any) -> dict[str, Any]:
    answer = platform.signed(START, {**STARTING, **changes})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def process(platform: InProcess, event_id: str, **changes: Any) -> Any:
    return platform.signed(PROCESS, {**RESULT, "authEventId": event_id, **changes})


def light(platform: InProcess) -> tuple[str, str]:
    state = platform.get(f"/gates/{GATE}")
    return state["light"], state["lastDecision"]["cause"]


@pytest.mark.parametrize("member", REGISTRATION)
def test_registration_needs_every_member_as_a_text(platform: InProcess, member: str) -> None:
    for value in (MISSING, "", 7, None):
        answer = platform.signed(REGISTER, changed(REGISTRATION, {member: value}))
        assert (answer.status_code, answer.json()) == INVALID


def test_lane_is_a_gate_of_the_retailers_store(platform: InProcess) -> None:
    platform.put("/portal/stores/OTHER", {"retailer": "other", "gates": ["OTHER-GATE"]})
    for changes in ({"laneId": "OTHER-GATE"}, {"storeId": "OTHER"}, {"storeId": "no-such-store"}):
        assert platform.signed(REGISTER, {**REGISTRATION, **changes}).status_code == 400


def test_reader_does_not_change_its_store(platform: InProcess) -> None:
    platform.put("/portal/stores/STORE-002", {"retailer": "corner-retail", "gates": ["GATE-2"]})
    assert platform.signed(REGISTER, {**REGISTRATION, "deviceType": "PICO"}).status_code == 200
    assert platform.signed(REGISTER, {**REGISTRATION, "storeId": "STORE-002", "laneId": "GATE-2"}).status_code == 400


def test_started_authentication_locks_the_gate_until_its_time_out(platform: InProcess) -> None:
    platform.signed(REGISTER, {**REGISTRATION, "deviceId": "reader-2"})
    assert start(platform)["authStarted"] is True
    assert start(platform, deviceId="reader-2") == {"authStarted": False, "reason": "GATE_IN_USE"}
    refused = platform.post(f"/gates/{GATE}/cards", {"instrument": "card-1"})
    assert (refused["opens"], refused["cause"]) == (False, "locked_by_own_reader")
    platform.clock.ahead += timedelta(seconds=20)
    assert platform.post(f"/gates/{GATE}/cards", {"instrument": "card-1"})["opens"] is True
    assert start(platform, deviceId="reader-2")["authStarted"] is True


def test_accepted_person_enters_once(platform: InProcess) -> None:
    event_id = start(platform)["authEventId"]
    answers = [process(platform, event_id).json() for _ in range(2)]
    assert answers[0] == answers[1]
    trip = platform.get(f"/trips/{answers[0]['shoppingTripId']}")
    assert (trip["authEventId"], trip["visitor"]) == (event_id, {"id": "person-1", "type": "SHOPPER"})
    assert platform.get("/trips")["inside"] == 1
    assert light(platform) == ("green", "own_authentication")
    assert platform.get(f"/gates/{GATE}")["lastDecision"]["decidedBy"] == "retailer"
    assert platform.enter()
    other = process(platform, event_id, personId="person-2")
    assert other.json() == {"success": False, "reason": "ALREADY_PROCESSED"}


def test_visit_of_a_non_shopper_sends_no_cart(platform: InProcess) -> None:
    answer = process(platform, start(platform)["authEventId"], personType="NON_SHOPPER").json()
    assert platform.post(f"/trips/{answer['shoppingTripId']}/leave")["cartIsSent"] is False


def test_denied_person_stays_outside_and_the_gate_is_free(platform: InProcess) -> None:
    denied = {"authResult": "DENIED", "personId": None, "personType": None, "deniedReason": "flagged"}
    answer = process(platform, start(platform)["authEventId"], **denied)
    assert answer.json() == {"success": True}
    assert light(platform) == ("red", "own_authentication:denied")
    assert platform.get("/trips")["inside"] == 0
    assert start(platform)["authStarted"] is True


def test_processed_authentication_only_frees_the_gate(platform: InProcess) -> None:
    assert process(platform, start(platform)["authEventId"], authResult="PROCESSED").json() == {"success": True}
    assert platform.get("/trips")["inside"] == 0
    assert platform.enter()


@pytest.mark.parametrize(
    ("failure", "expected"),
    [("answer_200", (200, {"success": False, "reason": "AUTH_TIMED_OUT"})), ("refuse_400", INVALID)],
)
def test_late_result_fails(failure: str, expected: tuple[int, Any]) -> None:
    with in_process(own_auth={"failure": failure}) as platform:
        platform.signed(REGISTER, REGISTRATION)
        event_id = start(platform)["authEventId"]
        platform.clock.ahead += timedelta(seconds=20)
        answer = process(platform, event_id)
        assert (answer.status_code, answer.json()) == expected
        assert platform.get("/trips")["inside"] == 0


def test_invalid_requests_are_refused(platform: InProcess) -> None:
    event_id = start(platform)["authEventId"]
    wrong_starts = ({"authTimeout": 0}, {"authTimeout": "20000"}, {"authTimeout": 300_001}, {"deviceId": "unknown"})
    wrong_results = (
        {"authEventId": "no-such-event"},
        {"authResult": "MAYBE"},
        {"personType": "ROBOT"},
        {"personId": None},
        {"timestamp": "yesterday"},
        {"deviceId": "unknown"},
    )
    answers = [platform.signed(START, {**STARTING, **changes}) for changes in wrong_starts]
    answers += [process(platform, event_id, **changes) for changes in wrong_results]
    assert [(answer.status_code, answer.json()) for answer in answers] == [INVALID] * len(answers)
    assert process(platform, event_id).json()["success"] is True


def test_rate_and_faults_apply() -> None:
    with in_process(own_auth={"rate_per_s": 0.01, "burst": 1, "retry_after_s": 3}) as platform:
        platform.signed(REGISTER, REGISTRATION)
        start(platform)
        answer = platform.signed(START, STARTING)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
        platform.post("/faults", {"name": "error_500_final", "where": {"operation": "Process Auth"}})
        assert process(platform, "any").status_code == 500


def test_locks_readers_and_results_survive_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "platform.sqlite3")
    with in_process(database_path=path) as platform:
        platform.signed(REGISTER, REGISTRATION)
        event_id = start(platform)["authEventId"]
    with in_process(database_path=path) as platform:
        assert start(platform)["authStarted"] is False
        answer = process(platform, event_id).json()
    with in_process(database_path=path) as platform:
        assert process(platform, event_id).json() == answer
        assert platform.get("/trips")["tripIds"] == [answer["shoppingTripId"]]
        platform.clock.ahead += timedelta(hours=2)
        start(platform)
        assert process(platform, event_id).status_code == 400


def test_calls_are_in_the_journal_and_need_a_signature(platform: InProcess) -> None:
    start(platform)
    (call,) = platform.get("/journal?kind=retailer_call&limit=1")
    assert (call["operation"], call["outcome"], call["storeId"]) == ("Start Auth", "accepted", STORE)
    assert platform.get("/journal?kind=own_authentication")[-1]["outcome"] == "started"
    assert platform.call("POST", START, STARTING).status_code == 403


def test_reader_has_one_lane(platform: InProcess) -> None:
    platform.put(f"/portal/stores/{STORE}", {"retailer": RETAILER, "gates": [GATE, "LANE-2"], "methods": ["card"]})
    try:
        assert platform.signed(REGISTER, {**REGISTRATION, "laneId": "LANE-2"}).status_code == 200
        assert start(platform)["authStarted"] is True
        assert platform.post(f"/gates/{GATE}/cards", {"instrument": "card-1"})["opens"] is True
        locked = platform.post("/gates/LANE-2/cards", {"instrument": "card-1"})
        assert locked["cause"] == "locked_by_own_reader"
    finally:
        platform.signed(REGISTER, REGISTRATION)


PROOFS = {
    "OA-X.1": (test_registration_needs_every_member_as_a_text, test_reader_has_one_lane),
    "OA-X.2": (test_started_authentication_locks_the_gate_until_its_time_out, test_accepted_person_enters_once),
    "OA-X.3": (test_started_authentication_locks_the_gate_until_its_time_out, test_accepted_person_enters_once),
    "OA-X.4": (test_accepted_person_enters_once,),
    "OA-X.5": (test_denied_person_stays_outside_and_the_gate_is_free,),
    "OA-X.6": (test_late_result_fails,),
    "OA-X.7": (test_invalid_requests_are_refused, test_registration_needs_every_member_as_a_text),
    "OA-X.8": (test_rate_and_faults_apply,),
}
"""The tests that prove each row."""


def test_register_names_the_proof_of_each_case() -> None:
    rows = [row for row in register().values() if row.id.startswith("OA-X.")]
    assert {row.api for row in rows} == {"Create Device Registration", "Start Auth", "Process Auth"}
    assert {row.id for row in rows if "our own tests prove it" in row.not_tested} == PROOFS.keys()
