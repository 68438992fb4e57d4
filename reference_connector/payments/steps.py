"""The steps of a payment: each one makes one call to the provider, and returns the row's next state.

The outbox commits that state before it takes the next step. So a step that is repeated after a crash makes the same
call again, with the same key and the same amount.

The steps of payments that Amazon holds are in `payments.amazon`.

    charge          pending ─> authorised ─> captured
                    adjusting ─> adjusted ─> captured   (if the trip has a pre-authorisation)
                    … ─> collecting ─> captured   (the rest, by another means)
                    … ─> declined                 (a debt)
    authorisation   pending ─> held ─> used by a charge, or releasing ─> released
    transfer        pending ─> done
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from reference_connector.payments.provider import PaymentCall, PaymentProvider
from reference_connector.settings import Payments
from reference_connector.store import Authorisation, Charge, Transfer

Row = TypeVar("Row", Charge, Authorisation, Transfer)


class Steps:
    """Takes the steps. Each method raises what the provider raises."""

    def __init__(self, provider: PaymentProvider, rules: Payments, clock: Callable[[], datetime]) -> None:
        self._provider = provider
        self._rules = rules
        self._clock = clock

    async def next(self, row: Row) -> Row:
        """Make the provider's call that a row waits for; return the row's next state."""
        if isinstance(row, Charge):
            return await self._charge(row)
        if isinstance(row, Authorisation):
            return await self._authorisation(row)
        return await self._transfer(row)

    async def _charge(self, charge: Charge) -> Charge:
        if charge.state == "pending":
            reference = await self._provider.authorise(_call(charge, "authorise"))
            return charge._replace(state="authorised", authorised=charge.amount, reference=reference, attempts=0)
        if charge.state == "adjusting":
            await self._provider.adjust(_call(charge, "adjust"))
            return charge._replace(state="adjusted", authorised=charge.amount, attempts=0)
        if charge.state in {"authorised", "adjusted"}:
            # An `authorised` charge reserved its total. Earlier connectors did not record that amount.
            is_whole = charge.state == "authorised"
            amount = charge.amount if is_whole else min(charge.amount, charge.authorised)
            await self._provider.capture(_call(charge, "capture")._replace(amount=amount))
            return with_rest(charge._replace(captured=amount))
        method, rest = charge.other_methods[0], charge.amount - charge.captured
        call = _call(charge, f"collect-{len(charge.other_methods)}")
        await self._provider.collect(call._replace(method=method, amount=rest, reference=""))
        return with_rest(charge._replace(captured=charge.amount))

    async def _authorisation(self, held: Authorisation) -> Authorisation:
        if not held.reference:
            reference = await self.authorise(held)
            held = held._replace(reference=reference, trouble="", attempts=0)
            return held if held.state == "releasing" else self.hold(held)
        await self._provider.release(_entry_call(held, "release"))
        return held._replace(state="released", trouble="", attempts=0)

    async def authorise(self, held: Authorisation) -> str:
        """Make the call of the gate; return the provider's reference."""
        return await self._provider.authorise(_entry_call(held, "authorise"))

    def hold(self, held: Authorisation) -> Authorisation:
        """Return the state of a pre-authorisation that the provider has made: it is held until it expires."""
        return held._replace(state="held", due_at=self._clock() + timedelta(hours=self._rules.authorisation_h))

    async def _transfer(self, transfer: Transfer) -> Transfer:
        key = f"{transfer.id}:{transfer.kind}"
        call = PaymentCall(key, transfer.trip_id, transfer.method, transfer.amount, transfer.currency)
        await (self._provider.refund(call) if transfer.kind == "refund" else self._provider.collect(call))
        return transfer._replace(state="done", trouble="", attempts=0)


def refused(row: Row, code: str) -> Row:
    """Return the state of a row after the provider has refused its call for good."""
    if isinstance(row, Charge):
        return _refused_charge(row, code)
    if isinstance(row, Authorisation):
        return row._replace(state="stuck" if row.reference else "declined", trouble=code)
    return row._replace(state="declined", trouble=code)


def stuck(row: Row) -> Row:
    """Return the state of a row that waits for an operator, because the provider gave no clear result too often.

    A charge that is collected waits for no operator: its receipt does not show the card.
    """
    if row.state == "read_at_amazon":
        return row._replace(state="captured", trouble="")
    return row._replace(state="stuck", stuck_in=row.state) if isinstance(row, Charge) else row._replace(state="stuck")


def resumed(row: Row, now: datetime) -> Row:
    """Return the state of a stuck row that an operator takes up again: its next call is the one that had no result.

    The call has the same key and the same amount, so it has no second effect. A pre-authorisation is released: its trip
    has authorised its total without it, or will.
    """
    row = row._replace(attempts=0, due_at=now)
    if isinstance(row, Charge):
        return row._replace(state=row.stuck_in or "pending", stuck_in="")
    if isinstance(row, Transfer) and row.amazon_store:
        return row._replace(state="refund_at_amazon")
    if isinstance(row, Authorisation) and row.amazon_store:
        return row._replace(state="cancel_at_amazon")
    return row._replace(state="releasing" if isinstance(row, Authorisation) else "pending")


def _refused_charge(charge: Charge, code: str) -> Charge:
    """Return the state of a charge after a refusal. After a refused adjustment, capture what was authorised."""
    charge = charge._replace(trouble=code, attempts=0)
    if charge.state == "adjusting":
        return charge._replace(state="adjusted")
    if charge.state == "collecting":
        charge = charge._replace(other_methods=charge.other_methods[1:])
    return with_rest(charge)


def with_rest(charge: Charge) -> Charge:
    """Return the state of a charge that another means must complete: it is captured, collecting, or a debt."""
    if charge.captured == charge.amount:
        return charge._replace(state="captured", trouble="", attempts=0)
    return charge._replace(state="collecting" if charge.other_methods else "declined", attempts=0)


def _call(charge: Charge, name: str) -> PaymentCall:
    key = f"{charge.trip_id}:{name}"
    return PaymentCall(key, charge.trip_id, charge.method, charge.amount, charge.currency, charge.reference)


def _entry_call(held: Authorisation, name: str) -> PaymentCall:
    key = f"{held.event_id}:{name}"
    return PaymentCall(key, held.order, held.method, held.amount, held.currency, held.reference)
