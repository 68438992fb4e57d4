"""Refunds, debts and retries: what operators and shoppers start. Each function is a unit of work."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from reference_connector.errors import NotPossible, NotThere
from reference_connector.payments.matching import release_uncollected
from reference_connector.payments.retries import retry_authorisation, retry_charge, retry_debt_payment, retry_refund
from reference_connector.payments.steps import Row
from reference_connector.store import Authorisation, Charge, Records, Store, Transfer
from reference_connector.telemetry import Clock, EventLog

_ZERO = Decimal(0)
_AMAZONS_ID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-5][0-9a-f]{3}-[089ab][0-9a-f]{3}-[0-9a-f]{12}")
"""Published: the form of a refundRequestId."""


class RefundRequest(NamedTuple):
    """A request to return an amount of a trip. `amount` has two decimals; None is all that is left."""

    refund_id: str
    trip_id: str
    amount: Decimal | None
    reason: str


class PaymentDesk:
    """Starts refunds, settles debts and retries; it calls `on_work` when the outbox has new work."""

    def __init__(self, store: Store, clock: Clock, on_work: Callable[[], None], log: EventLog) -> None:
        self._store = store
        self._clock = clock
        self._on_work = on_work
        self._log = log

    async def refund(self, request: RefundRequest) -> Transfer:
        """Start a refund, or return the earlier one of the same id.

        Raises NotThere if the trip has no charge, and NotPossible if its id has another refund, if the trip is not paid
        yet, or if the refunds would be more than was collected.
        """
        refund = await self._store.transact(_refund, request, self._clock())
        self._on_work()
        self._log.event("refund_started", refundRequestId=refund.id, shoppingTripId=refund.trip_id)
        return refund

    async def find_refund(self, refund_id: str) -> Transfer:
        """Return a refund. Raises NotThere if there is none."""
        found = await self._store.transact(lambda records: records.transfers.find(refund_id.lower()))
        if found is None or found.kind != "refund":
            raise NotThere("there is no refund with this id")
        return found

    async def settle(self, trip_id: str) -> Charge:
        """Record that a shopper has paid a debt in another way; return the charge. A repeated call changes nothing.

        It closes a stuck charge too, which the provider may have collected: look there first. What is still reserved
        for the charge is released, or cancelled at the platform. Raises NotThere if the trip has no charge, and
        NotPossible if it has no debt and is not stuck, or if the shopper pays just now.
        """
        charge = await self._store.transact(_settle, trip_id, self._clock())
        self._on_work()
        self._log.event("debt_settled", shoppingTripId=trip_id)
        return charge

    async def retry_charge(self, trip_id: str) -> Charge:
        """Take up a stuck charge again, or a settled one that the platform has captured after all.

        Raises NotThere if the trip has no charge, and NotPossible if no call is left.
        """
        return await self._retry(retry_charge, trip_id)

    async def retry_authorisation(self, event_id: str) -> Authorisation:
        """Release a stuck pre-authorisation. Raises NotThere if there is none, and NotPossible if it is not stuck."""
        return await self._retry(retry_authorisation, event_id)

    async def retry_refund(self, refund_id: str) -> Transfer:
        """Take up a stuck refund again. Raises NotThere if there is none, and NotPossible if it is not stuck."""
        return await self._retry(retry_refund, refund_id.lower())

    async def retry_debt_payment(self, trip_id: str) -> Transfer:
        """Take up a stuck payment of a debt again. Raises NotPossible if the trip has none, or has no debt any more."""
        return await self._retry(retry_debt_payment, trip_id)

    async def _retry(self, retry: Callable[[Records, str, datetime], Row], key: str) -> Row:
        row = await self._store.transact(retry, key, self._clock())
        self._on_work()
        self._log.event("payment_retried", kind=type(row).__name__.lower(), id=row[0], state=row.state)
        return row

    async def pay_debt(self, shopper_id: str, trip_id: str, method: str) -> Transfer:
        """Start to collect a debt by a means of payment; while a call for it is under way, return that one.

        Raises NotThere if the shopper has no charge for the trip, and NotPossible if it has no debt, or if an earlier
        call has no clear result.
        """
        payment = await self._store.transact(_pay_debt, shopper_id, trip_id, method, self._clock())
        self._on_work()
        return payment

    async def debts_of(self, shopper_id: str) -> list[tuple[Charge, Transfer | None]]:
        """List a shopper's debts, each with the last attempt to pay it."""
        return await self._store.transact(_debts_of, shopper_id)


def _charge_of(records: Records, trip_id: str) -> Charge:
    charge = records.charges.find(trip_id)
    if charge is None:
        raise NotThere("there is no charge for this shopping trip")
    return charge


def _refund(records: Records, request: RefundRequest, now: datetime) -> Transfer:
    earlier = records.transfers.find(request.refund_id)
    if earlier is not None:
        is_same = (earlier.trip_id, earlier.kind) == (request.trip_id, "refund")
        if not is_same or request.amount not in {None, earlier.amount}:
            raise NotPossible("this refundRequestId belongs to another refund; send a new id")
        return earlier
    charge = _charge_of(records, request.trip_id)
    left = charge.collected - sum((each.amount for each in _refunds(records, request.trip_id)), _ZERO)
    amount = left if request.amount is None else request.amount
    if charge.state not in {"captured", "read_at_amazon", "declined", "settled"}:
        raise NotPossible(f"the charge is {charge.state}; only what was collected can be refunded")
    if not _ZERO < amount <= left:
        raise NotPossible(f"at most {left} {charge.currency} of this trip can be refunded")
    if charge.amazon_store and not _AMAZONS_ID.fullmatch(request.refund_id):
        raise NotPossible(
            "Amazon returns this money, and accepts as refundRequestId only a UUID of the versions 0 to 5"
        )
    refund = Transfer(
        request.refund_id,
        "refund",
        charge.trip_id,
        amount,
        charge.currency,
        charge.method,
        "refund_at_amazon" if charge.amazon_store else "pending",
        now,
        reason=request.reason,
        amazon_store=charge.amazon_store,
    )
    records.transfers.save(refund)
    return refund


def _refunds(records: Records, trip_id: str) -> list[Transfer]:
    """List the refunds that are done or may be done."""
    transfers = records.transfers.of_trip(trip_id)
    return [each for each in transfers if each.kind == "refund" and each.state != "declined"]


def _settle(records: Records, trip_id: str, now: datetime) -> Charge:
    charge = _charge_of(records, trip_id)
    if charge.state == "settled":
        return charge
    if charge.state not in {"declined", "stuck"}:
        raise NotPossible(f"the charge is {charge.state}, so there is no debt")
    if any(each.state == "pending" for each in _payments(records, trip_id)):
        raise NotPossible("the shopper pays this debt just now; try again when that is done")
    if charge.state == "stuck" or charge.amazon_store:  # earlier connectors left the hold of a debt at Amazon
        release_uncollected(records, charge, now)
    settled = charge._replace(state="settled")
    records.charges.replace(settled)
    return settled


def clear_debts(records: Records, shopper_id: str, now: datetime) -> None:
    """Settle all debts of a shopper, for the next test. Raises NotPossible if the shopper pays one just now."""
    for charge in records.debts(shopper_id):
        _settle(records, charge.trip_id, now)


def _payments(records: Records, trip_id: str) -> list[Transfer]:
    return [each for each in records.transfers.of_trip(trip_id) if each.kind == "settle"]


def _pay_debt(records: Records, shopper_id: str, trip_id: str, method: str, now: datetime) -> Transfer:
    charge = _charge_of(records, trip_id)
    if charge.shopper_id != shopper_id:
        raise NotThere("there is no charge for this shopping trip")
    attempts = _payments(records, trip_id)
    under_way = next((each for each in attempts if each.state == "pending"), None)
    if under_way is not None:
        return under_way
    if not charge.owed:
        raise NotPossible(f"the charge is {charge.state}, so there is no debt")
    if charge.amazon_store:
        raise NotPossible("Amazon takes the payments of this store; ask the store how to pay")
    if any(each.state == "stuck" for each in attempts):
        raise NotPossible("the result of an earlier payment is not known; ask the store, which can retry it")
    if not method:
        raise NotPossible("the account has no means of payment; ask the store")
    payment_id = f"{trip_id}:debt-{len(attempts) + 1}"
    payment = Transfer(payment_id, "settle", trip_id, charge.owed, charge.currency, method, "pending", now)
    records.transfers.save(payment)
    return payment


def _debts_of(records: Records, shopper_id: str) -> list[tuple[Charge, Transfer | None]]:
    debts = records.debts(shopper_id)
    return [(charge, next(reversed(_payments(records, charge.trip_id)), None)) for charge in debts]
