"""The jobs of a payment client: trips to charge, refunds to make, and the faults that occur meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
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
from jwo_contract.operations import ADJUST_CHARGE, CAPTURE_CHARGE, REFUND_CHARGE
from jwo_toolkit.json_types import JsonObject

API = "Payment client"
"""The name of these cases in the register."""
CURRENCY = "USD"
AUTHORIZED = Decimal("50.00")
"""What the platform reserves at entry; a total above it needs an adjustment."""
_PENDING_S = 0.8
_ALWAYS = 1000


class RefundOrder(NamedTuple):
    """A refund to make: the index of its trip, its amount and its reason."""

    trip: int
    amount: Decimal
    reason: str = "DAMAGED_ITEM"


class Plan(NamedTuple):
    """The plan of a job: the total of each trip, 0 for an empty cart, the refunds, and the faults."""

    totals: tuple[Decimal, ...] = (Decimal("12.30"),)
    refunds: tuple[RefundOrder, ...] = ()
    faults: tuple[Fault, ...] = ()
    first_trip: Fault | None = None
    """A fault of the payment that applies to the first trip only."""
    unknown: bool = False
    """Whether the first trip is one that the platform does not know."""


_ONE_REFUND = (RefundOrder(0, Decimal("2.35")),)


def _at(name: str, *operations: str) -> tuple[Fault, ...]:
    return tuple(Fault(name, operation=each) for each in operations)


DAY = "charge a day of trips"
PLANS: Mapping[str, Plan] = {
    "charge a trip while capture and refund are answered 429": Plan(
        refunds=_ONE_REFUND, faults=_at("throttle", CAPTURE_CHARGE.name, REFUND_CHARGE.name)
    ),
    "charge a trip while adjustment and refund are answered 500, which may be retried": Plan(
        refunds=_ONE_REFUND, faults=_at("error_500_retry", ADJUST_CHARGE.name, REFUND_CHARGE.name)
    ),
    "charge a trip while the capture is answered 503": Plan(faults=_at("error_503", CAPTURE_CHARGE.name)),
    "charge a trip of which the answers to capture and refund are lost": Plan(
        refunds=_ONE_REFUND, faults=_at("answer_lost", CAPTURE_CHARGE.name, REFUND_CHARGE.name)
    ),
    DAY: Plan(
        totals=(Decimal("12.30"), Decimal("73.05"), Decimal("0.00"), Decimal("0.29"), Decimal("1149.99")),
        refunds=(
            RefundOrder(0, Decimal("2.35")),
            RefundOrder(0, Decimal("2.35")),
            RefundOrder(1, Decimal("73.05"), "JWO_TECH_ERROR"),
        ),
    ),
    "charge a trip of which the adjustment is pending": Plan(
        totals=(Decimal("61.20"),), first_trip=Fault("charge_pending", _PENDING_S)
    ),
    "charge two trips, of which the first is declined": Plan(
        totals=(Decimal("61.20"), Decimal("8.05")), first_trip=Fault("charge_declined", times=_ALWAYS)
    ),
    "charge two trips, of which the platform does not know the first": Plan(
        totals=(Decimal("12.30"), Decimal("8.05")), unknown=True
    ),
}


class PaymentJob(NamedTuple):
    """A finished job: the trips, the client's run and report, its calls, and the charges at the platform."""

    plan: Plan
    trips: tuple[str, ...]
    run: ClientRun
    result: object
    calls: Sequence[ClientCall]
    charges: Mapping[str, JsonObject]

    @property
    def totals(self) -> dict[str, Decimal]:
        """The total of each trip with a cart."""
        return {trip: total for trip, total in zip(self.trips, self.plan.totals, strict=True) if total}

    @property
    def empty(self) -> tuple[str, ...]:
        """The trips with an empty cart."""
        return tuple(trip for trip, total in zip(self.trips, self.plan.totals, strict=True) if not total)

    @property
    def captured(self) -> dict[str, Decimal]:
        """What the platform has taken, by trip."""
        taken = {trip: charge["captured"] for trip, charge in self.charges.items()}
        return {trip: Decimal(money["amount"]) for trip, money in taken.items() if money}


def payment_jobs(addresses: Addresses, runner: Runner) -> AbstractContextManager[RunJob[PaymentJob]]:
    """Return a context that connects to a platform, and yields how a job runs there."""
    return trip_jobs(addresses, runner, PLANS, _run_job)


PaymentJobs = JobPool[PaymentJob]


def refund_ids(plan: Plan) -> list[str]:
    """Return the retailer's own number of each refund."""
    return [f"R-{number:04}" for number in range(1, len(plan.refunds) + 1)]


def _run_job(plan: Plan, shop: Shop, runner: Runner, folder: Path) -> PaymentJob:
    trips = make_trips(len(plan.totals), shop.enter, unknown=plan.unknown)
    arm_all(shop, plan.faults)
    if plan.first_trip:
        shop.control.arm(plan.first_trip, trip=trips[0])
    given = FileInput(shop.addresses, shop.account, "PAYMENT", folder)
    ran = run_client(shop, runner, given, _job(plan, trips, shop.store), trips)
    return PaymentJob(plan, trips, *ran)


def _job(plan: Plan, trips: Sequence[str], store: str) -> JsonObject:
    """Return what the client has to do. An empty cart has the total 0.00."""
    return {
        "trips": [
            {"storeId": store, "shoppingTripId": trip, "total": f"{total:.2f}", "currency": CURRENCY}
            for trip, total in zip(trips, plan.totals, strict=True)
        ],
        "refunds": [
            {
                "refundId": refund_id,
                "storeId": store,
                "shoppingTripId": trips[one.trip],
                "amount": f"{one.amount:.2f}",
                "currency": CURRENCY,
                "reason": one.reason,
            }
            for refund_id, one in zip(refund_ids(plan), plan.refunds, strict=True)
        ],
    }
