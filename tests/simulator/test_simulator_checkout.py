"""Checkout Cart: each published case, the agreement of lines and totals, and one order for each trip."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jwo_contract.house_retailer_calls import Checkout
from jwo_contract.messages import document, message
from jwo_contract.register import register
from simulator.checkout.totals import disagreement
from simulator.event_families import event_of
from tests.simulator.in_process import KEY, MISSING, STORE, InProcess, changed, in_process

NAME, PATH = "Checkout Cart", "/v1/checkout/carts"
CART: dict[str, Any] = document("checkout_cart.request")["examples"][0]
LINE = "lineItems.0.unitPrice"


def money(amount: str, currency: str = "USD") -> dict[str, str]:
    return {"amount": amount, "currencyCode": currency}


def a_line(quantity: str, price: str, tax: str = "0.00", promotion: str = "", fee: str = "", total: str = "") -> Any:
    """Return a line; its total is what its parts make, unless given."""
    parts = Decimal(price) + Decimal(tax) - abs(Decimal(promotion or 0)) + Decimal(fee or 0)
    unit_price: dict[str, Any] = {"totalPrice": money(total or f"{parts:.2f}"), "price": money(price)}
    unit_price["salesTax"] = money(tax)
    if promotion:
        unit_price["promotions"] = [{"promotionAmount": money(promotion), "promotionDescription": "offer"}]
    if fee:
        unit_price["depositsAndFees"] = [{"depositAndFeeAmount": money(fee), "depositAndFeeDescription": "deposit"}]
    amount = {"value": quantity, "unit": "each"}
    return {"productId": "SKU-001", "type": "SKU", "quantity": amount, "unitPrice": unit_price}


def a_cart(*lines: Any, subtotal: str, total: str, promotions: str = "0.00", tax: str = "0.00") -> dict[str, Any]:
    totals = {"priceTotal": total, "subTotal": subtotal, "promotionsTotal": promotions, "salesTaxTotal": tax}
    return {**CART, "lineItems": list(lines), "orderTotals": {name: money(value) for name, value in totals.items()}}


PIECES = a_cart(a_line("3", "2.50", "0.10"), subtotal="7.50", tax="0.30", total="7.80")
SEVERAL_PIECES = {name: PIECES[name] for name in ("lineItems", "orderTotals")}
CASES: dict[str, list[tuple[dict[str, Any], int]]] = {
    "CHK-1": [({}, 201)],
    "CHK-2": [({"idempotentShoppingTripId": trip}, 400) for trip in ("invalid-shopping-trip-uuid", "no-such-trip")],
    "CHK-3": [({member: MISSING}, 400) for member in CART],
    "CHK-4": [({"lineItems": []}, 400)],
    "CHK-5": [({f"orderTotals.{member}": MISSING}, 400) for member in CART["orderTotals"]],
    "CHK-8": [({"fault": "error_500_final"}, 500), ({"fault": "error_500_retry"}, 500)],
    "CHK-FIELD": [
        ({"storeId": "has a blank"}, 400),
        ({"storeId": ""}, 400),
        ({"storeId": "no-such-store"}, 400),
        ({"lineItems.0.productId": ""}, 400),
        ({"lineItems.0.type": "SCANCODE"}, 400),
        ({"lineItems.0.quantity.value": "-1"}, 400),
        ({"lineItems.0.quantity.unit": MISSING}, 400),
        ({f"{LINE}.totalPrice": MISSING}, 400),
        ({f"{LINE}.price.amount": 5.99}, 400),
        ({f"{LINE}.price.amount": "5.9"}, 400),
        ({f"{LINE}.price.amount": "5.990"}, 400),
        ({f"{LINE}.price.amount": "6"}, 400),
        ({f"{LINE}.price.currencyCode": "usd"}, 400),
        ({"orderTotals.priceTotal.amount": "-5.30"}, 400),
    ],
    "CHK-CODES": [({"fault": "throttle"}, 429), ({"fault": "error_503"}, 503)],
    "CHK-MULTI": [(SEVERAL_PIECES, 201), ({"lineItems": []}, 400), ({"lineItems": None}, 400)],
    "PLAN-CHK-VAL-CONN-002": [({}, 201), ({"idempotentShoppingTripId": "invalid-shopping-trip-uuid"}, 400)],
}
ELSEWHERE = {"CHK-6": "test_expired_trip_is_refused", "CHK-7": "test_call_without_a_valid_signature_is_refused"}
"""Rows with a test of their own below, and its name."""


@pytest.fixture(scope="module")
def platform() -> Iterator[InProcess]:
    with in_process(checkout={"burst": 100_000}) as running:
        yield running


@pytest.mark.parametrize("row", CASES)
def test_platform_answers_as_the_case_says(platform: InProcess, row: str) -> None:
    for given, status in CASES[row]:
        changes = {member: value for member, value in given.items() if member != "fault"}
        if fault := given.get("fault"):
            platform.post("/faults", {"name": fault, "where": {"operation": NAME}})
        answer = platform.signed(PATH, changed(CART, changes))
        assert answer.status_code == status, (given, answer.text)
        assert set(answer.json()) == ({"orderId"} if status == 201 else {"errorMsg"}), given


def test_unknown_trip_has_the_published_text(platform: InProcess) -> None:
    answer = platform.signed(PATH, changed(CART, {"idempotentShoppingTripId": "no-such-trip"}))
    assert answer.json() == {"errorMsg": "UnknownShoppingTripException"}


def test_register_names_the_proof_of_each_case() -> None:
    rows = [row for row in register().values() if row.api == NAME]
    assert {row.id for row in rows if "our own tests prove it" in row.not_tested} == {*CASES, *ELSEWHERE}
    assert all(callable(globals()[name]) for name in ELSEWHERE.values())


AGREEING = {
    "one line": a_cart(a_line("1", "5.99", "0.26"), subtotal="5.99", tax="0.26", total="6.25"),
    "amounts of one unit": PIECES,
    "amounts of a line": a_cart(a_line("3", "7.50", "0.30"), subtotal="7.50", tax="0.30", total="7.80"),
    "price of one unit": a_cart(a_line("3", "2.50", "0.30", total="7.80"), subtotal="7.50", tax="0.30", total="7.80"),
    "promotion with a sign": a_cart(
        a_line("1", "5.00", promotion="-1.00"), subtotal="5.00", promotions="-1.00", total="4.00"
    ),
    "subtotal after promotions": a_cart(
        a_line("2", "5.00", promotion="1.00"), subtotal="8.00", promotions="2.00", total="8.00"
    ),
    "fees beside the subtotal": a_cart(a_line("1", "5.00", fee="0.25"), subtotal="5.00", total="5.25"),
    "fees in the subtotal": a_cart(a_line("1", "5.00", fee="0.25"), subtotal="5.25", total="5.25"),
    "weight, rounded": a_cart(a_line("1.37", "2.99", "0.18"), subtotal="4.10", tax="0.25", total="4.35"),
    "weight, rounded in another way": a_cart(a_line("1.37", "2.99", "0.18"), subtotal="4.10", tax="0.24", total="4.34"),
    "nothing to pay": a_cart(a_line("1", "5.00", promotion="5.00"), subtotal="5.00", promotions="5.00", total="0.00"),
}
DISAGREEING = {
    "priceTotal": a_cart(a_line("1", "5.99", "0.26"), subtotal="5.99", tax="0.26", total="6.26"),
    "subTotal": a_cart(a_line("2", "5.00"), subtotal="10.03", total="10.03"),
    "salesTaxTotal": a_cart(a_line("1", "5.99", "0.26"), subtotal="5.99", tax="0.27", total="6.26"),
    "promotionsTotal": a_cart(a_line("1", "5.00", promotion="1.00"), subtotal="5.00", promotions="0.99", total="4.01"),
    "totalPrice": a_cart(a_line("1", "5.00", total="5.01"), subtotal="5.00", total="5.00"),
    "currencies": changed(CART, {"orderTotals.priceTotal.currencyCode": "EUR"}),
}


@pytest.mark.parametrize("name", AGREEING)
def test_agreeing_totals_are_accepted(name: str) -> None:
    assert message("checkout_cart.request").violations(AGREEING[name]) == []
    assert disagreement(AGREEING[name], Checkout()) == ""


@pytest.mark.parametrize("name", DISAGREEING)
def test_disagreeing_totals_are_named(name: str) -> None:
    assert message("checkout_cart.request").violations(DISAGREEING[name]) == []
    assert name in disagreement(DISAGREEING[name], Checkout())


@pytest.mark.parametrize(
    ("rules", "refused"),
    [
        ({"readings": ("unit",)}, "amounts of a line"),
        ({"readings": ("line",)}, "amounts of one unit"),
        ({"subtotals": ("prices",)}, "fees in the subtotal"),
        ({"subtotals": ("prices_and_fees",)}, "subtotal after promotions"),
        ({"rounding_cents": 0}, "weight, rounded in another way"),
    ],
)
def test_one_reading_can_be_demanded(rules: dict[str, Any], refused: str) -> None:
    assert disagreement(AGREEING[refused], Checkout(**rules))


def left(platform: InProcess) -> str:
    trip = platform.enter()
    platform.post(f"/trips/{trip}/pick", {"sku": "SKU-001"})
    platform.post(f"/trips/{trip}/leave")
    return trip


def own(trip: str, **changes: Any) -> dict[str, Any]:
    return {**changed(CART, changes), "idempotentShoppingTripId": trip, "storeId": STORE}


def test_trip_gets_one_order_and_one_charge(platform: InProcess) -> None:
    trip = left(platform)
    answers = [platform.signed(PATH, own(trip)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    other = {**own(trip), "lineItems": [a_line("1", "5.30")]}
    other["orderTotals"] = a_cart(subtotal="5.30", total="5.30")["orderTotals"]
    assert platform.signed(PATH, other).status_code == 400
    assert platform.get(f"/trips/{trip}/charge")["captured"] == {"amount": "5.30", "code": "USD"}
    assert [entry["operation"] for entry in platform.charges(trip)] == [NAME]
    entries = platform.get(f"/journal?kind=checkout&trip={trip}")
    events = [event for entry in entries if (event := event_of(entry))]
    assert [(family, detail["event"]) for family, detail in events] == [("Ordering", "ORDER_CHECKED_OUT")]
    assert events[0][1]["orderId"] == answers[0].json()["orderId"]


def test_captured_trip_is_not_charged_again(platform: InProcess) -> None:
    trip = left(platform)
    body = {"storeId": STORE, "shoppingTripId": trip, "amount": {"amount": 5.3, "code": "USD"}}
    assert platform.signed("/v1/capture/charge", body).status_code == 200
    assert platform.signed(PATH, own(trip)).status_code == 400


def test_first_cart_wins_on_request() -> None:
    with in_process(checkout={"changed_cart": "first_wins"}) as platform:
        trip = left(platform)
        carts = (own(trip), {**own(trip), "note": "another cart"})
        assert len({platform.signed(PATH, cart).json()["orderId"] for cart in carts}) == 1


def test_expired_trip_is_refused(platform: InProcess) -> None:
    trip, inside = left(platform), platform.enter()
    assert platform.signed(PATH, own(inside)).status_code == 400
    platform.clock.ahead += timedelta(hours=25)
    answer = platform.signed(PATH, own(trip))
    assert (answer.status_code, answer.json()) == (400, {"errorMsg": "ShoppingTripExpiredException"})


def test_call_without_a_valid_signature_is_refused(platform: InProcess) -> None:
    assert platform.call("POST", PATH, CART).status_code == 403
    for key in (KEY._replace(secret_access_key="another-secret"), KEY._replace(access_key_id="another-key")):
        assert platform.signed(PATH, CART, key).status_code == 403


def test_orders_survive_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "platform.sqlite3")
    with in_process(database_path=path) as platform:
        trip = left(platform)
        order = platform.signed(PATH, own(trip)).json()
    with in_process(database_path=path) as platform:
        assert platform.signed(PATH, own(trip)).json() == order
