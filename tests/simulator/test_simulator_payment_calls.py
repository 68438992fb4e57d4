"""The payment calls: what a repeated, late, wrong or excessive call does to a charge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jwo_contract.messages import message
from simulator.event_families import event_of
from tests.simulator.in_process import ACCOUNT, STORE, InProcess, in_process
from tests.simulator.payment_messages import BAD, BODIES, DATA, PATHS, VALID


@pytest.fixture(scope="module")
def platform() -> Iterator[InProcess]:
    with in_process(payment={"burst": 100_000}) as running:
        yield running


def body(trip: str, amount: float, code: str = "USD", **more: Any) -> dict[str, Any]:
    return {"storeId": STORE, "shoppingTripId": trip, "amount": {"amount": amount, "code": code}, **more}


def adjust(platform: InProcess, trip: str, amount: float) -> str:
    return str(platform.signed("/v1/adjust/charge", body(trip, amount)).json()["status"])


def capture(platform: InProcess, trip: str, amount: float, code: str = "USD") -> int:
    return platform.signed("/v1/capture/charge", body(trip, amount, code)).status_code


def cancel(platform: InProcess, trip: str) -> int:
    return platform.signed("/v1/cancel/charge", {"storeId": STORE, "shoppingTripId": trip}).status_code


def refund(platform: InProcess, trip: str, amount: float, number: int = 1, reason: str = "OTHER") -> int:
    request_id = f"3b241101-e2bb-4255-8caf-{number:012}"
    more = {"refundRequestId": request_id, "refundReasonCode": reason}
    return platform.signed("/v1/refund", body(trip, amount, **more)).status_code


def effects(platform: InProcess, trip: str) -> list[tuple[str, str]]:
    return [(entry["operation"], entry["effect"]) for entry in platform.charges(trip)]


def test_charge_is_adjusted_captured_and_refunded_exactly(platform: InProcess) -> None:
    trip = platform.enter()
    assert adjust(platform, trip, 19.99) == "APPROVED"
    assert capture(platform, trip, 19.99) == 200
    assert [refund(platform, trip, amount, number) for number, amount in enumerate((0.1, 0.2, 19.69))] == [200] * 3
    assert refund(platform, trip, 0.01, 9) == 400
    assert [entry["amount"]["amount"] for entry in platform.charges(trip)] == ["19.99", "19.99", "0.1", "0.2", "19.69"]


def test_repeated_calls_have_no_further_effect(platform: InProcess) -> None:
    trip = platform.enter()
    assert [adjust(platform, trip, 8) for _ in range(2)] == ["APPROVED"] * 2
    assert [capture(platform, trip, 8) for _ in range(2)] == [200] * 2
    assert [refund(platform, trip, 3, 20) for _ in range(2)] == [200] * 2
    calls = ("Adjust Charge", "Capture Charge", "Refund Charge")
    assert effects(platform, trip) == [(name, effect) for name in calls for effect in ("changed", "repeated")]


def test_repeated_call_with_another_content_is_refused(platform: InProcess) -> None:
    trip, other = platform.enter(), platform.enter()
    assert [capture(platform, one, 8) for one in (trip, trip, other)] == [200] * 3
    assert capture(platform, trip, 9) == 400
    assert refund(platform, trip, 3, 30) == 200
    assert [refund(platform, trip, 4, 30), refund(platform, trip, 3, 30, "EXPIRED_ITEM")] == [400, 400]
    assert refund(platform, other, 3, 30) == 400


def test_first_content_wins_on_request() -> None:
    with in_process(payment={"changed_repeat": "first_wins"}) as platform:
        trip = platform.enter()
        assert [capture(platform, trip, 8), capture(platform, trip, 9)] == [200, 200]
        assert platform.get(f"/trips/{trip}/charge")["captured"] == {"amount": "8", "code": "USD"}


def test_capture_is_limited_by_the_authorised_amount(platform: InProcess) -> None:
    trip = platform.enter()
    assert [capture(platform, trip, 50.01), capture(platform, trip, 50, "EUR")] == [400, 400]
    assert adjust(platform, trip, 50.01) == "APPROVED"
    assert capture(platform, trip, 50.01) == 200


def test_capture_above_the_authorised_amount_is_accepted_on_request() -> None:
    with in_process(payment={"capture_above_authorized": True}) as platform:
        assert capture(platform, platform.enter(), 50.01) == 200


def test_cancelled_charge_takes_no_money(platform: InProcess) -> None:
    trip = platform.enter()
    assert [cancel(platform, trip), cancel(platform, trip)] == [200, 200]
    assert capture(platform, trip, 8) == 400
    assert platform.signed("/v1/adjust/charge", body(trip, 8)).status_code == 400
    paid = platform.enter()
    assert [capture(platform, paid, 8), cancel(platform, paid)] == [200, 400]


def test_declined_adjustment_leaves_the_pre_authorisation(platform: InProcess) -> None:
    trip = platform.enter()
    platform.post("/faults", {"name": "charge_declined", "where": {"trip": trip}})
    assert [adjust(platform, trip, 60), adjust(platform, trip, 60)] == ["DECLINED"] * 2
    assert [capture(platform, trip, 60), capture(platform, trip, 50)] == [400, 200]


def test_pending_adjustment_settles_by_the_platforms_clock(platform: InProcess) -> None:
    trip = platform.enter()
    platform.post("/faults", {"name": "charge_pending", "amount": 30, "where": {"account": ACCOUNT, "trip": trip}})
    assert [adjust(platform, trip, 60), adjust(platform, trip, 60)] == ["PENDING"] * 2
    assert capture(platform, trip, 60) == 400
    platform.clock.ahead += timedelta(seconds=31)
    assert adjust(platform, trip, 60) == "APPROVED"
    assert capture(platform, trip, 60) == 200


@pytest.mark.parametrize(("share", "status"), [("decline_rate", "DECLINED"), ("pending_rate", "PENDING")])
def test_share_of_adjustments_is_declined_or_pending(share: str, status: str) -> None:
    with in_process(payment={share: 1, "pending_s": 5}) as platform:
        trip = platform.enter()
        assert adjust(platform, trip, 60) == status
        platform.clock.ahead += timedelta(seconds=6)
        assert adjust(platform, trip, 60) == ("APPROVED" if status == "PENDING" else status)


@pytest.mark.parametrize("days", [7, 30])
def test_refund_window_is_a_switch(days: int) -> None:
    with in_process(payment={"refund_window_days": days}) as platform:
        trip = platform.enter()
        assert refund(platform, trip, 1) == 400
        capture(platform, trip, 8)
        platform.clock.ahead += timedelta(days=days, seconds=-5)
        assert refund(platform, trip, 1) == 200
        platform.clock.ahead += timedelta(seconds=10)
        assert [refund(platform, trip, 1, 2), refund(platform, trip, 1)] == [400, 200]


def test_answer_to_a_refund_is_a_switch() -> None:
    settings = {"refund_answer": "reconciliation_id", "empty_answer": "empty_object"}
    with in_process(payment=settings) as platform:
        answers = [platform.signed("/v1/refund", BODIES["REF"]).json() for _ in range(2)]
        assert answers[0] == answers[1]
        assert set(answers[0]) == {"reconciliationId"}
        assert platform.signed("/v1/cancel/charge", VALID).json() == {}


def test_sample_ids_mean_nothing_when_switched_off() -> None:
    with in_process(payment={"magic_ids": False}) as platform:
        answers = [
            platform.signed("/v1/cancel/charge", {**VALID, "storeId": store}) for store in (STORE, "VALID_STORE_ID")
        ]
        assert [answer.json()["errorMsg"] for answer in answers] == ["UnknownShoppingTrip", "BadRequestException"]


def test_transactional_data_belong_to_the_trip(platform: InProcess) -> None:
    trips = [platform.enter() for _ in range(2)]
    asked = [{"storeId": STORE, "shoppingTripId": trip} for trip in (*trips, trips[0])]
    answers = [platform.signed(DATA, one).json() for one in (*asked, VALID)]
    assert answers[0] == answers[2] != answers[1]
    schema = message("get_transactional_data.response")
    assert [schema.violations(answer) for answer in answers] == [[]] * 4
    assert len(answers[3]["tail"]) == 4
    assert (
        platform.signed(DATA, {**VALID, "shoppingTripId": "no-such-trip"}).json()["errorMsg"] == "UnknownShoppingTrip"
    )
    assert platform.signed(DATA, {"storeId": STORE}).status_code == 400


def test_journal_says_what_was_wrong_with_a_refused_call(platform: InProcess) -> None:
    platform.signed("/v1/capture/charge", body("no-such-trip", -1))
    entry = platform.get("/journal?kind=retailer_call&limit=1")[-1]
    assert (entry["outcome"], entry["operation"]) == ("call_refused", "Capture Charge")
    assert "amount.amount" in entry["reason"]


def test_trip_of_another_retailers_store_is_refused(platform: InProcess) -> None:
    platform.put("/portal/stores/OTHER", {"retailer": "other", "gates": ["OTHER-GATE"], "methods": ["card"]})
    answer = platform.signed("/v1/cancel/charge", {"storeId": "OTHER", "shoppingTripId": platform.enter()})
    assert answer.json() == {"errorMsg": "BadRequestException"}


def test_calls_of_an_account_have_a_rate_of_their_own() -> None:
    with in_process(payment={"rate_per_s": 0.01, "burst": 2, "retry_after_s": 300}) as platform:
        answers = [platform.signed("/v1/cancel/charge", VALID) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].headers["Retry-After"] == "300"
        assert platform.signed("/v1/adjust/charge", BODIES["ADJ"]).status_code == 200


def test_charges_survive_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "platform.sqlite3")
    with in_process(database_path=path) as platform:
        trip = platform.enter()
        adjust(platform, trip, 60)
        capture(platform, trip, 60)
        refund(platform, trip, 1.1)
        before = platform.get(f"/trips/{trip}/charge")
    with in_process(database_path=path) as platform:
        assert platform.get(f"/trips/{trip}/charge") == before
        assert [capture(platform, trip, 60), capture(platform, trip, 61)] == [200, 400]
        assert [refund(platform, trip, 1.1), refund(platform, trip, 58.91, 2)] == [200, 400]


def test_charge_of_a_forgotten_trip_can_be_refunded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.trips._FORGET_EVERY_S", 0.01)
    with in_process(ended_trips=1) as platform:
        trips = [platform.enter() for _ in range(3)]
        assert capture(platform, trips[0], 8) == 200
        for trip in trips:
            platform.post(f"/trips/{trip}/leave")
        for _ in range(200):
            if platform.call("GET", f"/trips/{trips[1]}", b"").status_code == 404:
                break
            platform.wait(0.01)
        assert refund(platform, trips[0], 8) == 200
        assert capture(platform, trips[1], 8) == 400


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b"null", b'{"a":' * 200 + b"1" + b"}" * 200, b"\xff\xfe", b'{"amount": NaN}'],
)
def test_body_that_is_no_message_is_refused(platform: InProcess, content: bytes) -> None:
    answers = [platform.signed(path, content) for _, path in PATHS.values()]
    assert [(answer.status_code, answer.json()) for answer in answers] == [BAD] * len(PATHS)


@pytest.mark.parametrize("number", ["1E-999999999", "0E-999999999", "1e-99999999999999999999", "1e308", "1e15"])
def test_amount_of_an_extreme_size_is_refused(platform: InProcess, number: str) -> None:
    text = (
        b'{"storeId":"VALID_STORE_ID","shoppingTripId":"valid-shopping-trip-uuid","amount":{"amount":%s,"code":"USD"}}'
    )
    answers = [platform.signed(PATHS[call][1], text % number.encode()) for call in ("ADJ", "CAP")]
    assert [(answer.status_code, answer.json()) for answer in answers] == [BAD, BAD]


def test_unsigned_call_is_refused(platform: InProcess) -> None:
    assert platform.call("POST", "/v1/capture/charge", BODIES["CAP"]).status_code == 403


def test_events_name_what_happened_to_the_money(platform: InProcess) -> None:
    trip, declined = platform.enter(), platform.enter()
    platform.post("/faults", {"name": "charge_declined", "where": {"trip": declined}})
    adjust(platform, declined, 60)
    cancel(platform, declined)
    capture(platform, trip, 8)
    capture(platform, trip, 8)
    refund(platform, trip, 1.5, 70)
    events = [event_of(entry) for one in (declined, trip) for entry in platform.charges(one)]
    assert [event and (event[0], event[1]["event"]) for event in events] == [
        ("Payment", "CHARGE_DECLINED"),
        ("Payment", "CHARGE_CANCELLED"),
        ("Payment", "CHARGE_CAPTURED"),
        None,
        ("Payment", "CHARGE_REFUNDED"),
    ]
    assert events[4] is not None
    assert events[4][1]["amount"] == {"amount": "1.5", "code": "USD"}
