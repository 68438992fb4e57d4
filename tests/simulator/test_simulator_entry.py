"""Ways in: cards, palms, badges, groups, associates, loyalty; who decides, by which cause, and what the gate shows."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from simulator.entry.risk import RiskModel
from simulator.seed import Seed

STORE, GATE = "STORE-001", "STORE-001-GATE-1"
EVERY_WAY = ["app", "badge", "card", "palm"]


def tap(platform: Any, instrument: str = "card-1", **more: Any) -> dict[str, Any]:
    answer = platform.http.post(f"/gates/{GATE}/cards", json={"instrument": instrument, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def set_up(platform: Any, connector: Any, strategy: str = "retailer_managed", **more: Any) -> None:
    platform.set_up_store(connector, methods=EVERY_WAY, strategy=strategy, **more)


def authorized(**more: Any) -> tuple[int, dict[str, Any]]:
    return 200, {"shopperAuthorized": True, **more}


def test_retailer_managed_card_is_the_connectors_decision(steady: Any, connector: Any) -> None:
    set_up(steady, connector)
    connector.authorizations = [authorized()]
    decision = tap(steady, interaction="INSERT")
    assert (decision["opens"], decision["cause"], decision["action"]) == (True, "authorized", "open")
    (asked,) = connector.bodies("shopperauthorization")
    assert asked["shopperIdentity"] == {"id": "card-1"}
    assert asked["authorizedAmount"] == {"value": 50.0, "currencyCode": "USD"}
    interaction = asked["shopperInteraction"]
    assert interaction["shoppingTripId"] == decision["shoppingTripId"]
    assert interaction["gateAuthenticationEvent"]["type"] == "CREDIT_CARD"
    assert interaction["gateAuthenticationEvent"]["interactionType"] == "INSERT"
    assert "recommendation" not in interaction


@pytest.mark.parametrize(
    ("given", "result"), [({}, "TAP"), ({"interaction": "TAP"}, "TAP"), ({"interaction": "INSERT"}, "INSERT")]
)
def test_card_is_tapped_unless_it_is_inserted(steady: Any, connector: Any, given: dict[str, str], result: str) -> None:
    set_up(steady, connector)
    connector.authorizations = [authorized()]
    tap(steady, "card-3", **given)
    (asked,) = connector.bodies("shopperauthorization")
    assert asked["shopperInteraction"]["gateAuthenticationEvent"]["interactionType"] == result


def test_card_cannot_be_shown_in_another_way(steady: Any, connector: Any) -> None:
    set_up(steady, connector)
    refused = steady.http.post(f"/gates/{GATE}/cards", json={"instrument": "card-1", "interaction": "SWIPE"})
    assert refused.status_code == 400
    assert connector.seen == []


def test_card_leads_to_a_financial_cart_with_the_shoppers_identity(steady: Any, connector: Any) -> None:
    set_up(steady, connector)
    connector.authorizations = [authorized()]
    trip = tap(steady, "card-2")["shoppingTripId"]
    steady.http.post(f"/trips/{trip}/leave")
    steady.delivery(trip)
    (cart,) = connector.bodies("purchases")
    assert [event["payloadType"] for event in cart["shoppingTrip"]["authEvents"]] == ["FINANCIAL"]
    assert cart["shopperIdentity"] == {"id": "card-2"}
    assert cart["cartItems"] == []


def test_amazon_managed_uses_its_risk_model_only(steady: Any, connector: Any) -> None:
    set_up(steady, connector, "amazon_managed")
    steady.http.put("/risk/bad-card", json={"risks": ["BadDebt"]})
    steady.http.put("/risk/good-card", json={"risks": []})
    good, bad = tap(steady, "good-card"), tap(steady, "bad-card")
    assert (good["opens"], good["cause"]) == (True, "amazon_managed")
    assert (bad["opens"], bad["cause"], bad["light"]) == (False, "risk:BadDebt", "red")
    assert connector.seen == []


@pytest.mark.parametrize(
    ("answer", "opens", "cause"),
    [
        (authorized(), True, "authorized"),
        ((200, {"shopperAuthorized": False, "shopperRisks": ["BadDebt"]}), False, "denied:BadDebt"),
        (
            authorized(authorizationConditions=[{"type": "ADJUST", "amount": {"value": 20, "currencyCode": "USD"}}]),
            True,
            "adjusted",
        ),
    ],
)
def test_connector_may_overrule_the_recommendation_either_way(
    steady: Any, connector: Any, answer: Any, *, opens: bool, cause: str
) -> None:
    set_up(steady, connector, "amazon_recommendation")
    steady.http.put("/risk/doubtful", json={"risks": ["CustomerFraud"]})
    connector.authorizations = [answer]
    decision = tap(steady, "doubtful")
    result = connector.bodies("shopperauthorization")[0]["shopperInteraction"]["recommendation"]
    assert result == {"shopperAuthorized": False, "shopperRisks": ["CustomerFraud"]}
    assert (decision["opens"], decision["cause"]) == (opens, cause)
    if cause == "adjusted":
        trip = steady.http.get(f"/trips/{decision['shoppingTripId']}").json()
        assert trip["authorizedAmount"] == 20


@pytest.mark.parametrize("status", [500, 503])
def test_failed_authorization_is_retried_once_and_then_falls_back(steady: Any, connector: Any, status: int) -> None:
    set_up(steady, connector, storeDefault="open")
    connector.authorizations = [(status, {}), authorized()]
    assert tap(steady)["cause"] == "authorized"
    connector.authorizations = [(status, {})]
    decision = tap(steady)
    assert (decision["opens"], decision["cause"], decision["action"]) == (True, str(status), "store_default")
    assert len(connector.bodies("shopperauthorization")) == 4


@pytest.mark.parametrize("given", [(400, {}), (200, {"shopperAuthorized": "yes"})])
def test_refused_or_malformed_authorization_keeps_a_closed_store_closed(
    steady: Any, connector: Any, given: Any
) -> None:
    set_up(steady, connector)
    connector.authorizations = [given]
    assert not tap(steady)["opens"]


def test_fallback_may_be_the_platforms_recommendation(start_platform: Any, connector: Any) -> None:
    platform = start_platform(shopper_auth={"fallback": "recommendation"})
    set_up(platform, connector)
    platform.http.put("/risk/fine", json={"risks": []})
    connector.authorizations = [(500, {})]
    assert tap(platform, "fine")["cause"] == "500:recommendation"


STRATEGIES = ("amazon_managed", "amazon_recommendation", "retailer_managed", "none")


@pytest.mark.parametrize("way", ["cards", "palms"])
@pytest.mark.parametrize("risks", [["InvalidCard"], ["BadDebt", "InvalidCard"]])
def test_reader_refuses_an_invalid_card_under_every_strategy(
    start_platform: Any, connector: Any, way: str, risks: list[str]
) -> None:
    platform = start_platform(shopper_auth={"none_calls": True})
    connector.authorizations = [authorized()]
    platform.http.put("/risk/void", json={"risks": risks})
    for strategy in STRATEGIES:
        set_up(platform, connector, strategy, storeDefault="open")
        decision = platform.http.post(f"/gates/{GATE}/{way}", json={"instrument": "void"}).json()
        assert (decision["opens"], decision["cause"]) == (False, "reader:InvalidCard")
        assert (decision["decidedBy"], decision["action"]) == ("reader", "not_called")
    assert connector.seen == []


@pytest.mark.parametrize(
    ("strategy", "answer", "risks", "decider", "opens"),
    [
        ("amazon_managed", None, ["BadDebt"], "platform", False),
        ("amazon_managed", None, [], "platform", True),
        ("amazon_recommendation", authorized(), ["BadDebt"], "retailer", True),
        ("retailer_managed", (200, {"shopperAuthorized": False}), [], "retailer", False),
        ("retailer_managed", (500, {}), [], "store_default", False),
        ("none", None, ["CustomerFraud"], "reader", True),
    ],
)
def test_decision_on_a_card_names_the_part_that_decided(
    steady: Any, connector: Any, strategy: str, answer: Any, risks: list[str], decider: str, *, opens: bool
) -> None:
    set_up(steady, connector, strategy)
    steady.http.put("/risk/known", json={"risks": risks})
    connector.authorizations = [answer]
    decision = tap(steady, "known")
    result = (decision["decidedBy"], decision["strategy"], decision["recommendation"], decision["opens"])
    assert result == (decider, strategy, ",".join(risks) or "accept", opens)


def test_words_for_a_palm_are_house_settings(start_platform: Any, connector: Any) -> None:
    platform = start_platform(simulator={"palm_type": "AMAZON_ONE", "palm_interaction": "WAVE"})
    set_up(platform, connector)
    connector.authorizations = [authorized()]
    platform.http.post(f"/gates/{GATE}/palms", json={"instrument": "palm-1"})
    event = connector.bodies("shopperauthorization")[0]["shopperInteraction"]["gateAuthenticationEvent"]
    assert (event["type"], event["interactionType"]) == ("AMAZON_ONE", "WAVE")


def test_palm_is_sent_as_a_palm_and_counts_as_financial(steady: Any, connector: Any) -> None:
    set_up(steady, connector)
    connector.authorizations = [authorized()]
    decision = steady.http.post(f"/gates/{GATE}/palms", json={"instrument": "palm-1"}).json()
    trip = steady.http.get(f"/trips/{decision['shoppingTripId']}").json()
    assert trip["authEvents"][0]["payloadType"] == "FINANCIAL"
    event = connector.bodies("shopperauthorization")[0]["shopperInteraction"]["gateAuthenticationEvent"]
    assert event["type"] == "PALM"


def test_way_in_that_a_store_does_not_have_is_refused_without_a_call(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    assert tap(steady)["cause"] == "method_off"
    assert connector.seen == []


def test_badge_goes_to_the_identity_connector_past_the_qr_pattern(steady: Any, connector: Any) -> None:
    set_up(steady, connector, qrPattern="JWO.*")
    connector.identity = [(200, {"visitorDetails": {"id": "a-1", "type": "ASSOCIATE"}})]
    decision = steady.http.post(f"/gates/{GATE}/badges", json={"text": "badge 17"}).json()
    assert (decision["opens"], decision["visitor"]["type"], decision["method"]) == (True, "ASSOCIATE", "badge")
    assert connector.bodies("identity-keys")[0]["identityKey"] == base64.b64encode(b"badge 17").decode()
    assert steady.scan("badge 17")["cause"] == "qr_pattern"


def test_badge_reader_reads_through_its_channel(steady: Any, connector: Any) -> None:
    connector.identity = [(200, {"visitorDetails": {"id": "a-1", "type": "ASSOCIATE"}})]
    for reader, asked, used in (
        (None, None, "CONTACT"), (None, "RADIO", "RADIO"), ("RADIO", None, "RADIO"), ("RADIO", "CONTACT", "CONTACT"),
    ):  # fmt: skip
        set_up(steady, connector, **({"badgeChannel": reader} if reader else {}))
        body = {"text": "badge 17"} | ({"channel": asked} if asked else {})
        decision = steady.http.post(f"/gates/{GATE}/badges", json=body).json()
        assert (decision["opens"], decision["channel"]) == (True, used)
        assert connector.bodies("identity-keys")[-1]["keyChannel"] == used
        assert steady.http.get(f"/gates/{GATE}").json()["lastDecision"]["channel"] == used
    assert steady.http.get("/portal/stores/STORE-001").json()["badgeChannel"] == "RADIO"
    assert "channel" not in steady.scan("badge 17")
    assert connector.bodies("identity-keys")[-1]["keyChannel"] == "OPTICAL"


@pytest.mark.parametrize("channel", ["OPTICAL", "NFC", "contact", "", 7])
def test_channel_that_no_badge_reader_has_is_refused(steady: Any, connector: Any, channel: Any) -> None:
    set_up(steady, connector)
    answer = steady.http.post(f"/gates/{GATE}/badges", json={"text": "badge 17", "channel": channel})
    assert answer.status_code in {400, 422}
    assert connector.seen == []


def test_group_enters_on_one_key_with_an_event_each_and_leaves_one_cart(steady: Any, connector: Any) -> None:
    set_up(steady, connector)
    decision = steady.http.post(f"/gates/{GATE}/scans", json={"text": "one key", "people": 3}).json()
    assert decision["people"] == 3
    asked = connector.bodies("identity-keys")
    assert len({body["authEvent"]["id"] for body in asked}) == 3
    assert len({body["identityKey"] for body in asked}) == 1
    trip = decision["shoppingTripId"]
    steady.http.post(f"/trips/{trip}/leave")
    steady.delivery(trip)
    (cart,) = connector.bodies("purchases")
    result = [event["id"] for event in cart["shoppingTrip"]["authEvents"]]
    assert result == [body["authEvent"]["id"] for body in asked]


def test_group_ends_at_the_first_closed_gate(steady: Any, connector: Any) -> None:
    set_up(steady, connector)
    connector.identity = [(200, {"visitorDetails": {"id": "v", "type": "SHOPPER"}}), (401, {})]
    decision = steady.http.post(f"/gates/{GATE}/scans", json={"text": "one key", "people": 3}).json()
    assert (decision["opens"], decision["people"]) == (False, 1)


def test_associate_scans_a_shopper_in_by_hand(steady: Any, connector: Any) -> None:
    set_up(steady, connector)
    decision = steady.http.post(f"/stores/{STORE}/assisted-scans", json={"text": "a code"}).json()
    assert connector.bodies("identity-keys")[0]["authEvent"]["location"] == "ENTRY"
    trip = decision["shoppingTripId"]
    steady.http.post(f"/trips/{trip}/leave")
    steady.delivery(trip)
    (event,) = connector.bodies("purchases")[0]["shoppingTrip"]["authEvents"]
    assert event["location"] == "MANUAL_IN_STORE"


LOYAL = (200, {"action": "ACCEPT", "id": "member-1", "type": "LOYALTY"})
DETAILS = (200, {"provider": "Corner Club", "promotionIds": ["members-10"]})


@pytest.mark.parametrize("way", ["scans", "badges", "cards", "palms"])
def test_group_joins_a_trip_by_every_means(steady: Any, connector: Any, way: str) -> None:
    set_up(steady, connector)
    connector.authorizations = [authorized()]
    trip = steady.enter()
    what = {"text": "valid_shopper_key"} if way in {"scans", "badges"} else {"instrument": f"means of {way}"}
    result = steady.http.post(f"/gates/{GATE}/{way}", json={**what, "people": 3, "joins": trip}).json()
    assert (result["shoppingTripId"], result["people"]) == (trip, 3)
    assert len(steady.http.get(f"/trips/{trip}").json()["authEvents"]) == 4


def test_associate_helps_one_shopper_at_a_time(steady: Any, connector: Any) -> None:
    set_up(steady, connector)
    for more in ({"people": 2}, {"joins": "trip"}):
        answer = steady.http.post(f"/stores/{STORE}/assisted-scans", json={"text": "valid_shopper_key", **more})
        assert answer.status_code == 400


def test_failed_join_is_a_closed_gate_in_the_journal(steady: Any, connector: Any) -> None:
    set_up(steady, connector)
    trip = steady.enter()
    steady.http.post(f"/trips/{trip}/leave")
    before = len(connector.bodies("identity-keys"))
    for joins, status in ((trip, 409), ("nobody's", 404)):
        answer = steady.http.post(f"/gates/{GATE}/scans", json={"text": "valid_shopper_key", "joins": joins})
        assert answer.status_code == status
        entry = steady.http.get("/journal", params={"gate": GATE}).json()[-1]
        assert (entry["kind"], entry["cause"], entry["opens"]) == ("gate_decision", "cannot_join", False)
        assert steady.http.get(f"/gates/{GATE}").json()["light"] == "red"
    assert len(connector.bodies("identity-keys")) == before
    steady.delivery(trip)  # the connector of the next test gets no cart of this one


def test_trip_that_ends_while_its_joiner_is_checked_is_not_joined(steady: Any, connector: Any) -> None:
    set_up(steady, connector)
    trip = steady.enter()

    def answer(path: str, _body: dict[str, Any]) -> tuple[int, Any]:
        if path.startswith("identity"):
            steady.http.post(f"/trips/{trip}/leave")
            return 200, {"visitorDetails": {"id": "v", "type": "SHOPPER"}}
        return 201, {"purchaseId": "p"}

    connector.answer = answer
    refused = steady.http.post(f"/gates/{GATE}/scans", json={"text": "valid_shopper_key", "joins": trip})
    assert refused.status_code == 409
    assert steady.http.get(f"/gates/{GATE}").json()["lastDecision"]["cause"] == "cannot_join"
    assert len(steady.http.get(f"/trips/{trip}").json()["authEvents"]) == 1
    steady.delivery(trip)


def test_loyalty_scan_inside_is_resolved_and_joins_the_cart(steady: Any, connector: Any) -> None:
    set_up(steady, connector, loyalty=True)
    trip = steady.enter()
    connector.scans = [LOYAL, DETAILS]
    result = steady.http.post(f"/trips/{trip}/loyalty-scans", json={"text": "card 9"}).json()
    assert result["accepted"]
    assert result["details"] == DETAILS[1]
    (asked,) = connector.bodies("identity/scan")
    assert asked["scanEvent"]["value"] == base64.b64encode(b"card 9").decode()
    (wanted,) = connector.bodies("scan/details")
    assert wanted == {"storeId": STORE, "scanResult": {"id": "member-1", "type": "LOYALTY"}}
    steady.http.post(f"/trips/{trip}/leave")
    steady.delivery(trip)
    events = connector.bodies("purchases")[0]["shoppingTrip"]["authEvents"]
    assert events[1]["scanResult"] == {"id": "member-1", "type": "LOYALTY"}
    assert "card 9" not in steady.http.get("/journal", params={"trip": trip}).text


@pytest.mark.parametrize(
    ("answer", "opens", "cause"),
    [
        (LOYAL, True, "accepted"),
        ((200, {"resolution": "ACCEPT", "scanResult": {"id": "m", "type": "LOYALTY"}}), True, "accepted"),
        ((200, {"action": "REJECT"}), False, "rejected"),
        ((400, {}), False, "400"),
        ((500, {}), True, "500"),
        ((200, {"action": "PERHAPS"}), True, "malformed_answer"),
    ],
)
def test_loyalty_scan_at_the_gate_follows_the_table(
    steady: Any, connector: Any, answer: Any, *, opens: bool, cause: str
) -> None:
    set_up(steady, connector, loyalty=True, storeDefault="open")
    connector.scans = [answer, DETAILS]
    decision = steady.http.post(f"/gates/{GATE}/loyalty-scans", json={"text": "card 9"}).json()
    assert (decision["opens"], decision["cause"]) == (opens, cause)


def test_faq_form_of_resolve_scan_has_the_data_as_its_id(start_platform: Any, connector: Any) -> None:
    platform = start_platform(resolve_scan={"profile": "faq"})
    set_up(platform, connector, loyalty=True)
    connector.scans = [LOYAL, DETAILS]
    platform.http.post(f"/gates/{GATE}/loyalty-scans", json={"text": "card 9"})
    event = connector.bodies("identity/scan")[0]["scanEvent"]
    assert event["id"] == base64.b64encode(b"card 9").decode() + " "
    assert "value" not in event


def test_gate_keeps_its_light_its_lock_and_its_time(platform: Any, connector: Any) -> None:
    platform.set_up_store(connector)
    assert platform.http.get(f"/gates/{GATE}").json()["light"] == "off"
    decision = platform.scan()
    shown = platform.http.get(f"/gates/{GATE}").json()
    assert (shown["light"], shown["lock"], shown["lastDecision"]["at"]) == ("green", "unlocked", decision["at"])
    platform.clock.ahead = timedelta(seconds=6)
    assert platform.http.get(f"/gates/{GATE}").json()["lock"] == "locked"
    connector.identity = [(401, {})]
    platform.scan()
    shown = platform.http.get(f"/gates/{GATE}").json()
    assert (shown["light"], shown["lock"]) == ("red", "locked")


def test_risk_model_refuses_its_share_and_the_same_cards_again() -> None:
    def distrusted(seed: int) -> list[str]:
        model = RiskModel(Seed(seed), 0.1)
        return [card for card in map(str, range(2000)) if not model.judge(card).authorized]

    assert distrusted(1) == distrusted(1) != distrusted(2)
    assert 150 < len(distrusted(1)) < 250
