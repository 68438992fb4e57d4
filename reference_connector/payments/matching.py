"""Matches the charge of a trip with the pre-authorisations of its entries, and releases what no charge collects.

Each function is part of a unit of work.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from reference_connector.store import (
    Authorisation,
    AuthorisationState,
    Charge,
    ChargeState,
    Records,
    hold_of,
    reservation_of,
)


def match_charge(records: Records, charge: Charge, now: datetime, wait: timedelta) -> Charge:
    """Return the next state of a charge that is `matching`.

    The charge uses the pre-authorisation of its payer. The other ones of the trip are to be released: those of a group,
    and all of them if there is nothing to pay, or if Amazon collects the charge. While the provider still decides on
    one of them, the charge waits.
    """
    event_ids = dict.fromkeys(charge.event_ids)
    found = [each for event_id in event_ids if (each := records.authorisations.find(event_id))]
    if any(each.state == "pending" for each in found):
        return charge._replace(due_at=now + wait)
    held = [each for each in found if each.state == "held"]
    used = next((each for each in held if _pays(each, charge)), None)
    for each in held:
        state: AuthorisationState = "used" if each is used else "releasing"
        records.authorisations.replace(each._replace(state=state, due_at=now, trip_id=charge.trip_id))
    if charge.amazon_store:
        return charge._replace(state=first_step_at_amazon(charge.amount))
    if not charge.amount:
        return charge._replace(state="released")
    if used is None:
        return charge._replace(state="pending")
    return charge._replace(state="adjusting", authorised=used.amount, reference=used.reference, method=used.method)


def _pays(held: Authorisation, charge: Charge) -> bool:
    """Return whether a pre-authorisation is the payer's, for a charge of more than nothing."""
    is_payers = (held.shopper_id, held.currency) == (charge.shopper_id, charge.currency)
    return bool(charge.amount) and not charge.amazon_store and is_payers


def first_step_at_amazon(total: Decimal) -> ChargeState:
    """Return the first step of a charge that Amazon collects. With nothing to pay, it is a cancellation."""
    return "adjust_at_amazon" if total else "cancel_at_amazon"


def release_uncollected(records: Records, charge: Charge, now: datetime) -> None:
    """Have the reservation of a charge released, of which nothing is captured. A repeated call has no effect.

    The reservation is a pre-authorisation, or the charge's own one, or what Amazon's reader reserved. The last two have
    no row yet.
    """
    if charge.captured:
        return
    if charge.amazon_store:
        _cancel_hold(records, charge, now)
        return
    if not charge.reference:
        return
    found = (records.authorisations.find(event_id) for event_id in charge.event_ids)
    entered = next((each for each in found if each and each.reference == charge.reference), None)
    if entered is None:
        _release_own(records, charge, now)
    elif entered.state == "used":
        records.authorisations.replace(entered._replace(state="releasing", due_at=now))


def _release_own(records: Records, charge: Charge, now: datetime) -> None:
    key = reservation_of(charge.trip_id)
    if records.authorisations.find(key) is None:
        amount, currency = charge.authorised or charge.amount, charge.currency
        own = Authorisation(key, charge.shopper_id, amount, currency, charge.method, "releasing", now)
        records.authorisations.save(own._replace(reference=charge.reference, trip_id=charge.trip_id))


def hold_to_cancel(trip_id: str, shopper_id: str, store_id: str, currency: str, now: datetime) -> Authorisation:
    """Return the row that has the platform cancel what Amazon's reader reserved for a trip."""
    hold = Authorisation(hold_of(trip_id), shopper_id, Decimal(0), currency, "", "cancel_at_amazon", now)
    return hold._replace(trip_id=trip_id, amazon_store=store_id)


def _cancel_hold(records: Records, charge: Charge, now: datetime) -> None:
    found = records.authorisations.find(hold_of(charge.trip_id))
    if found is None:
        ids = charge.trip_id, charge.shopper_id, charge.amazon_store
        records.authorisations.save(hold_to_cancel(*ids, charge.currency, now))
    elif found.state == "used":
        again = found._replace(state="cancel_at_amazon", due_at=now, attempts=0, trouble="")
        records.authorisations.replace(again)
