"""What Amazon's readers reserve: each hold ends by a capture or by one Cancel Charge, or an operator's list has it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from jwo import connector_books
from jwo_contract.operations import CANCEL_CHARGE
from tests.reference_connector.amazon_shop import AmazonShop, Steps, a_cart, amazon_shop
from tests.reference_connector.conftest import both_databases
from tests.reference_connector.payment_bench import PaymentBench
from tests.reference_connector.test_connector_amazon_answers import connect, save_charges

ITEMS = [("SKU-001", "2"), ("SKU-002", "1")]
FREE = [("SKU-FREE", "3")]
PAID: Steps = [("Adjust", "changed"), ("Capture", "changed")]
CANCELLED: Steps = [("Cancel", "changed")]
HOUR = 3_600
SAMPLES = """
[[product]]
sku = "SKU-FREE"
name = "Sample"
price = "2.00"

[[promotion]]
sku = "SKU-FREE"
kind = "percentage"
value = "100"
"""
CARD: dict[str, Any] = {"payloadType": "FINANCIAL"}


def by_code(who: str, kind: str = "SHOPPER") -> dict[str, Any]:
    return {"payloadType": "SCAN_CODE", "scanResult": {"id": who, "type": kind}}


APP, OTHER_APP, STAFF, CASH = by_code("ada"), by_code("ben"), by_code("erin", "ASSOCIATE"), by_code("carl", "CASH")
PEOPLE = {"card": CARD, "app": APP, "other app": OTHER_APP, "staff": STAFF, "cash": CASH}


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, AmazonShop]]:
    """One shop of each model, made when a test needs it."""

    class Shops(dict[str, AmazonShop]):
        def __missing__(self, model: str) -> AmazonShop:
            folder = tmp_path_factory.mktemp(model)
            storage = {"store": {"path": folder / "connector.sqlite3"}, "admin": {"token": "a-token-of-the-operator"}}
            self[model] = stack.enter_context(amazon_shop(folder, storage, model, rows=SAMPLES))
            return self[model]

    with ExitStack() as stack:
        yield Shops()


def a_group(shop: AmazonShop, items: list[Any], *people: str) -> dict[str, Any]:
    """Return the cart of a group, of which each person has an event; a card makes the trip known to the platform."""
    cart = a_cart(shop.platform.enter(), items, **PEOPLE[people[0]])
    trip = cart["shoppingTrip"]
    first = {name: value for name, value in trip["authEvents"][0].items() if name != "scanResult"}
    trip["authEvents"] += [
        first | {"id": f"{first['id']}-{number}"} | PEOPLE[each] for number, each in enumerate(people[1:], start=1)
    ]
    return cart


def booked(shop: AmazonShop, monkeypatch: pytest.MonkeyPatch, trip: str) -> list[str]:
    """Return the kinds of postings that a trip has in the connector's own book."""
    sales = shop.run("GET", "/ops/sales", params={"limit": 500}).json()["sales"]
    monkeypatch.setattr(connector_books, "_sales", lambda *_: iter(sales))
    [own] = connector_books.read_books("http://connector", "token", with_feeds=False).books
    return [one.kind for one in own.postings if one.tripId == trip]


def authorisations(shop: AmazonShop, state: str, trip: str) -> list[dict[str, Any]]:
    found = shop.run("GET", f"/ops/authorisations/{state}").json()["authorisations"]
    return [one for one in found if one["shoppingTripId"] == trip and one["amazonStore"]]


def wait_for_hold(shop: AmazonShop, state: str, trip: str) -> dict[str, Any]:
    for _ in range(100):
        if found := authorisations(shop, state, trip):
            return found[0]
        shop.wait(1)
    raise AssertionError(shop.log.getvalue()[-2000:])


@pytest.mark.parametrize(
    ("model", "people", "items", "steps"),
    [
        ("mixed", ("app", "card"), ITEMS, CANCELLED),
        ("mixed", ("app", "card"), [], CANCELLED),
        ("mixed", ("app", "card"), FREE, CANCELLED),
        ("mixed", ("app", "card", "other app", "card"), ITEMS, CANCELLED),
        ("mixed", ("staff", "card"), ITEMS, CANCELLED),
        ("mixed", ("cash", "card"), [], CANCELLED),
        ("mixed", ("app", "other app"), ITEMS, []),
        ("mixed", ("cash", "app"), ITEMS, []),
        ("mixed", ("card", "app"), ITEMS, PAID),
        ("mixed", ("card", "staff"), ITEMS, PAID),
        ("mixed", ("card", "cash"), ITEMS, PAID),
        ("amazon", ("app", "card"), ITEMS, PAID),
        ("amazon", ("card", "card"), ITEMS, PAID),
        ("amazon", ("card", "card"), [], CANCELLED),
        ("amazon", ("card", "card"), FREE, CANCELLED),
        ("amazon", ("cash", "card"), ITEMS, CANCELLED),
        ("amazon", ("staff", "app"), ITEMS, CANCELLED),
        ("amazon", ("staff", "cash"), ITEMS, []),
        ("checkout", ("cash", "card"), ITEMS, CANCELLED),
        ("checkout", ("cash", "card"), [], []),
        ("checkout", ("card", "cash"), [], []),
    ],
    ids=str,
)
def test_group_ends_the_hold_of_each_card(
    shops: dict[str, AmazonShop],
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    people: tuple[str, ...],
    items: list[Any],
    steps: Steps,
) -> None:
    shop = shops[model]
    cart = a_group(shop, items, *people)
    trip = cart["idempotentShoppingTripId"]
    for _ in range(2):  # a repeated cart has no effect
        shop.deliver(cart)
    for _ in range(20):
        if shop.steps(trip) == steps:
            break
        shop.wait(1)
    shop.wait(1)
    assert shop.steps(trip) == steps
    ends = {"Capture": ["capture"], "Cancel": ["cancel"]}
    assert booked(shop, monkeypatch, trip) == ["order", *(ends[steps[-1][0]] if steps else [])]
    assert authorisations(shop, "stuck", trip) == []


@pytest.mark.parametrize("other", ["app", "staff", "cash"])
def test_declined_card_that_entered_first_owes_and_not_the_one_that_followed(
    shops: dict[str, AmazonShop], other: str
) -> None:
    shop = shops["mixed"]
    shop.fault("charge_declined", "Adjust Charge")
    cart = a_group(shop, ITEMS, "card", other) | {"shopperIdentity": {"id": "card-0001"}}
    shop.deliver(cart)
    trip = cart["idempotentShoppingTripId"]
    assert shop.charge(trip, "declined")["shopperId"] == "card-0001"


@both_databases
def test_hold_of_a_card_that_does_not_pay_is_cancelled_beside_the_charge(
    storage: dict[str, Any], tmp_path: Path
) -> None:
    with amazon_shop(tmp_path, storage, "mixed") as shop:
        shop.fault("answer_lost", "Cancel Charge")
        cart = a_group(shop, ITEMS, "app", "card")
        trip = cart["idempotentShoppingTripId"]
        shop.deliver(cart)
        assert shop.charge(trip, "captured")["amazonStore"] == ""
        hold = wait_for_hold(shop, "released", trip)
        assert (hold["authEventId"], hold["trouble"]) == (f"{trip}:amazon", "")
        assert shop.steps(trip) == [("Cancel", "changed"), ("Cancel", "repeated")]


@both_databases
def test_bad_cart_keeps_the_card_of_its_group_until_it_has_a_price(storage: dict[str, Any], tmp_path: Path) -> None:
    with amazon_shop(tmp_path, storage, "mixed", watch_files_s=0.01) as shop:
        cart = a_group(shop, FREE, "app", "card")
        trip = cart["idempotentShoppingTripId"]
        shop.deliver(cart)
        shop.wait(1)
        assert shop.steps(trip) == []
        assert [one["shoppingTripId"] for one in shop.run("GET", "/ops/parked").json()["parked"]] == [trip]
        with (tmp_path / "retailer.toml").open("a") as file:
            file.write(SAMPLES)
        wait_for_hold(shop, "released", trip)
        assert shop.steps(trip) == CANCELLED


@both_databases
@pytest.mark.parametrize(
    ("operation", "items", "before"),
    [("Adjust Charge", ITEMS, []), ("Capture Charge", ITEMS, PAID[:1]), ("Cancel Charge", [], [])],
)
def test_settled_stuck_charge_cancels_its_hold_once(
    storage: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    items: list[Any],
    before: Steps,
) -> None:
    with amazon_shop(tmp_path, storage) as shop:
        shop.fault("error_500_final", operation)
        trip = shop.sell(items)
        shop.charge(trip, "stuck")
        assert shop.steps(trip) == before
        states = [shop.run("POST", f"/ops/debts/{trip}/settle").json()["state"] for _ in range(2)]
        wait_for_hold(shop, "released", trip)
        shop.run("POST", f"/ops/debts/{trip}/settle")
        shop.wait(HOUR)
        assert states == ["settled", "settled"]
        assert shop.steps(trip) == [*before, *CANCELLED]
        assert booked(shop, monkeypatch, trip) == ["order", "cancel"]
        assert shop.run("POST", f"/ops/charges/{trip}/retry").status_code == 409


@both_databases
def test_charge_that_was_captured_after_all_is_found_after_its_settlement(
    storage: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with amazon_shop(tmp_path, storage) as shop:
        shop.fault("answer_lost", "Capture Charge", times=4)
        trip = shop.sell(ITEMS)
        shop.charge(trip, "stuck")
        shop.run("POST", f"/ops/debts/{trip}/settle")
        assert wait_for_hold(shop, "stuck", trip)["trouble"] == "refused_400: BadRequestException"
        assert booked(shop, monkeypatch, trip) == ["order"]

        assert shop.run("POST", f"/ops/charges/{trip}/retry").status_code == 202
        shop.charge(trip, "captured")
        assert [len(authorisations(shop, state, trip)) for state in ("stuck", "used")] == [0, 1]
        assert booked(shop, monkeypatch, trip) == ["order", "capture"]
        assert {step for step in shop.steps(trip) if step[1] == "changed"} == set(PAID)
        refund_id = "3b241101-e2bb-4255-8caf-000000000011"
        body = {"refundRequestId": refund_id, "shoppingTripId": trip}
        assert shop.run("POST", "/ops/refunds", json=body).status_code == 202
        shop.refund(refund_id, "done")


def test_settled_charge_is_taken_up_again_only_if_money_may_be_taken(shops: dict[str, AmazonShop]) -> None:
    shop = shops["amazon"]
    shop.fault("error_500_final", "Capture Charge")
    shop.fault("error_500_final", "Cancel Charge")
    trip = shop.sell(ITEMS)
    shop.charge(trip, "stuck")
    shop.run("POST", f"/ops/debts/{trip}/settle")
    assert wait_for_hold(shop, "stuck", trip)["trouble"].startswith("refused_500")
    assert shop.run("POST", f"/ops/charges/{trip}/retry").status_code == 409
    assert shop.run("POST", f"/ops/authorisations/{trip}:amazon/retry").status_code == 202
    wait_for_hold(shop, "released", trip)
    assert shop.steps(trip) == [*PAID[:1], *CANCELLED]


def test_trip_that_the_platform_does_not_know_has_no_hold(
    shops: dict[str, AmazonShop], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, trip = shops["amazon"], "No-Such-Trip"
    shop.sell(ITEMS, trip)
    shop.charge(trip, "stuck")
    shop.run("POST", f"/ops/debts/{trip}/settle")
    assert wait_for_hold(shop, "released", trip)["trouble"] == "refused_400: UnknownShoppingTrip"
    assert booked(shop, monkeypatch, trip) == ["order"]


@both_databases
def test_declined_total_ends_its_hold_and_stays_a_debt(
    storage: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with amazon_shop(tmp_path, storage) as shop:
        shop.fault("charge_declined", "Adjust Charge")
        shop.fault("error_503", "Cancel Charge")
        trip = shop.sell(ITEMS)
        shop.charge(trip, "declined")
        wait_for_hold(shop, "released", trip)
        assert shop.run("POST", f"/ops/debts/{trip}/settle").json()["state"] == "settled"
        shop.wait(HOUR)
        assert shop.steps(trip) == [("Adjust", "changed"), *CANCELLED]
        assert booked(shop, monkeypatch, trip) == ["order", "cancel"]


def test_killed_connector_repeats_its_cancellation(bench: PaymentBench) -> None:
    bodies: list[Any] = []
    called = asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == CANCEL_CHARGE.path
        bodies.append(json.loads(request.content))
        called.set()
        if len(bodies) == 1:
            await asyncio.sleep(60)  # the process dies after the platform's effect, before the answer
        return httpx.Response(200, stream=httpx.ByteStream(b""))

    async def die_at_the_call() -> None:
        running = asyncio.create_task(bench.outbox.settle_due())
        await called.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    connect(bench, answer)
    save_charges(bench, "trip-1")
    stuck = bench.charge()._replace(state="stuck", stuck_in="capture_at_amazon")
    bench.run(bench.store.transact(lambda records: records.charges.replace(stuck)))
    bench.run(bench.desk.settle("trip-1"))
    bench.run(die_at_the_call())
    assert bench.authorisation("trip-1:amazon").state == "cancel_at_amazon"
    bench.restart()
    bench.run(bench.desk.settle("trip-1"))
    bench.work()
    assert bench.authorisation("trip-1:amazon").state == "released"
    assert bodies == [{"storeId": "STORE-001", "shoppingTripId": "trip-1"}] * 2


@pytest.mark.parametrize(
    ("fault", "times", "steps", "state"),
    [("error_500_final", 1, CANCELLED, "released"), ("answer_lost", 4, [("Checkout Cart", "changed")], "stuck")],
    ids=["not sent", "charged after all"],
)
def test_settled_cart_of_a_checkout_store_cancels_what_amazon_did_not_charge(
    shops: dict[str, AmazonShop], fault: str, times: int, steps: Steps, state: str
) -> None:
    shop = shops["checkout"]
    trip = shop.platform.enter()
    shop.platform.post(f"/trips/{trip}/leave")
    shop.fault(fault, "Checkout Cart", times=times)
    shop.sell(ITEMS, trip)
    shop.charge(trip, "stuck")
    shop.run("POST", f"/ops/debts/{trip}/settle")
    wait_for_hold(shop, state, trip)
    assert [step for step in shop.steps(trip) if step[1] == "changed"] == steps
    if state == "stuck":
        assert shop.run("POST", f"/ops/charges/{trip}/retry").status_code == 202
        shop.charge(trip, "captured")
        assert len(authorisations(shop, "used", trip)) == 1
