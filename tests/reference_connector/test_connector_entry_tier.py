"""Shopper Authorization, Resolve Scan, Get Scan Details."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

from jwo_contract.messages import document, message
from reference_connector.retailer import CardShopper
from tests.reference_connector.conftest import both_databases

AUTHORIZE, RESOLVE, DETAILS = "/v1/fraudandabuse/shopperauthorization", "/v1/identity/scan", "/v1/identity/scan/details"


def a_tap(who: str = "payment-instrument-001", **interaction: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"storeId": "STORE-001", "shopperIdentity": {"id": who}}
    return body | ({"shopperInteraction": interaction} if interaction else {})


def a_scanned(text: str | None = "loyalty-card-001", **members: Any) -> dict[str, Any]:
    event: dict[str, Any] = {"id": "11111111-2222-3333-4444-555555555555", "channel": "OPTICAL"}
    if text is not None:
        event["value"] = base64.b64encode(text.encode()).decode()
    body = {"requestId": "f324d09a-f605-4d58-b307-a34e6b47e7af", "storeId": "STORE-001", "scanEvent": event | members}
    return orjson.loads(orjson.dumps(body))  # type: ignore[no-any-return] # of the shape just built


def ask(direct: Any, path: str, body: Any, name: str) -> Any:
    answer = direct.http.post(path, content=orjson.dumps(body))
    assert answer.status_code == 200, answer.text
    assert message(f"{name}.response").violations(answer.json()) == []
    return answer.json()


def authorize(direct: Any, body: Any) -> Any:
    return ask(direct, AUTHORIZE, body, "shopper_authorization")


@pytest.mark.parametrize(
    ("who", "answer"),
    [
        ("payment-instrument-001", {"shopperAuthorized": True}),
        ("a newcomer", {"shopperAuthorized": True}),
        ("payment-instrument-fraud", {"shopperAuthorized": False, "shopperRisks": ["CustomerFraud"]}),
        ("payment-instrument-debt", {"shopperAuthorized": False, "shopperRisks": ["BadDebt"]}),
        ("payment-instrument-invalid", {"shopperAuthorized": False, "shopperRisks": ["InvalidCard"]}),
        ("payment-instrument-expired", {"shopperAuthorized": False, "shopperRisks": ["InvalidCard"]}),
        (
            "payment-instrument-small",
            {
                "shopperAuthorized": True,
                "authorizationConditions": [{"type": "ADJUST", "amount": {"value": 25.0, "currencyCode": "USD"}}],
            },
        ),
    ],
)
def test_the_retailers_record_decides(direct: Any, who: str, answer: dict[str, Any]) -> None:
    assert authorize(direct, a_tap(who)) == answer


@pytest.mark.parametrize(
    ("who", "advised", "allowed"),
    [
        ("payment-instrument-001", False, False),
        ("payment-instrument-always", False, True),
        ("payment-instrument-never", True, False),
        ("payment-instrument-debt", True, False),
        ("a newcomer", False, False),
    ],
)
def test_the_retailers_record_overrides_the_recommendation(
    direct: Any,
    who: str,
    advised: bool,  # noqa: FBT001 - a value of the message
    allowed: bool,  # noqa: FBT001 - as above
) -> None:
    advice = {"shopperAuthorized": advised, "shopperRisks": ["InvalidCard"]}
    assert authorize(direct, a_tap(who, recommendation=advice))["shopperAuthorized"] is allowed


def test_a_recommended_adjustment_is_passed_on(direct: Any) -> None:
    conditions = [{"type": "ADJUST", "amount": {"value": 10, "currencyCode": "USD"}}]
    advice = {"shopperAuthorized": True, "authorizationConditions": conditions}
    assert authorize(direct, a_tap(recommendation=advice))["authorizationConditions"] == conditions


@pytest.mark.parametrize(
    "body",
    [{}, {"storeId": "STORE-001"}, a_tap() | {"storeId": "NO-SUCH-STORE"}, a_tap() | {"shopperIdentity": {}}, []],
)
def test_a_broken_authorization_request_is_400(direct: Any, body: Any) -> None:
    assert direct.http.post(AUTHORIZE, content=orjson.dumps(body)).status_code == 400


def test_published_example_and_unknown_values_of_open_lists_are_accepted(direct: Any) -> None:
    example = document("shopper_authorization.request")["examples"][0]
    example["shopperInteraction"]["gateAuthenticationEvent"] |= {"type": "PALM", "interactionType": "WAVE"}
    example["shopperInteraction"]["recommendation"]["shopperRisks"] = ["SomethingNew"]
    assert authorize(direct, example | {"novelty": {"any": 1}})["shopperAuthorized"] is True


class SlowRisk:
    """A risk system that counts its calls, answers after a while, and may break."""

    def __init__(self, wait_s: float = 0.2) -> None:
        self.asked = 0
        self.broken = False
        self._wait_s = wait_s

    async def look_up(self, _shopper_id: str) -> CardShopper | None:
        self.asked += 1
        await asyncio.sleep(self._wait_s)
        if self.broken:
            raise ConnectionError("the risk system is away")
        return None


EVENT = {"shoppingTripId": "trip-1", "gateAuthenticationEvent": {"id": "event-1"}}


@both_databases
def test_concurrent_duplicates_get_the_first_answer(start: Callable[..., Any]) -> None:
    risk = SlowRisk()
    connectors = [start(parts={"risk": risk}) for _ in range(2)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: authorize(connectors[n % 2], a_tap(**EVENT)), range(6)))
    assert (answers, risk.asked) == ([{"shopperAuthorized": True}] * 6, 1)


@both_databases
def test_failed_decision_is_500_and_withdraws_its_claim(start: Callable[..., Any]) -> None:
    risk = SlowRisk(0)
    connector = start(parts={"risk": risk})
    risk.broken = True
    assert connector.http.post(AUTHORIZE, json=a_tap(**EVENT)).status_code == 500
    risk.broken = False
    assert authorize(connector, a_tap(**EVENT)) == {"shopperAuthorized": True}
    assert risk.asked == 2


@both_databases
def test_claim_of_a_dead_worker_is_taken_over_after_its_lease(start: Callable[..., Any]) -> None:
    dying, risk = SlowRisk(1.5), SlowRisk(0)
    first = start(parts={"risk": dying}, claim_lease_s=1)
    second = start(parts={"risk": risk}, claim_lease_s=1, shopper_auth={"answer_budget_s": 0.3})
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(first.http.post, AUTHORIZE, json=a_tap(**EVENT), timeout=0.2)
        assert hanging.exception() is not None
    assert second.http.post(AUTHORIZE, json=a_tap(**EVENT)).status_code == 500
    second.clock.advance(seconds=2)
    assert authorize(second, a_tap(**EVENT)) == {"shopperAuthorized": True}
    assert (dying.asked, risk.asked) == (1, 1)


def test_silent_risk_system_is_500_within_the_budget(start: Callable[..., Any]) -> None:
    connector = start(parts={"risk": SlowRisk(1.0)}, shopper_auth={"answer_budget_s": 0.1})
    assert connector.http.post(AUTHORIZE, json=a_tap(**EVENT)).status_code == 500
    assert connector.http.post(AUTHORIZE, json=a_tap()).status_code == 500


@both_databases
def test_another_event_of_the_trip_is_decided_on_its_own(direct: Any) -> None:
    assert authorize(direct, a_tap("payment-instrument-fraud", **EVENT))["shopperAuthorized"] is False
    other = EVENT | {"gateAuthenticationEvent": {"id": "event-2"}}
    assert authorize(direct, a_tap(**other))["shopperAuthorized"] is True
    assert authorize(direct, a_tap(**EVENT))["shopperAuthorized"] is False


def resolve(direct: Any, body: Any) -> Any:
    return ask(direct, RESOLVE, body, "resolve_scan")


MEMBER = {"action": "ACCEPT", "id": "loyalty-001", "type": "LOYALTY"}


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (a_scanned(), MEMBER),
        (a_scanned(channel="CONTACT"), MEMBER),
        (a_scanned(None, value="loyalty-card-001", channel="RADIO"), MEMBER),
        (a_scanned(None, id="bG95YWx0eS1jYXJkLTAwMQ== "), MEMBER),
        (a_scanned(id="not a uuid, and not data"), MEMBER),
        (a_scanned("valid_shopper_key"), {"action": "ACCEPT", "id": "shopper-uuid-001", "type": "SHOPPER"}),
        (a_scanned("associate_key"), {"action": "ACCEPT", "id": "associate-uuid-001", "type": "ASSOCIATE"}),
        (a_scanned("cash_shopper_key"), {"action": "ACCEPT", "id": "cash-shopper-uuid-001", "type": "CASH"}),
        (a_scanned("nobody's card"), {"action": "REJECT"}),
        (a_scanned(None), {"action": "REJECT"}),
        (a_scanned() | {"storeId": "NO-SUCH-STORE"}, {"action": "REJECT"}),
    ],
)
def test_a_scan_is_resolved_or_rejected_with_200(direct: Any, body: Any, answer: dict[str, Any]) -> None:
    assert resolve(direct, body) == answer


@both_databases
def test_a_scan_key_code_is_resolved_once(direct: Any) -> None:
    direct.sign_in()
    code = direct.http.post("/app/shoppers/ada/scan-key").json()["code"]
    stamp = {"timestamp": "2026-02-09T12:00:10Z"}
    first = resolve(direct, a_scanned(code, **stamp))
    assert first == {"action": "ACCEPT", "id": "ada", "type": "SHOPPER"}
    assert resolve(direct, a_scanned(code, **stamp)) == first
    other = a_scanned(code, id="99999999-2222-3333-4444-555555555555", **stamp)
    assert resolve(direct, other) == {"action": "REJECT"}


@both_databases
def test_repeated_scan_with_its_id_in_upper_case_gets_the_first_answer(direct: Any) -> None:
    direct.sign_in()
    code, event_id = (
        direct.http.post("/app/shoppers/ada/scan-key").json()["code"],
        "abcdefab-2222-3333-4444-555555555555",
    )
    first = resolve(direct, a_scanned(code, id=event_id, timestamp="2026-02-09T12:00:10Z"))
    assert resolve(direct, a_scanned(code, id=event_id.upper(), timestamp="2026-02-09T13:00:00Z")) == first
    assert first["action"] == "ACCEPT"


def test_ids_of_base64_are_other_events_when_their_case_differs(direct: Any) -> None:
    direct.sign_in()
    code, stamp = direct.http.post("/app/shoppers/ada/scan-key").json()["code"], {"timestamp": "2026-02-09T12:00:10Z"}
    assert resolve(direct, a_scanned(code, id="MTEx", **stamp))["action"] == "ACCEPT"
    assert resolve(direct, a_scanned(code, id="MTEX", **stamp)) == {"action": "REJECT"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"requestId": "not a uuid!"},
        {"storeId": ""},
        {"scanEvent": {}},
        {"scanEvent": {"id": "1", "channel": "SMELL"}},
        {"scanEvent": {"id": "1", "channel": "OPTICAL", "value": "not*base64"}},
        {"scanEvent": {"id": "1", "timestamp": "yesterday"}},
        {"scanEvent": {"id": "1", "location": "ROOF"}},
    ],
)
def test_a_broken_scan_is_400(direct: Any, wrong: dict[str, Any]) -> None:
    assert direct.http.post(RESOLVE, content=orjson.dumps(a_scanned() | wrong)).status_code == 400


def test_the_wrapped_shape_is_sent_when_it_is_set(start: Callable[..., Any]) -> None:
    connector = start(resolve_scan={"response_shape": "wrapped"})
    scan_result = {"id": "loyalty-001", "type": "LOYALTY"}
    assert resolve(connector, a_scanned()) == {"resolution": "ACCEPT", "scanResult": scan_result}
    assert resolve(connector, a_scanned("x", id="2")) == {"resolution": "REJECT"}


@pytest.mark.parametrize(
    ("who", "kind", "answer"),
    [
        ("loyalty-001", "LOYALTY", {"provider": "Corner Club", "promotionIds": ["members-10"]}),
        ("loyalty-002", "LOYALTY", {"provider": "Corner Club", "promotionIds": []}),
        ("ada", "SHOPPER", {"provider": "Corner Club", "promotionIds": []}),
        ("cash-shopper-uuid-001", "CASH", {"provider": "Corner Club", "promotionIds": []}),
    ],
)
def test_details_of_an_accepted_shopper(direct: Any, who: str, kind: str, answer: dict[str, Any]) -> None:
    body = {"storeId": "STORE-001", "scanResult": {"id": who, "type": kind}}
    assert ask(direct, DETAILS, body, "get_scan_details") == answer


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"storeId": "STORE-001", "scanResult": {"id": "nobody", "type": "LOYALTY"}}, 404),
        ({"storeId": "STORE-001", "scanResult": {"id": "loyalty-001", "type": "SHOPPER"}}, 404),
        ({"storeId": "STORE-001", "scanResult": {"id": "loyalty-001", "type": "OWL"}}, 400),
        ({"storeId": "STORE-001"}, 400),
        ({"storeId": "NO-SUCH-STORE", "scanResult": {"id": "loyalty-001", "type": "LOYALTY"}}, 400),
    ],
)
def test_unknown_shopper_is_404_and_broken_request_400(direct: Any, body: Any, status: int) -> None:
    assert direct.http.post(DETAILS, content=orjson.dumps(body)).status_code == status
