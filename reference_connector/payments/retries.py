"""Retries of stuck payments, which operators start. Each function is a unit of work.

A row that is not stuck is refused, so a repeated retry takes nothing up a second time.
"""

from __future__ import annotations

from datetime import datetime

from reference_connector.errors import NotPossible, NotThere
from reference_connector.payments.steps import Row, resumed
from reference_connector.store import Authorisation, Charge, Records, Transfer, hold_of
from reference_connector.store.leases import Leased

_TOOK_MONEY = frozenset({"capture_at_amazon", "checkout_at_amazon"})
_NOT_CANCELLED = "refused_400"


def retry_charge(records: Records, trip_id: str, now: datetime) -> Charge:
    """Take up a stuck charge at the call that had no result.

    It also takes up a settled charge if that call takes money, and the platform has then refused to cancel the hold. So
    the money was taken after all: the repeated call records it, and a refund can return it.
    """
    charge = records.charges.find(trip_id)
    if charge is None:
        raise NotThere("there is no charge for this shopping trip")
    if charge.state == "settled" and charge.stuck_in in _TOOK_MONEY:
        hold = records.authorisations.find(hold_of(trip_id))
        if hold is not None and hold.state == "stuck" and hold.trouble.startswith(_NOT_CANCELLED):
            records.authorisations.replace(hold._replace(state="used"))
            charge = charge._replace(state="stuck")
    if charge.state == "stuck" and not charge.stuck_in:
        raise NotPossible(
            f"the charge is stuck for another reason ({charge.trouble}), so there is no call to repeat; "
            "settle it when the shopper has paid in another way"
        )
    return _resume(records.charges, charge, now)


def retry_authorisation(records: Records, event_id: str, now: datetime) -> Authorisation:
    """Release a stuck pre-authorisation, after its call is repeated if that had no result."""
    held = records.authorisations.find(event_id) or records.authorisations.find(event_id.lower())
    if held is None:
        raise NotThere("there is no pre-authorisation for this authEvent")
    return _resume(records.authorisations, held, now)


def retry_refund(records: Records, refund_id: str, now: datetime) -> Transfer:
    """Take up a stuck refund again."""
    refund = records.transfers.find(refund_id)
    if refund is None or refund.kind != "refund":
        raise NotThere("there is no refund with this id")
    return _resume(records.transfers, refund, now)


def retry_debt_payment(records: Records, trip_id: str, now: datetime) -> Transfer:
    """Take up the stuck payment of a debt again. A debt that is settled must not be paid a second time."""
    charge = records.charges.find(trip_id)
    attempts = [each for each in records.transfers.of_trip(trip_id) if each.kind == "settle"]
    if charge is None or not attempts:
        raise NotThere("there is no payment of a debt for this shopping trip")
    if not charge.owed:
        raise NotPossible(f"the charge is {charge.state}, so there is no debt")
    return _resume(records.transfers, next((each for each in attempts if each.state == "stuck"), attempts[-1]), now)


def _resume(table: Leased[Row], row: Row, now: datetime) -> Row:
    if row.state != "stuck":
        raise NotPossible(f"this payment is {row.state}; only a stuck one can be retried")
    again = resumed(row, now)
    table.replace(again)
    return again
