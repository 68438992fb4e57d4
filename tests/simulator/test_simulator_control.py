"""The control API: journal search, exports, sending again; clock; OpenAPI; connector configurations; event feed."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import ValidationError

from simulator.clock import PlatformClock
from simulator.errors import BadCall
from simulator.settings import PlatformSettings

STORE, GATE = "STORE-001", "STORE-001-GATE-1"


def test_journal_is_searched_by_trip_gate_and_request(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    first, second = steady.enter(), steady.enter()
    request_id = connector.bodies("identity-keys")[0]["requestId"]
    (found,) = steady.http.get("/journal", params={"requestId": request_id}).json()
    assert (found["tripId"], found["gate"], found["requestId"]) == (first, GATE, request_id)
    assert {entry["tripId"] for entry in steady.http.get("/journal", params={"trip": second}).json()} == {second}
    assert steady.http.get("/journal", params={"gate": "elsewhere"}).json() == []


def test_export_as_ndjson_can_omit_measured_values(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    trip = steady.enter()
    whole = steady.http.get("/journal.ndjson", params={"trip": trip})
    bare = steady.http.get("/journal.ndjson", params={"trip": trip, "measured": False})
    assert [orjson.loads(line)["kind"] for line in whole.content.splitlines()] == ["exchange", "gate_decision"]
    assert b"elapsedMs" in whole.content
    assert b"elapsedMs" not in bare.content
    assert whole.headers["content-type"].startswith("application/x-ndjson")


def test_export_as_curl_lines_runs_in_a_shell_and_is_redacted(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector, mode={"auth": "headers", "headers": {"x-api-key": "hush"}})
    trip = steady.enter()
    steady.http.post(f"/trips/{trip}/pick", json={"sku": "it's a SKU"})
    steady.http.post(f"/trips/{trip}/leave")
    steady.delivery(trip)
    lines = steady.http.get("/journal.sh", params={"trip": trip}).text.splitlines()
    assert len(lines) == 2
    assert "hush" not in "".join(lines)
    before = len(connector.bodies("purchases"))
    line = lines[1].replace("curl", "curl --noproxy '*'", 1)
    subprocess.run(["/bin/bash", "-c", line], check=True, capture_output=True)
    again = connector.bodies("purchases")
    assert len(again) == before + 1
    assert again[-1] == again[0]
    assert again[0]["cartItems"][0]["id"] == "it's a SKU"


def test_exchange_is_sent_again_unchanged_or_edited(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    trip = steady.enter()
    entry = steady.http.get("/journal", params={"trip": trip}).json()[0]
    same = steady.http.post(f"/journal/{entry['seq']}/resend").json()
    first, second = connector.bodies("identity-keys")
    assert first == second
    assert (same["kind"], same["resent"], same["response"]["status"]) == ("resent", entry["seq"], 200)
    steady.http.post(f"/journal/{entry['seq']}/resend", json={"members": {"storeId": "OTHER"}})
    assert connector.bodies("identity-keys")[2] == {**first, "storeId": "OTHER"}
    assert "authorization" in connector.seen[2][1]
    steady.http.post(f"/journal/{entry['seq']}/resend", json={"body": {"all": "new"}})
    assert connector.bodies("identity-keys")[3] == {"all": "new"}
    assert first["identityKey"] not in steady.http.get("/journal").text
    assert steady.http.post("/journal/999999/resend").status_code == 404


def test_resent_exchange_has_the_headers_of_its_own_connector_only(steady: Any, connector: Any) -> None:
    keyed = {"auth": "headers", "headers": {"x-api-key": "of this one"}}
    steady.set_up_store(connector, mode=keyed)
    entry = steady.http.get("/journal", params={"trip": steady.enter()}).json()[0]
    steady.set_up_store(connector.url.removesuffix(connector.url[-1]), mode=keyed)
    steady.http.post(f"/journal/{entry['seq']}/resend")
    steady.set_up_store(connector, mode=keyed)
    steady.http.post(f"/journal/{entry['seq']}/resend")
    first, elsewhere, again = (headers for _, headers, _ in connector.seen)
    assert (first["x-api-key"], again["x-api-key"]) == ("of this one", "of this one")
    assert "x-api-key" not in elsewhere


def test_malformed_exchange_is_sent_again_unchanged_but_not_edited(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    steady.http.post("/faults", json={"name": "malformed"})
    steady.scan()
    entry = steady.http.get("/journal", params={"gate": GATE}).json()[-2]
    path = f"/journal/{entry['seq']}/resend"
    assert steady.http.post(path).json()["response"]["status"] == 400
    sent, again = (body["malformed"] for _, _, body in connector.seen)
    assert sent == again
    refused = steady.http.post(path, json={"members": {"storeId": "S"}})
    assert refused.status_code == 400
    assert "give a whole body" in refused.json()["errorMsg"]
    assert steady.http.post(path, json={"body": {"storeId": "S"}}).json()["request"]["body"] == {"storeId": "S"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/faults", {"name": "delay", "since": "0001-01-01T00:00:00+14:00"}),
        ("POST", "/faults", {"name": "delay", "until": "9999-12-31T23:59:59-14:00"}),
        ("POST", "/faults", {"name": "delay", "since": "2030-01-01T00:00:00Z", "until": "2020-01-01T00:00:00Z"}),
        ("POST", "/faults", {"name": "delay", "where": {"operation": "Create Purchase"}}),
        ("POST", "/faults", {"name": "delay", "where": {"account": "123456789012"}}),
        ("POST", "/faults", {"name": "throttle", "where": {"store": "STORE-001"}}),
        ("GET", f"/deliveries?limit={10**23}", None),
        ("GET", "/deliveries?state=lost", None),
        ("GET", "/trips?limit=-1", None),
        ("PUT", "/portal/stores/S-9", {"retailer": "r", "gates": [""]}),
        ("PUT", "/portal/stores/S-9", {"retailer": "r", "connector": {"url": "http://h", "headers": {"a b": "c"}}}),
        ("PUT", "/portal/stores/S-9", {"retailer": "r", "connector": {"url": "http://h", "headers": {"a": "b\r\nc"}}}),
    ],
    ids=[
        "early",
        "late",
        "backwards",
        "no operation",
        "exchange",
        "catalog",
        "huge",
        "state",
        "below zero",
        "gate",
        "header's name",
        "header's value",
    ],
)
def test_impossible_request_is_refused_and_changes_nothing(steady: Any, method: str, path: str, body: Any) -> None:
    answer = steady.http.request(method, path, json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errorMsg"]
    assert steady.http.get("/faults").json() == []
    assert steady.http.get("/portal/stores/S-9").status_code == 404


def test_unknown_address_is_answered_in_the_format_of_other_errors(steady: Any) -> None:
    nowhere, wrong = steady.http.get("/nowhere"), steady.http.delete("/clock")
    assert (nowhere.status_code, wrong.status_code) == (404, 405)
    assert "/openapi.json" in nowhere.json()["errorMsg"]
    assert "GET" in wrong.headers["allow"]


def test_gates_and_items_with_a_slash_in_their_names_are_found(steady: Any, connector: Any) -> None:
    setup = {"retailer": "slashes", "gates": ["north/1"], "connector": {"url": connector.url}}
    assert steady.http.put("/portal/stores/S%2F1", json=setup).json()["storeId"] == "S/1"
    assert steady.http.post("/gates/north%2F1/scans", json={"text": "valid"}).json()["opens"]
    assert steady.http.get("/gates/north%2F1").json()["light"] == "green"
    assert steady.http.get("/stores/S%2F1/catalog").json()["items"] == 0
    assert "a/b in S/1" in steady.http.get("/stores/S%2F1/catalog/a%2Fb").json()["errorMsg"]


def test_all_routes_are_in_a_valid_openapi_document(steady: Any) -> None:
    document = steady.http.get("/openapi.json").json()
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    calls = [(path, call) for path, calls in document["paths"].items() for call in calls.values()]
    assert len(calls) > 50
    assert [path for path, call in calls if not call.get("summary") or not call.get("tags")] == []
    wanted = {"/gates/{gate}/cards", "/faults", "/clock", "/journal/{seq}/resend", "/v1/catalog/archive"}
    assert wanted <= document["paths"].keys()
    scan = document["paths"]["/gates/{gate}/scans"]["post"]["requestBody"]["content"]
    assert scan.keys() == {"image/png", "image/jpeg", "image/gif", "application/json"}


def test_clock_runs_at_any_speed_stops_and_never_runs_backwards() -> None:
    real, start = [100.0], datetime(2026, 2, 7, tzinfo=UTC)
    clock = PlatformClock(start=start, speed=60, real=lambda: real[0])
    real[0] += 2
    assert clock.now() == start + timedelta(minutes=2)
    clock.set(speed=0)
    real[0] += 1000
    assert clock.now() == start + timedelta(minutes=2)
    clock.set(advance_s=30, speed=1)
    real[0] += 1
    assert clock.now() == start + timedelta(minutes=2, seconds=31)
    with pytest.raises(BadCall):
        clock.set(advance_s=-1)


def test_platforms_clock_is_shown_and_changed_and_deliveries_follow(start_real: Any, connector: Any) -> None:
    platform = start_real(clock_start="2030-01-01T00:00:00Z", clock_speed=0, delivery={"backoff_first_s": 600})
    platform.set_up_store(connector)
    connector.purchases = [(500, {}), (201, {"purchaseId": "p"})]
    assert platform.http.get("/clock").json() == {"now": "2030-01-01T00:00:00Z", "speed": 0.0, "seed": None}
    trip = platform.enter()
    assert connector.bodies("identity-keys")[0]["authEvent"]["timestamp"] == "2030-01-01T00:00:00Z"
    platform.http.post(f"/trips/{trip}/leave")
    platform.delivery(trip, "pending")
    platform.http.put("/clock", json={"advanceS": 601})
    assert len(platform.delivery(trip)["attempts"]) == 2
    assert platform.http.put("/clock", json={"advanceS": -1}).status_code == 400


def test_speed_of_the_clock_is_changed_over_http(start_real: Any) -> None:
    platform = start_real(clock_start="2030-01-01T00:00:00Z", clock_speed=0)
    assert platform.http.put("/clock", json={"speed": 100_000}).json()["speed"] == 100_000
    platform.until(lambda: platform.http.get("/clock").json()["now"] > "2030-01-01T01")
    stopped = platform.http.put("/clock", json={"speed": 0, "advanceS": 86_400}).json()
    assert stopped["now"] > "2030-01-02T01"
    assert platform.http.get("/clock").json() == stopped
    for wrong in ({"speed": -1}, {"speed": "quick"}, {"now": "2031-01-01T00:00:00Z"}):
        assert platform.http.put("/clock", json=wrong).status_code == 400
    assert platform.http.get("/clock").json() == stopped


def test_same_seed_gives_the_same_ids_on_a_stopped_clock(start_real: Any, connector: Any) -> None:
    def journal() -> bytes:
        platform = start_real(clock_start="2030-01-01T00:00:00Z", clock_speed=0, seed=5)
        platform.set_up_store(connector)
        trip = platform.enter()
        platform.http.post(f"/trips/{trip}/leave")
        platform.delivery(trip)
        return bytes(platform.http.get("/journal.ndjson", params={"measured": False}).content)

    assert journal() == journal()


def test_connector_test_calls_the_saved_endpoint_and_not_the_forms(steady: Any, connector: Any) -> None:
    setup = {"retailer": "corner-retail", "methods": ["app", "card"], "strategy": "retailer_managed"}
    steady.http.put("/portal/stores/STORE-005", json=setup)
    path = "/portal/stores/STORE-005/connectors"

    def standings() -> dict[str, str]:
        result = steady.http.get("/portal/stores/STORE-005").json()
        kinds = {kind: one["status"] for kind, one in result["connectorConfigurations"].items()}
        return {**kinds, "all": result["configuration"]}

    assert standings() == {
        "identity": "Incomplete",
        "loyalty": "Not Required",
        "ordering": "Incomplete",
        "fraud_and_abuse": "Incomplete",
        "all": "Incomplete",
    }
    form = {"endpoint": connector.url, "region": "eu-west-1"}
    for kind in ("identity", "ordering", "fraud_and_abuse"):
        assert steady.http.post(f"{path}/{kind}/connectivity-test").status_code == 400
        assert steady.http.put(f"{path}/{kind}", json=form).status_code == 200
    assert standings() == {
        "identity": "Complete",
        "loyalty": "Not Required",
        "ordering": "Complete",
        "fraud_and_abuse": "Complete",
        "all": "Complete",
    }
    connector.authorizations = [(200, {"shopperAuthorized": True})]
    for kind in ("identity", "ordering", "fraud_and_abuse"):
        draft = {"endpoint": "http://127.0.0.1:1", "region": "x"}
        result = steady.http.post(f"{path}/{kind}/connectivity-test", json=draft).json()
        assert (result["passed"], result["testedEndpoint"]) == (True, connector.url), kind
    assert "/eu-west-1/execute-api/" in connector.seen[-1][1]["authorization"]
    connector.purchases = [(500, {})]
    assert not steady.http.post(f"{path}/ordering/connectivity-test").json()["passed"]


def test_store_with_amazon_charge_calculation_needs_no_ordering_connector(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector, chargeCalculation="amazon")
    result = steady.http.get(f"/portal/stores/{STORE}").json()["connectorConfigurations"]
    assert result["ordering"]["status"] == "Not Required"
    trip = steady.enter()
    assert steady.http.post(f"/trips/{trip}/leave").json()["cartIsSent"] is False


def test_event_feed_has_shoppers_orders_and_payments(onboarded: Any, connector: Any, make_queue: Any) -> None:
    feed = make_queue()
    path = "/portal/merchants/corner-retail/event-feed"
    assert onboarded.http.get(path).status_code == 404
    assert onboarded.http.put(path, json={"queueArn": feed.arn}).status_code == 200
    trip = onboarded.enter()
    onboarded.http.post(f"/trips/{trip}/leave")
    onboarded.delivery(trip)
    owed, paid = {"amount": 9.99, "code": "USD"}, {"amount": 4.0, "code": "USD"}
    status = {"storeId": STORE, "shoppingTripId": trip, "totalAmount": owed, "settledAmount": paid}
    answer = onboarded.signed("/v1/feedback/payment-status", {**status, "paymentStatusTime": 1700000000})
    assert answer.json() == {"status": "Accepted"}
    connector.identity = [(401, {})]
    onboarded.scan()
    got: list[Any] = []
    onboarded.until(lambda: got.extend(feed.receive()) or len(got) >= 5)
    result = [(event["detail-type"], event["detail"]["event"]) for event in got]
    assert sorted(result) == [
        ("Ordering", "ORDER_DELIVERED"),
        ("Payment", "PAYMENT_REPORTED"),
        ("Shopper", "SHOPPER_ENTERED"),
        ("Shopper", "SHOPPER_LEFT"),
        ("Shopper", "SHOPPER_REFUSED"),
    ]
    assert len({event["id"] for event in got}) == 5
    order = next(event["detail"] for event in got if event["detail-type"] == "Ordering")
    assert (order["shoppingTripId"], order["purchaseId"]) == (trip, "purchase-1")


def test_debt_keeps_a_card_out_until_it_is_settled(onboarded: Any, connector: Any) -> None:
    onboarded.set_up_store(connector, methods=["card"])
    onboarded.http.put("/risk/card-1", json={"risks": []})
    tap = {"instrument": "card-1"}
    trip = onboarded.http.post(f"/gates/{GATE}/cards", json=tap).json()["shoppingTripId"]

    def report(settled: float, **more: Any) -> Any:
        owed, paid = {"amount": 10.0, "code": "USD"}, {"amount": settled, "code": "USD"}
        status = {"storeId": STORE, "shoppingTripId": trip, "totalAmount": owed, "settledAmount": paid}
        return onboarded.signed("/v1/feedback/payment-status", {**status, "paymentStatusTime": 1.0, **more})

    assert report(3.0).json() == {"status": "Accepted"}
    assert onboarded.http.post(f"/gates/{GATE}/cards", json=tap).json()["cause"] == "risk:BadDebt"
    assert report(10.0).json() == {"status": "Accepted"}
    assert onboarded.http.post(f"/gates/{GATE}/cards", json=tap).json()["opens"]
    assert report(11.0).json() == {"status": "Rejected"}
    assert report(1.0, shoppingTripId="unknown").json() == {"errorMsg": "UnknownShoppingTrip"}
    assert report(1.0, storeId="").json() == {"errorMsg": "BadRequestException"}
    endless = b'{"storeId":"STORE-001","shoppingTripId":"%b","paymentStatusTime":1e999,' % trip.encode()
    amounts = b'"totalAmount":{"amount":1,"code":"USD"},"settledAmount":{"amount":1,"code":"USD"}}'
    assert onboarded.signed("/v1/feedback/payment-status", endless + amounts).status_code == 400
    assert onboarded.http.post("/v1/feedback/payment-status", json={}).status_code == 403


@pytest.mark.parametrize("year", ["0001", "1969", "9999"])
def test_clock_near_the_end_of_the_calendar_is_refused(year: str) -> None:
    with pytest.raises(ValidationError, match="use a year from 1970 to 9000"):
        PlatformSettings(base_url="http://127.0.0.1:9", stores_alone=True, clock_start=f"{year}-06-01T00:00:00Z")
