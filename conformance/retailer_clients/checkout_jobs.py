"""The jobs of a checkout client: priced carts to send, and the faults that occur meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import NamedTuple

from conformance.platform_control import Fault
from conformance.retailer_clients.addresses import Addresses
from conformance.retailer_clients.calls import ClientCall
from conformance.retailer_clients.command import ClientRun, Runner
from conformance.retailer_clients.files import FileInput
from conformance.retailer_clients.pool import JobPool, RunJob
from conformance.retailer_clients.shop import Shop
from conformance.retailer_clients.trip_jobs import arm_all, make_trips, run_client, trip_jobs
from jwo_contract.operations import CHECKOUT_CART
from jwo_toolkit.json_types import JsonObject

API = "Checkout client"
"""The name of these cases in the register."""
_CURRENCY = "USD"
_CENT = Decimal("0.01")


class Line(NamedTuple):
    """A priced line. `price`, `tax`, `deposit` and `promotion` are of the whole line."""

    sku: str
    quantity: str
    price: str
    tax: str
    deposit: str = "0.00"
    promotion: str = "0.00"
    unit: str = "each"

    @property
    def total(self) -> Decimal:
        """What the shopper pays for the line."""
        return Decimal(self.price) + Decimal(self.tax) + Decimal(self.deposit) - Decimal(self.promotion)


Cart = tuple[Line, ...]
_SMALL: Cart = (Line("SKU-001", "1", "4.10", "0.33"), Line("SKU-002", "1", "0.20", "0.02"))
_MIXED: Cart = (
    Line("SKU-001", "3", "8.97", "0.74", deposit="0.75", promotion="1.00"),
    Line("SKU-001", "1", "2.99", "0.25"),
    Line("SKU-W01", "0.455", "3.19", "0.00", unit="lb"),
)
_MANY: Cart = tuple(Line(f"SKU-{number:03}", "1", "1.10", "0.09") for number in range(1, 21))


class Plan(NamedTuple):
    """The plan of a job: the carts and the faults."""

    carts: tuple[Cart, ...] = (_SMALL,)
    faults: tuple[Fault, ...] = ()
    unknown: bool = False
    """Whether the first trip is one that the platform does not know."""


def _at(name: str) -> tuple[Fault, ...]:
    return (Fault(name, operation=CHECKOUT_CART.name),)


PLANS: Mapping[str, Plan] = {
    "send a cart while the call is answered 429": Plan(faults=_at("throttle")),
    "send a cart while the call is answered 500, which may be retried": Plan(faults=_at("error_500_retry")),
    "send a cart of which the answer is lost": Plan(faults=_at("answer_lost")),
    "send two carts, of which the platform does not know the first trip": Plan((_SMALL, _SMALL), unknown=True),
    "send a day of carts": Plan((_SMALL, _MIXED, (), _MANY)),
}


class CheckoutJob(NamedTuple):
    """A finished job: the trips, the client's run and report, its calls, and the orders at the platform."""

    plan: Plan
    trips: tuple[str, ...]
    run: ClientRun
    result: object
    calls: Sequence[ClientCall]
    orders: Mapping[str, Decimal]
    """What the platform has taken for each order, by trip."""

    @property
    def carts(self) -> dict[str, Cart]:
        """The carts that are not empty, by trip."""
        return {trip: cart for trip, cart in zip(self.trips, self.plan.carts, strict=True) if cart}


CheckoutJobs = JobPool[CheckoutJob]


def checkout_jobs(addresses: Addresses, runner: Runner) -> AbstractContextManager[RunJob[CheckoutJob]]:
    """Return a context that connects to a platform, and yields how a job runs there."""
    return trip_jobs(addresses, runner, PLANS, _run_job)


def total_of(cart: Cart) -> Decimal:
    """Return what the shopper pays for a cart."""
    return sum((line.total for line in cart), Decimal(0)).quantize(_CENT, ROUND_HALF_UP)


def _run_job(plan: Plan, shop: Shop, runner: Runner, folder: Path) -> CheckoutJob:
    trips = make_trips(len(plan.carts), shop.visit, unknown=plan.unknown)
    arm_all(shop, plan.faults)
    given = FileInput(shop.addresses, shop.account, "CHECKOUT", folder)
    ran = run_client(shop, runner, given, _job(plan, trips, shop.store), trips)
    orders = {trip: Decimal(one["captured"]["amount"]) for trip, one in ran.charges.items() if one["captured"]}
    return CheckoutJob(plan, trips, ran.run, ran.result, ran.calls, orders)


def _job(plan: Plan, trips: Sequence[str], store: str) -> JsonObject:
    """Return what the client has to do. An empty cart has no lines."""
    named = [{"storeId": store, "shoppingTripId": trip, "currency": _CURRENCY} for trip in trips]
    return {
        "carts": [
            {**names, "lines": [line._asdict() for line in cart]} for names, cart in zip(named, plan.carts, strict=True)
        ]
    }
