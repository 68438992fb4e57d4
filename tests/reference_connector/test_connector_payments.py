"""Payment over HTTP: who pays, debts at the gate, and bad carts that are priced later."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reference_connector.orders import BAD_CARTS_A_PAGE
from reference_connector.payments.payer import payer_of
from reference_connector.settings import SAMPLE_RETAILER
from tests.reference_connector.conftest import both_databases


@pytest.mark.parametrize(
    ("scan_types", "payload_types", "shopper_id", "payer"),
    [
        (["SHOPPER"], ["SCAN_CODE"], "ada", "card"),
        ([], ["SCAN_CODE"], "ada", "card"),
        (["LOYALTY"], ["SCAN_CODE"], "ada", "card"),
        (["ASSOCIATE"], ["SCAN_CODE"], "erin", "staff"),
        (["CASH"], ["SCAN_CODE"], "finn", "cash"),
        (["CASH_SHOPPER"], ["SCAN_CODE"], "finn", "cash"),
        ([], ["FINANCIAL"], "", "platform"),
        (["SHOPPER", "CASH"], ["SCAN_CODE", "SCAN_CODE"], "ada", "card"),
        ([], [], "", "platform"),
    ],
)
def test_first_entry_decides_who_pays(
    scan_types: list[str], payload_types: list[str], shopper_id: str, payer: str
) -> None:
    assert payer_of(scan_types, payload_types, shopper_id) == payer


def _cart_of(a_cart: Any, who: str, kind: str = "SHOPPER", **members: Any) -> Any:
    cart = a_cart(**members)
    cart["shoppingTrip"]["authEvents"][0]["scanResult"] = {"id": who, "type": kind}
    return cart


def _charges(connector: Any, state: str, wanted: int = 1) -> list[dict[str, Any]]:
    """Wait until a state has the expected number of charges."""
    deadline = time.monotonic() + 10
    while True:
        found: list[dict[str, Any]] = connector.operator_get(f"/ops/charges/{state}").json()["charges"]
        if len(found) == wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.01)


@both_databases
def test_a_shoppers_cart_is_charged_once_after_the_answer(connector: Any, a_cart: Any) -> None:
    for _ in range(3):
        assert connector.purchase(_cart_of(a_cart, "ada")).status_code == 201
    [charge] = _charges(connector, "captured")
    assert (charge["shoppingTripId"], charge["amount"], charge["currency"]) == ("trip-1", "1.50", "USD")


@pytest.mark.parametrize(("who", "kind", "payer"), [("erin", "ASSOCIATE", "staff"), ("finn", "CASH", "cash")])
def test_associates_and_cash_shoppers_are_not_charged(
    direct: Any, a_cart: Any, who: str, kind: str, payer: str
) -> None:
    direct.purchase(_cart_of(a_cart, who, kind))
    assert direct.receipt("trip-1")["payer"] == payer
    for state in ("pending", "captured", "stuck"):
        assert direct.operator_get(f"/ops/charges/{state}").json() == {"charges": []}


def test_empty_cart_has_no_payer(direct: Any, a_cart: Any) -> None:
    direct.purchase(_cart_of(a_cart, "ada", cartItems=[]))
    assert direct.receipt("trip-1")["payer"] == "nobody"


def test_charge_without_a_payment_method_is_stuck(direct: Any, a_cart: Any) -> None:
    direct.purchase(_cart_of(a_cart, "who-is-this"))
    [charge] = direct.operator_get("/ops/charges/stuck").json()["charges"]
    assert charge["trouble"] == "no_payment_method"


HAL = """
[[shopper]]
id = "hal"
pin = "1"
payment_method = "{method}"
other_payment_methods = [{others}]

[[card_shopper]]
id = "card-of-hal"
account = "hal"
"""


@pytest.fixture
def hals(start: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Start a connector with a shopper, Hal, who is signed in and has means of payment of some behaviour."""

    def run(method: str, *others: str, more: str = "", **payments: Any) -> Any:
        quoted = ", ".join(f'"{other}"' for other in others)
        (tmp_path / "hal.toml").write_text(HAL.format(method=method, others=quoted) + more, "utf-8")
        rules = {"poll_s": 0.05, "backoff_first_s": 0, "gate_budget_s": 0.2, **payments}
        files = [SAMPLE_RETAILER, tmp_path / "hal.toml"]
        connector = start(retailer_files=files, payments=rules, app_allow_backdated_codes=True)
        assert connector.http.post("/app/session", json={"shopper": "hal", "pin": "1"}).status_code == 204
        return connector

    return run


def _code(connector: Any) -> str:
    return base64.b64encode(connector.http.post("/app/shoppers/hal/scan-key").json()["code"].encode()).decode()


def _enters(connector: Any, a_scan: Any, key: str, event: int) -> int:
    scan = a_scan(identityKey=key, event_id=f"22222222-2222-4333-8444-00000000000{event}")
    return int(connector.identify(scan).status_code)


def _answers(connector: Any, wanted: int) -> list[dict[str, Any]]:
    """Wait until the gate's answers are in the log, and return them."""
    return list(connector.events("identity_answered", wanted))


def _leaves(connector: Any, a_cart: Any, trip: str, event: int, **members: Any) -> None:
    cart = _cart_of(a_cart, "hal", trip=trip, **members)
    cart["shoppingTrip"]["authEvents"][0]["id"] = f"22222222-2222-4333-8444-00000000000{event}"
    assert connector.purchase(cart).status_code == 201


def _taps(connector: Any, who: str) -> Any:
    tap = {"storeId": "STORE-001", "shopperIdentity": {"id": who}}
    return connector.http.post("/v1/fraudandabuse/shopperauthorization", json=tap).json()


REFUSED = {"shopperAuthorized": False, "shopperRisks": ["BadDebt"]}
LETS_IN = {"shopperAuthorized": True}


@both_databases
def test_declined_adjustment_keeps_the_shopper_out_until_the_debt_is_settled(
    hals: Callable[..., Any], a_scan: Any, a_cart: Any, a_line: Any
) -> None:
    connector = hals("tok_declined_at_adjust")
    unused = _code(connector)
    assert _enters(connector, a_scan, _code(connector), 1) == 200
    _leaves(connector, a_cart, "trip-1", 1, cartItems=[a_line("SKU-002", "5")])
    [debt] = _charges(connector, "declined")
    assert (debt["amount"], debt["collected"], debt["owed"]) == ("24.02", "20.00", "4.02"), "below max_open_balance"
    assert _enters(connector, a_scan, unused, 2) == 401
    assert _answers(connector, 2)[-1]["refusal"] == "open_balance"
    assert connector.http.post("/app/shoppers/hal/scan-key").status_code == 409
    assert [_taps(connector, who) for who in ("card-of-hal", "hal", "payment-instrument-001")] == [
        REFUSED,
        REFUSED,
        LETS_IN,
    ]
    shown = connector.http.get("/app/shoppers/hal/debts").json()["debts"]
    assert shown == [{"shoppingTripId": "trip-1", "amount": "4.02", "currency": "USD", "state": "owed"}]
    for _ in range(2):
        assert connector.operator_post("/ops/debts/trip-1/settle").json()["state"] == "settled"
    assert _enters(connector, a_scan, unused, 3) == 200
    assert [_taps(connector, who) for who in ("card-of-hal", "hal")] == [LETS_IN, LETS_IN]
    assert connector.http.get("/app/shoppers/hal/debts").json() == {"debts": []}


def test_shopper_pays_a_debt_on_the_phone(hals: Callable[..., Any], a_scan: Any, a_cart: Any, a_line: Any) -> None:
    connector = hals("tok_declined_at_adjust")
    _enters(connector, a_scan, _code(connector), 1)
    _leaves(connector, a_cart, "trip-1", 1, cartItems=[a_line("SKU-002", "5")])
    assert _charges(connector, "declined")
    path = "/app/shoppers/hal/debts/trip-1/settle"
    assert connector.http.post(path, json={"paymentMethod": 5}).status_code == 400
    assert connector.http.post("/app/shoppers/ada/debts/trip-1/settle").status_code == 403
    assert connector.http.post(path, json={"paymentMethod": "tok_declined"}).json() == {"state": "paying"}
    _until(lambda: connector.http.get("/app/shoppers/hal/debts").json()["debts"][0]["state"] == "declined")
    assert connector.http.post(path, json={"paymentMethod": "tok_approved"}).status_code == 202
    assert _charges(connector, "captured")
    [receipt] = connector.http.get("/app/shoppers/hal/receipts").json()["receipts"]
    assert receipt["payment"] == {"state": "paid", "owed": "0.00", "refunded": "0.00"}
    assert connector.http.post(path).status_code == 409
    assert connector.http.post("/app/shoppers/hal/scan-key").status_code == 201


@pytest.mark.parametrize(
    ("method", "rules", "status", "refusal"),
    [
        ("tok_approved", {}, 200, None),
        ("tok_declined", {}, 401, "payment_declined"),
        ("tok_declined", {"when_unclear": "open"}, 401, "payment_declined"),
        ("tok_declined", {"preauthorise": 0}, 200, None),
        ("tok_pending", {}, 401, "payment_unclear"),
        ("tok_pending", {"when_unclear": "open"}, 200, None),
        ("tok_slow", {}, 401, "payment_unclear"),
        ("tok_slow", {"when_unclear": "open"}, 200, None),
        ("tok_down", {}, 401, "payment_unclear"),
        ("tok_down", {"when_unclear": "open"}, 200, None),
    ],
)
def test_gate_asks_the_payment_provider(
    hals: Callable[..., Any], a_scan: Any, method: str, rules: dict[str, Any], status: int, refusal: str | None
) -> None:
    connector = hals(method, **rules)
    key = _code(connector)
    assert [_enters(connector, a_scan, key, 1) for _ in range(2)] == [status, status]
    first, repeated = _answers(connector, 2)
    assert (first.get("refusal"), repeated["replayed"]) == (refusal, True)
    assert _enters(connector, a_scan, key, 2) in {401, status}, "a refused shopper may use the code again"
    assert _answers(connector, 3)[-1].get("refusal") == (refusal or "replayed_code")


def test_fixture_keys_associates_and_cash_shoppers_need_no_authorisation(connector: Any, a_scan: Any) -> None:
    keys = [connector.http.get(f"/app/mint/{kind}").json()["identityKey"] for kind in ("associate", "cash_shopper")]
    for number, key in enumerate([*keys, a_scan()["identityKey"]]):
        assert _enters(connector, a_scan, key, number) == 200
    for state in ("pending", "held", "releasing"):
        assert connector.operator_get(f"/ops/authorisations/{state}").json() == {"authorisations": []}
    assert connector.operator_get("/ops/authorisations/lost").status_code == 422


def test_bad_cart_keeps_its_authorisation_until_it_has_a_price(
    hals: Callable[..., Any], a_scan: Any, a_cart: Any, a_line: Any
) -> None:
    connector = hals("tok_approved", "tok_approved")
    _enters(connector, a_scan, _code(connector), 1)
    _leaves(connector, a_cart, "trip-1", 1, cartItems=[a_line("NEW-1")])
    [held] = connector.operator_get("/ops/authorisations/held").json()["authorisations"]
    assert (held["amount"], held["shoppingTripId"]) == ("20.00", "")
    product = '[[product]]\nsku = "NEW-1"\nname = "New"\nprice = "2.25"\n'
    again = hals("tok_approved", more=product)
    assert again.operator_post("/ops/parked/sell").json() == {"sold": 1, "parked": 0}
    assert _charges(again, "captured")
    [used] = again.operator_get("/ops/authorisations/used").json()["authorisations"]
    assert used["shoppingTripId"] == "trip-1"


def test_empty_cart_releases_the_authorisation(hals: Callable[..., Any], a_scan: Any, a_cart: Any) -> None:
    connector = hals("tok_approved")
    _enters(connector, a_scan, _code(connector), 1)
    _leaves(connector, a_cart, "trip-1", 1, cartItems=[])
    _until(lambda: connector.operator_get("/ops/authorisations/released").json()["authorisations"] != [])
    assert [charge["amount"] for charge in _charges(connector, "released")] == ["0.00"]


REFUND = {"refundRequestId": "AAAAAAAA-2222-4333-8444-555555555555", "shoppingTripId": "trip-1"}


def test_operator_refunds_by_a_request_id(connector: Any, a_cart: Any) -> None:
    connector.purchase(_cart_of(a_cart, "ada"))
    assert _charges(connector, "captured")
    refund = REFUND | {"amount": "0.50", "refundReasonCode": "DAMAGED_ITEM"}
    for _ in range(2):
        started = connector.operator_post("/ops/refunds", json=refund)
        assert (started.status_code, started.json()["amount"]) == (202, "0.50")
    path = f"/ops/refunds/{REFUND['refundRequestId']}"
    _until(lambda: connector.operator_get(path).json()["state"] == "done")
    connector.sign_in()
    [receipt] = connector.http.get("/app/shoppers/ada/receipts").json()["receipts"]
    assert receipt["payment"]["refunded"] == "0.50"
    assert connector.operator_post("/ops/refunds", json=refund | {"amount": "0.60"}).status_code == 409


@pytest.mark.parametrize(
    ("members", "status", "why"),
    [
        ({"refundRequestId": "1"}, 400, "refundRequestId must be a UUID"),
        ({"amount": 0.5}, 400, "amount must be a text"),
        ({"amount": "-1.00"}, 400, "amount must be a text"),
        ({"amount": "1.005"}, 400, "amount must be a text"),
        ({"amount": "0.00"}, 400, "amount must be a text"),
        ({"refundReasonCode": "BORED"}, 400, "refundReasonCode must be one of"),
        ({"shoppingTripId": ""}, 400, "shoppingTripId"),
        ({"ammount": "0.50"}, 400, "no member ammount"),
        ({"amount": "0.50", "currencyCode": "EUR"}, 400, "no member currencyCode"),
        ({}, 404, "there is no charge"),
    ],
)
def test_wrong_refund_is_refused_with_the_remedy(direct: Any, members: dict[str, Any], status: int, why: str) -> None:
    answer = direct.operator_post("/ops/refunds", json=REFUND | members)
    assert (answer.status_code, why in answer.json()["errorMsg"]) == (status, True)


def _until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(("balance", "app", "gate"), [("50.00", 201, 200), ("50.01", 409, 401)])
def test_an_open_balance_counts_at_the_gate_and_in_the_app(
    start: Callable[..., Any], a_scan: Any, tmp_path: Path, balance: str, app: int, gate: int
) -> None:
    hal = tmp_path / "hal.toml"
    hal.write_text(f'[[shopper]]\nid = "hal"\npin = "1"\nopen_balance = "{balance}"\n', "utf-8")
    connector = start(retailer_files=[hal, SAMPLE_RETAILER], app_test_keys=True)
    connector.http.post("/app/session", json={"shopper": "hal", "pin": "1"})
    assert connector.http.post("/app/shoppers/hal/scan-key").status_code == app
    kind = "shopper" if gate == 200 else "in_debt"
    key = connector.http.get(f"/app/mint/{kind}").json()["identityKey"]
    assert connector.identify(a_scan(identityKey=key)).status_code == gate


@both_databases
def test_bad_cart_is_sold_when_its_product_is_known(
    start: Callable[..., Any], a_cart: Any, a_line: Any, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.csv"
    header = "item_sku,item_name,store_id,standard_price"
    prices.write_text(f"{header}\nOLD-1,Old thing,STORE-001,1.00\n", "utf-8")
    connector = start(retailer_files=(SAMPLE_RETAILER,), price_lists=(prices,), watch_files_s=0.05)
    bought = connector.purchase(_cart_of(a_cart, "ada", cartItems=[a_line("NEW-1", "2")])).json()
    [parked] = connector.operator_get("/ops/parked").json()["parked"]
    assert (parked["purchaseId"], parked["cartItems"][0]["id"]) == (bought["purchaseId"], "NEW-1")
    assert connector.operator_post("/ops/parked/sell").json() == {"sold": 0, "parked": 1}
    prices.write_text(f"{header}\nNEW-1,New thing,STORE-001,2.25\n", "utf-8")
    [charge] = _charges(connector, "captured")
    assert charge["amount"] == "4.82", "with 7 % tax"
    assert connector.operator_get("/ops/parked").json() == {"parked": []}
    receipt = connector.receipt("trip-1")
    assert (receipt["purchaseId"], receipt["status"], receipt["total"]) == (bought["purchaseId"], "priced", "4.82")


def test_bad_cart_of_a_wrong_unit_is_charged_right_when_the_price_list_is_right(
    start: Callable[..., Any], a_cart: Any, a_line: Any, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.csv"
    header = "item_sku,item_name,store_id,standard_price,sold_by"
    prices.write_text(f"{header}\nFIGS,Figs,STORE-001,9.90,\n", "utf-8")
    connector = start(retailer_files=(SAMPLE_RETAILER,), price_lists=(prices,), watch_files_s=0.05)
    connector.purchase(_cart_of(a_cart, "ada", cartItems=[a_line("FIGS", "2000", unit="g"), a_line("NEW-1")]))
    assert _problems(connector, 2) == ["unit_does_not_fit", "unknown_item"]
    prices.write_text(f"{header}\nFIGS,Figs,STORE-001,9.90,kg\n", "utf-8")
    assert _problems(connector, 1) == ["unknown_item"]
    prices.write_text(f"{header}\nFIGS,Figs,STORE-001,9.90,kg\nNEW-1,New thing,STORE-001,2.25,\n", "utf-8")
    [charge] = _charges(connector, "captured")
    assert charge["amount"] == "23.60", "2 kg and a piece, with 7 % tax: 19.80 + 1.39 + 2.25 + 0.16"
    assert _problems(connector, 0) == []


def _problems(connector: Any, wanted: int) -> list[str]:
    """Wait until the bad carts have the expected number of problems; return their codes."""
    deadline = time.monotonic() + 10
    while True:
        bad_carts = connector.operator_get("/ops/parked").json()["parked"]
        found = [problem["code"] for bad_cart in bad_carts for problem in bad_cart["problems"]]
        if len(found) == wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.01)


@both_databases
def test_bad_carts_after_the_first_page_are_listed_and_sold(
    start: Callable[..., Any], a_cart: Any, a_line: Any, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.csv"
    header = "item_sku,item_name,store_id,standard_price"
    prices.write_text(f"{header}\nOLD-1,Old thing,STORE-001,1.00\n", "utf-8")
    connector = start(price_lists=(prices,), watch_files_s=0.05)
    for number in range(BAD_CARTS_A_PAGE + 4):
        connector.purchase(_cart_of(a_cart, "ada", trip=f"a-{number:03}", cartItems=[a_line("NEVER")]))
    for number in range(BAD_CARTS_A_PAGE + 1):
        connector.purchase(_cart_of(a_cart, "finn", "CASH", trip=f"b-{number:03}", cartItems=[a_line("NEW-1")]))
    pages = [connector.operator_get("/ops/parked").json()]
    while "next" in pages[-1]:
        pages.append(connector.operator_get("/ops/parked", params={"after": pages[-1]["next"]}).json())
    trips = [cart["shoppingTripId"] for page in pages for cart in page["parked"]]
    assert trips == sorted(set(trips))
    assert len(trips) == 2 * BAD_CARTS_A_PAGE + 5
    prices.write_text(f"{header}\nNEW-1,New thing,STORE-001,2.25\n", "utf-8")
    deadline = time.monotonic() + 20
    while not connector.events("retailer_files_loaded"):
        assert time.monotonic() < deadline
    [loaded] = connector.events("retailer_files_loaded")
    assert (loaded["sold"], loaded["parked"]) == (BAD_CARTS_A_PAGE + 1, BAD_CARTS_A_PAGE + 4)
    assert connector.operator_get("/ops/parked", params={"after": "no-such-trip"}).status_code == 404


def test_a_wrong_file_changes_nothing_and_is_logged(start: Callable[..., Any], a_cart: Any, tmp_path: Path) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text("item_sku,item_name,store_id,standard_price\nX,X,STORE-001,1.00\n", "utf-8")
    connector = start(price_lists=(prices,), watch_files_s=0.05)
    prices.write_text("item_sku,item_name,store_id,standard_price\nX,X,STORE-001,much\n", "utf-8")
    deadline = time.monotonic() + 10
    while not connector.events("retailer_files_wrong"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert connector.purchase(a_cart()).status_code == 201
    assert connector.receipt("trip-1")["status"] == "priced"
