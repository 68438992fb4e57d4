"""Faults: each does what its name says, is armed by API or by data, and applies as often as requested."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.clock import PlatformClock
from simulator.errors import BadCall
from simulator.faults import KINDS, Faults, Where, split_faults
from simulator.seed import Seed

STORE = "STORE-001"


def arm(platform: Any, name: str, **more: Any) -> dict[str, Any]:
    answer = platform.http.post("/faults", json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.fixture
def calm(steady: Any, connector: Any) -> Any:
    steady.set_up_store(connector)
    steady.http.delete("/faults")
    return steady


def delivered(platform: Any, *picks: str, state: str = "delivered") -> tuple[str, dict[str, Any]]:
    trip = platform.enter()
    for sku in picks:
        assert platform.http.post(f"/trips/{trip}/pick", json={"sku": sku}).status_code == 200
    platform.http.post(f"/trips/{trip}/leave")
    return trip, platform.delivery(trip, state)


def test_duplicate_follows_the_first_with_its_own_request_id(calm: Any, connector: Any) -> None:
    arm(calm, "duplicate", amount=2)
    calm.scan()
    bodies = connector.bodies("identity-keys")
    assert len(bodies) == len({body["requestId"] for body in bodies}) == 3
    assert len({body["authEvent"]["id"] for body in bodies}) == 1
    kinds = [entry.get("faults") for entry in calm.http.get("/journal", params={"limit": 4}).json()]
    assert kinds == [["duplicate"], ["duplicate"], ["duplicate"], None]


def test_concurrent_duplicates_arrive_at_once_and_a_pick_may_arm_them(calm: Any, connector: Any) -> None:
    connector.purchases = [(201, {"purchaseId": "p"}, {"delay_s": 0.1})]
    trip, result = delivered(calm, "SKU-1", "fault.concurrent_duplicates=4")
    carts = [body for body in connector.bodies("purchases") if body["idempotentShoppingTripId"] == trip]
    assert len(carts) == connector.most_at_once == 4
    assert [item["id"] for item in carts[0]["cartItems"]] == ["SKU-1"]
    assert len(result["attempts"]) == 1


def test_same_request_id_mimics_a_duplicate_as_the_mock_page_does(calm: Any, connector: Any) -> None:
    arm(calm, "same_request_id")
    calm.scan()
    first, second = connector.bodies("identity-keys")
    assert first == second


def test_drop_before_never_reaches_the_connector_and_the_cart_is_resent(calm: Any, connector: Any) -> None:
    _, result = delivered(calm, "fault.drop_before")
    assert [attempt["outcome"] for attempt in result["attempts"]] == ["no_connection", "delivered"]
    assert len(connector.bodies("purchases")) == 1


def test_drop_after_is_handled_and_the_cart_is_resent(calm: Any, connector: Any) -> None:
    trip, result = delivered(calm, "fault.drop_after")
    assert [attempt["outcome"] for attempt in result["attempts"]] == ["no_connection", "delivered"]
    carts = connector.bodies("purchases")
    assert [cart["idempotentShoppingTripId"] for cart in carts] == [trip, trip]
    assert len({cart["requestId"] for cart in carts}) == 2


@pytest.mark.parametrize("error", [400, 401, 429, 500, 503])
def test_error_answer_replaces_the_connectors_answer(calm: Any, connector: Any, error: int) -> None:
    calm.set_up_store(connector, storeDefault="open")
    arm(calm, "error_answer", amount=error)
    decision = calm.scan()
    assert (decision["opens"], decision["cause"]) == (error >= 500, str(error))
    (entry,) = calm.http.get("/journal", params={"kind": "exchange", "limit": 1}).json()
    assert entry["lost"]["status"] == 200


@pytest.mark.parametrize("amount", [200, 399, 600, 500.5])
def test_error_answer_with_another_amount_is_refused(calm: Any, amount: float) -> None:
    refused = calm.http.post("/faults", json={"name": "error_answer", "amount": amount})
    assert refused.status_code == 400
    assert "from 400 to 599" in refused.json()["errorMsg"]


def test_late_answer_within_the_limit_counts_and_later_times_out(calm: Any) -> None:
    arm(calm, "late_answer", amount=0.2)
    assert calm.scan()["cause"] == "200"
    arm(calm, "late_answer", amount=60)
    assert calm.scan()["cause"] == "timed_out"
    in_time, late = calm.http.get("/journal", params={"kind": "exchange", "limit": 2}).json()
    assert (late["failure"], late["lost"]["status"], in_time["failure"]) == ("timed_out", 200, None)
    assert in_time["elapsedMs"] >= 200


def test_fault_spares_a_number_of_exchanges(calm: Any, connector: Any) -> None:
    arm(calm, "drop_before", after=1, times=1, where={"operation": "Verify Identity Keys"})
    assert [calm.scan()["cause"] for _ in range(3)] == ["200", "no_connection", "200"]
    assert len(connector.bodies("identity-keys")) == 2


def test_journal_has_the_lost_answer(calm: Any, connector: Any) -> None:
    connector.purchases = [(201, {"purchaseId": "first"}), (201, {"purchaseId": "second"})]
    trip, _ = delivered(calm, "fault.drop_after")
    lost, taken = (
        entry for entry in calm.http.get("/journal", params={"trip": trip}).json() if entry["kind"] == "delivery"
    )
    assert (lost["response"], lost["lost"]["body"]) == (None, {"purchaseId": "first"})
    assert taken["response"]["body"] == {"purchaseId": "second"}
    assert "lost" not in taken


def test_hang_up_arrives_whole_and_waits_for_no_answer(calm: Any, connector: Any) -> None:
    trip, result = delivered(calm, "fault.hang_up")
    assert [attempt["outcome"] for attempt in result["attempts"]] == ["no_connection", "delivered"]
    assert [cart["idempotentShoppingTripId"] for cart in connector.bodies("purchases")] == [trip, trip]


def test_cut_connection_is_no_answer(calm: Any, connector: Any) -> None:
    arm(calm, "cut", where={"operation": "Verify Identity Keys"})
    assert calm.scan()["cause"] == "no_connection"
    assert connector.bodies("identity-keys") == []


def test_slow_body_takes_its_amount_of_time_and_arrives_whole(calm: Any, connector: Any) -> None:
    arm(calm, "slow_body", amount=0.3)
    decision = calm.scan()
    assert decision["opens"]
    assert 300 <= decision["elapsedMs"] < 900
    assert len(connector.bodies("identity-keys")) == 1


def test_unknown_attributes_are_at_every_depth(calm: Any, connector: Any) -> None:
    arm(calm, "unknown_attributes")
    calm.scan()
    (body,) = connector.bodies("identity-keys")
    assert "futureAttribute" in body
    assert "futureAttribute" in body["authEvent"]


def test_clock_skew_shifts_timestamps_and_signature(calm: Any, connector: Any) -> None:
    arm(calm, "clock_skew", amount=3600)
    calm.scan()
    _, headers, body = connector.seen[-1]
    ahead = timedelta(minutes=59)
    assert datetime.fromisoformat(body["authEvent"]["timestamp"]) > datetime.now(UTC) + ahead
    signed = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert signed > datetime.now(UTC) + ahead


def test_malformed_body_is_not_json(calm: Any, connector: Any) -> None:
    arm(calm, "malformed")
    assert calm.scan()["cause"] == "400"
    assert connector.seen[-1][2]["malformed"].endswith('"unfinished":')


def test_changed_cart_is_the_same_trip_with_another_cart(calm: Any, connector: Any) -> None:
    trip, _ = delivered(calm, "SKU-1", "SKU-2", "fault.changed_cart")
    first, second = connector.bodies("purchases")
    assert first["idempotentShoppingTripId"] == second["idempotentShoppingTripId"] == trip
    assert len(first["cartItems"]) == len(second["cartItems"]) + 1


def test_reordered_cart_is_overtaken_by_the_next(calm: Any, connector: Any) -> None:
    first = calm.enter()
    calm.http.post(f"/trips/{first}/pick", json={"sku": "fault.reorder"})
    calm.http.post(f"/trips/{first}/leave")
    second, _ = delivered(calm)
    calm.delivery(first)
    assert [cart["idempotentShoppingTripId"] for cart in connector.bodies("purchases")] == [second, first]


def test_scanned_text_may_arm_a_fault_that_the_connector_never_sees(calm: Any, connector: Any) -> None:
    decision = calm.scan("fault.duplicate fault.drop_before my key")
    assert decision["cause"] == "no_connection"
    calm.scan("fault.duplicate my key")
    keys = {body["identityKey"] for body in connector.bodies("identity-keys")}
    assert keys == {"bXkga2V5"}


def test_delay_and_old_attempt_follow_the_platforms_clock(connector: Any, start_real: Any) -> None:
    platform = start_real(clock_speed=1)
    platform.set_up_store(connector)
    trip, _ = delivered(platform, "fault.old_attempt=2")
    carts = connector.bodies("purchases")
    assert len(carts) == 1
    platform.http.put("/clock", json={"advanceS": 47 * 3600})
    assert len(connector.bodies("purchases")) == 1
    platform.http.put("/clock", json={"advanceS": 2 * 3600})
    platform.until(lambda: len(connector.bodies("purchases")) == 2)
    assert connector.bodies("purchases")[1] == carts[0]
    assert carts[0]["idempotentShoppingTripId"] == trip
    later = platform.enter()
    platform.http.post(f"/trips/{later}/pick", json={"sku": "fault.delay=500"})
    platform.http.post(f"/trips/{later}/leave")
    platform.http.put("/clock", json={"speed": 2000})
    platform.delivery(later)
    entries = platform.http.get("/journal", params={"trip": later}).json()
    left, came = (next(one["at"] for one in entries if one["kind"] == kind) for kind in ("exit", "delivery"))
    assert datetime.fromisoformat(came) - datetime.fromisoformat(left) >= timedelta(seconds=499)


def test_fault_is_armed_over_http_for_a_count_and_for_a_time_span(connector: Any, start_real: Any) -> None:
    platform = start_real(clock_start="2030-01-01T00:00:00Z", clock_speed=0)
    platform.set_up_store(connector)

    def causes(scans: int) -> list[str]:
        return [platform.scan()["cause"] for _ in range(scans)]

    arm(platform, "drop_before", times=2, where={"gate": "STORE-001-GATE-1"})
    assert causes(3) == ["no_connection", "no_connection", "200"]
    arm(platform, "drop_before", since="2030-01-01T01:00:00Z", until="2030-01-01T02:00:00Z")
    assert causes(1) == ["200"]
    platform.http.put("/clock", json={"advanceS": 3600})
    assert causes(3) == ["no_connection"] * 3
    platform.http.put("/clock", json={"advanceS": 3600})
    assert causes(1) == ["200"]


def test_fault_applies_by_count_rate_or_time_span() -> None:
    start = datetime(2026, 2, 7, tzinfo=UTC)
    clock = PlatformClock(start=start, speed=0)
    faults = Faults(clock, Seed(1))

    def struck(times: int = 1000) -> int:
        return sum(bool(faults.trigger("exchange", Where(store=STORE), number)) for number in range(times))

    faults.arm("duplicate")
    assert struck() == 1
    faults.arm("duplicate", times=3)
    assert struck() == 3
    faults.arm("duplicate", times=None, rate=0.1)
    assert 70 < struck() < 130
    faults.disarm()
    faults.arm("duplicate", times=None, since=start + timedelta(hours=1), until=start + timedelta(hours=2))
    assert struck() == 0
    clock.set(advance_s=3600)
    assert struck() == 1000
    clock.set(advance_s=3600)
    assert struck() == 0


def test_used_fault_says_when_and_where_it_applied() -> None:
    clock = PlatformClock(start=datetime(2026, 2, 7, tzinfo=UTC), speed=0)
    faults = Faults(clock, Seed(1))
    faults.arm("delay", times=2)
    for trip in ("trip-1", "trip-2"):
        assert faults.used() == []
        faults.trigger("exchange", Where(store=STORE, trip=trip), f"request-of-{trip}")
    (used,) = faults.used()
    assert (faults.to_json(), used["id"], used["struck"]) == ([], "fault-1", 2)
    assert (used["usedAt"], used["usedBy"]) == ("2026-02-07T00:00:00Z", "request-of-trip-2")
    assert used["usedOn"] == {"store": STORE, "trip": "trip-2"}
    for number in range(30):
        faults.arm("cut")
        faults.trigger("exchange", Where(store=STORE), number)
    assert [each["id"] for each in faults.used()] == [f"fault-{number}" for number in range(31, 11, -1)]


def test_each_amount_has_a_unit() -> None:
    assert [name for name, kind in KINDS.items() if (kind.amount is None) != (not kind.unit)] == []


def test_fault_applies_only_where_it_was_placed() -> None:
    faults = Faults(PlatformClock(), Seed(1))
    faults.arm("cut", where=Where(store=STORE, operation="Create Purchases"))
    assert not faults.trigger("exchange", Where(store="OTHER", operation="Create Purchases"))
    assert not faults.trigger("exchange", Where(store=STORE, operation="Verify Identity Keys"))
    assert not faults.trigger("catalog", Where(store=STORE, operation="Create Purchases"))
    assert faults.trigger("exchange", Where(store=STORE, operation="Create Purchases", gate="any"))


def test_unknown_fault_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadCall) as refused:
        Faults(PlatformClock(), Seed(1)).arm("gremlin")
    assert "duplicate" in refused.value.hint


def test_faults_are_split_only_off_the_beginning_of_a_text() -> None:
    assert split_faults("fault.delay=3 fault.cut rest of it") == ({"delay": 3.0, "cut": 0.0}, "rest of it")
    assert split_faults("fault.nothing") == ({}, "fault.nothing")
    assert split_faults("my fault.cut") == ({}, "my fault.cut")


def test_armed_faults_are_listed_and_disarmed(calm: Any) -> None:
    kinds = {kind["name"] for kind in calm.http.get("/faults/kinds").json()}
    assert kinds == set(KINDS)
    one = arm(calm, "delay", where={"store": "NOWHERE"}, times=2)
    assert calm.http.get("/faults").json() == [one]
    assert calm.http.delete(f"/faults/{one['id']}").json() == []
    assert calm.http.post("/faults", json={"name": "delay", "where": {"planet": "x"}}).status_code == 400


def test_picked_fault_is_armed_for_a_current_trips_cart_only(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    trip = steady.enter()
    assert steady.http.post(f"/trips/{trip}/pick", json={"sku": "fault.throttle"}).status_code == 400
    steady.http.post(f"/trips/{trip}/leave")
    assert steady.http.post(f"/trips/{trip}/pick", json={"sku": "fault.drop_before"}).status_code == 409
    assert steady.http.post("/trips/nobody's/pick", json={"sku": "fault.drop_before"}).status_code == 404
    assert steady.http.get("/faults").json() == []
    steady.delivery(trip)
