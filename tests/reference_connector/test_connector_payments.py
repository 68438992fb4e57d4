"""Payment: who pays, the outbox, the simulated provider, debts at the gate, and bad carts that are priced later."""

from __future__ import annotations

import asyncio
import base64
import io
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reference_connector.errors import PaymentUnclear
from reference_connector.orders import BAD_CARTS_A_PAGE
from reference_connector.payments import PaymentOutbox, payer_of
from reference_connector.settings import SAMPLE_RETAILER, Payments
from reference_connector.simulated_provider import SimulatedProvider, captured
from reference_connector.store import Charge, ChargeState, Store
from reference_connector.store.postgres import PostgresStore
from reference_connector.store.sqlite import SqliteStore
from reference_connector.telemetry import EventLog
from tests.reference_connector.conftest import both_databases

NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)


class Bench:
    """An outbox on a store, with a movable clock and a provider with a ledger."""

    def __init__(self, store: Store, ledger: Path, provider: Any = None) -> None:
        self.now = NOW
        self.store = store
        self.ledger = ledger
        self.provider = provider or SimulatedProvider(ledger)
        self.log = io.StringIO()
        self.runner = asyncio.Runner()
        self.outbox = self.worker("one")

    def worker(self, owner: str) -> PaymentOutbox:
        log = EventLog(lambda: self.now, self.log)
        return PaymentOutbox(
            store=self.store,
            provider=self.provider,
            rules=Payments(attempts_max=4, lease_s=30),
            owner=owner,
            clock=lambda: self.now,
            log=log,
        )

    def put(self, method: str, trip: str = "trip-1") -> None:
        charge = Charge(trip, "ada", Decimal("12.34"), "USD", method, "pending", NOW)
        self.runner.run(self.store.transact(lambda records: records.save_charge(charge)))

    def settle(self, times: int = 1) -> Charge:
        for _ in range(times):
            self.runner.run(self.outbox.settle_due())
            self.now += timedelta(seconds=300)
        return self.charge()

    def charge(self, trip: str = "trip-1") -> Charge:
        found = self.runner.run(self.store.transact(lambda records: records.find_charge(trip)))
        assert found is not None
        return found


@pytest.fixture(params=["sqlite", "postgres"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    sqlite = request.param == "sqlite"
    store: Any = SqliteStore(tmp_path / "s") if sqlite else PostgresStore(request.getfixturevalue("postgres_url"))
    store.open()
    made = Bench(store, tmp_path / "ledger.sqlite3")
    yield made
    made.runner.close()
    store.close()
    made.provider.close()


@pytest.mark.parametrize(
    ("method", "attempts", "state", "taken"),
    [
        ("tok_approved", 1, "captured", 1),
        ("tok_declined", 1, "declined", 0),
        ("tok_declined_at_capture", 1, "declined", 0),
        ("tok_timeout", 2, "authorised", 0),
        ("tok_timeout", 3, "captured", 1),
        ("tok_late_success", 3, "captured", 1),
        ("tok_timeout_always", 4, "stuck", 0),
        ("tok_duplicate", 1, "captured", 1),
    ],
)
def test_magic_values(bench: Bench, method: str, attempts: int, state: ChargeState, taken: int) -> None:
    bench.put(method)
    assert bench.settle(attempts).state == state
    assert len(captured(bench.ledger).get("trip-1", [])) == taken


def test_settled_charge_stays_unchanged(bench: Bench) -> None:
    bench.put("tok_approved")
    bench.settle(3)
    assert captured(bench.ledger) == {"trip-1": [Decimal("12.34")]}


def test_two_workers_settle_each_charge_once(bench: Bench) -> None:
    for number in range(40):
        bench.put("tok_approved", f"trip-{number}")
    other = bench.worker("two")

    async def both() -> list[int]:
        return await asyncio.gather(bench.outbox.settle_due(), other.settle_due())

    assert sum(bench.runner.run(both())) == 40
    assert all(len(amounts) == 1 for amounts in captured(bench.ledger).values())


class Crash(BaseException):
    """Acts like the end of the process: no code catches it, and nothing is recorded."""


class Crashing(SimulatedProvider):
    """Has the effect, and then ends the caller."""

    crash_at = ""

    async def authorise(self, key: str, charge: Charge) -> str:
        reference = await super().authorise(key, charge)
        return self._crash("authorise", reference)

    async def capture(self, key: str, charge: Charge) -> None:
        await super().capture(key, charge)
        self._crash("capture", "")

    def _crash(self, step: str, result: str) -> str:
        if self.crash_at == step:
            raise Crash
        return result


@pytest.mark.parametrize("step", ["authorise", "capture"])
def test_crash_after_the_effect_neither_loses_nor_doubles_it(bench: Bench, step: str) -> None:
    bench.provider = Crashing(bench.ledger)
    bench.provider.crash_at = step
    bench.put("tok_approved")
    with pytest.raises(Crash):
        bench.runner.run(bench.worker("dead").settle_due())
    bench.provider.crash_at = ""
    assert bench.runner.run(bench.worker("two").settle_due()) == 0, "the dead one's lease is not over"
    bench.now += timedelta(seconds=31)
    bench.runner.run(bench.worker("two").settle_due())
    assert bench.charge().state == "captured"
    assert captured(bench.ledger) == {"trip-1": [Decimal("12.34")]}


class Surprising(SimulatedProvider):
    """Raises an unexpected error at the first call."""

    calls = 0

    async def capture(self, key: str, charge: Charge) -> None:
        self.calls += 1
        if self.calls == 1:
            raise KeyError("answer")
        await super().capture(key, charge)


def test_unexpected_error_of_the_provider_does_not_stop_the_outbox(bench: Bench) -> None:
    bench.provider = Surprising(bench.ledger)
    bench.outbox = bench.worker("one")
    bench.put("tok_approved")
    charge = bench.settle()
    assert (charge.state, charge.attempts, charge.trouble) == ("authorised", 1, "payment_unclear")
    assert '"reason":"KeyError"' in bench.log.getvalue()
    assert bench.settle().state == "captured"
    assert captured(bench.ledger) == {"trip-1": [Decimal("12.34")]}


def test_unwritable_ledger_is_an_unclear_answer(tmp_path: Path) -> None:
    provider = SimulatedProvider(tmp_path / "no" / "such")
    charge = Charge("t", "ada", Decimal(1), "USD", "tok_approved", "pending", NOW)
    with pytest.raises(PaymentUnclear):
        asyncio.run(provider.authorise("key", charge))


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


@both_databases
def test_declined_charge_closes_the_gate_and_the_app(connector: Any, a_scan: Any, a_cart: Any, a_line: Any) -> None:
    connector.sign_in("gus")
    code = connector.http.post("/app/shoppers/gus/scan-key").json()["code"]
    connector.purchase(_cart_of(a_cart, "gus", cartItems=[a_line("SKU-002", "12")]))
    assert [charge["amount"] for charge in _charges(connector, "declined")] == ["57.66"]
    key = base64.b64encode(code.encode()).decode()
    assert connector.identify(a_scan(identityKey=key)).status_code == 401
    assert connector.events("identity_answered")[-1]["refusal"] == "open_balance"
    assert connector.http.post("/app/shoppers/gus/scan-key").status_code == 409


@both_databases
def test_declined_charge_is_a_bad_debt_of_a_card_shopper(
    start: Callable[..., Any], a_cart: Any, a_line: Any, tmp_path: Path
) -> None:
    (tmp_path / "cards.toml").write_text('[[card_shopper]]\nid = "gus"\n', "utf-8")
    connector = start(retailer_files=[SAMPLE_RETAILER, tmp_path / "cards.toml"])
    tap = {"storeId": "STORE-001", "shopperIdentity": {"id": "gus"}}
    assert connector.http.post("/v1/fraudandabuse/shopperauthorization", json=tap).json() == {"shopperAuthorized": True}
    connector.purchase(_cart_of(a_cart, "gus", cartItems=[a_line("SKU-002", "12")]))
    assert _charges(connector, "declined")
    refused = {"shopperAuthorized": False, "shopperRisks": ["BadDebt"]}
    assert connector.http.post("/v1/fraudandabuse/shopperauthorization", json=tap).json() == refused


@pytest.mark.parametrize(("balance", "app", "gate"), [("50.00", 201, 200), ("50.01", 409, 401)])
def test_an_open_balance_counts_at_the_gate_and_in_the_app(
    start: Callable[..., Any], a_scan: Any, tmp_path: Path, balance: str, app: int, gate: int
) -> None:
    hal = tmp_path / "hal.toml"
    hal.write_text(f'[[shopper]]\nid = "hal"\npin = "1"\nopen_balance = "{balance}"\n', "utf-8")
    connector = start(retailer_files=[hal, SAMPLE_RETAILER], app_test_keys=True)
    connector.http.post("/app/session", json={"shopper": "hal", "pin": "1"})
    assert connector.http.post("/app/shoppers/hal/scan-key").status_code == app
    key = connector.http.get("/app/mint/shopper").json()["identityKey"]  # the first shopper's, without the app's checks
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
