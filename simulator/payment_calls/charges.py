"""The charges of all trips, and the rules of the payment calls.

Amazon publishes neither the answer to a repeated call nor the limit of a capture, so these rules are ours: a repeated
call with the same content has no further effect and gets the same answer.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from jwo_contract.house import House
from jwo_contract.house_retailer_calls import Payment
from jwo_contract.money import Money, decimal_places
from jwo_contract.operations import ADJUST_CHARGE, CANCEL_CHARGE, CAPTURE_CHARGE, REFUND_CHARGE
from simulator.called_trips import CalledTrip
from simulator.clock import Clock
from simulator.errors import CallRefused
from simulator.faults import Faults, Where
from simulator.journal import Journal
from simulator.payment_calls.charge_record import Adjustment, Charge, Refund, reconciliation_id
from simulator.seed import Seed
from simulator.signed_calls import BAD_REQUEST
from simulator.storage.key_values import KeyValueStore

_REFUND_DECIMALS = 2
"""Published: the amount of a refund has at most two decimals."""


class Charges:
    """Changes charges. Each method raises CallRefused if the state of the charge forbids the change."""

    def __init__(
        self,
        storage: KeyValueStore[Charge],
        *,
        house: House,
        clock: Clock,
        seed: Seed,
        faults: Faults,
        journal: Journal,
    ) -> None:
        self._storage = storage
        self._house = house
        self._clock = clock
        self._seed = seed
        self._faults = faults
        self._journal = journal
        self._charges = storage.all()
        self._refunds = {key: charge.trip_id for charge in self._charges.values() for key in charge.refunds}

    def show(self, trip_id: str) -> Charge | None:
        """Return the charge of a trip; None if no call has touched it."""
        charge = self._charges.get(trip_id)
        return charge.settled(self._clock.now()) if charge else None

    def all(self) -> list[Charge]:
        """Return the charges of all trips that a call has touched."""
        return list(self._charges.values())

    def store_of(self, trip_id: str) -> str | None:
        """Return the store of a trip with a charge; None for another trip."""
        charge = self._charges.get(trip_id)
        return charge.store_id if charge else None

    def of(self, trip: CalledTrip) -> Charge:
        """Return the charge of a trip; before the first call, it is the pre-authorisation of its entry."""
        found = self.show(trip.id)
        if found:
            return found
        record, rules = trip.record, self._house.simulator
        amount = record.authorized_amount if record and record.authorized_amount is not None else None
        reserved = Decimal(str(rules.authorized_amount if amount is None else amount))
        return Charge(trip.id, trip.store_id, Money(reserved, rules.currency))

    def check(self, money: Money, *, refund: bool = False) -> None:
        """Raise CallRefused if a currency does not exist, or an amount has too many decimals."""
        most_decimals = _REFUND_DECIMALS if refund else self._rules.most_decimals
        if money.code not in self._rules.currencies:
            raise CallRefused(BAD_REQUEST, f"amount.code {money.code} is not a currency of ISO 4217")
        if decimal_places(money.amount) > most_decimals:
            raise CallRefused(BAD_REQUEST, f"amount.amount {money.amount} has more than {most_decimals} decimals")

    def adjust(self, trip: CalledTrip, money: Money) -> Adjustment:
        """Ask the issuer for a new total; returns its answer."""
        charge = self.of(trip)
        before = charge.adjustment
        _refuse_if_ended(charge)
        if before and before.money == money and before.status != "PENDING":
            self._note(charge, ADJUST_CHARGE.name, money, effect="repeated", status=before.status)
            return before
        decided = self._decide(trip, money, before)
        changed = charge._replace(adjustment=decided)
        if decided.status == "APPROVED":
            changed = changed._replace(authorized=money)
        self._keep(changed)
        self._note(changed, ADJUST_CHARGE.name, money, effect="changed", status=decided.status)
        return decided

    def capture(self, trip: CalledTrip, money: Money, by: str = CAPTURE_CHARGE.name) -> None:
        """Take the money of a trip, once."""
        charge = self.of(trip)
        if charge.captured is not None:
            same = (charge.captured, charge.captured_by) == (money, by)
            self._refuse_changed(charge, same=same, what=f"{charge.captured_by} already took {_text(charge.captured)}")
            self._note(charge, by, charge.captured, effect="repeated")
            return
        _refuse_if_ended(charge)
        if by == CAPTURE_CHARGE.name:
            self._check_authorized(charge, money)
        changed = charge._replace(captured=money, captured_at=self._clock.now(), captured_by=by)
        self._keep(changed)
        self._note(changed, by, money, effect="changed", adjusted=_is_adjusted(changed))

    def cancel(self, trip: CalledTrip) -> None:
        """End a charge without money, once."""
        charge = self.of(trip)
        if charge.captured is not None:
            raise CallRefused(BAD_REQUEST, f"the charge of trip {trip.id} is captured; a refund returns its money")
        effect = "repeated" if charge.cancelled else "changed"
        if not charge.cancelled:
            self._keep(charge._replace(cancelled=True))
        self._note(charge, CANCEL_CHARGE.name, None, effect=effect)

    def refund(self, trip: CalledTrip, request_id: str, refund: Refund) -> None:
        """Return money of a captured charge, once for each `request_id`."""
        charge = self.of(trip)
        if request_id in self._refunds:
            earlier = charge.refunds.get(request_id)
            same = earlier is not None and earlier.is_like(refund)
            self._refuse_changed(charge, same=same, what=f"refundRequestId {request_id} is another refund")
            self._note_refund(charge, request_id, earlier or refund, effect="repeated")
            return
        self._check_refundable(charge, refund.money)
        changed = charge._replace(refunds={**charge.refunds, request_id: refund})
        self._keep(changed)
        self._refunds[request_id] = trip.id
        self._note_refund(changed, request_id, refund, effect="changed")

    def note_again(self, trip_id: str, kind: str, refund_request_id: str = "") -> None:
        """Write the journal entry of a change again, which the platform lost when it was killed.

        The entry has the effect `changed`, since no reader has seen it.
        """
        charge = self._charges[trip_id]
        if kind == "refund":
            self._note_refund(charge, refund_request_id, charge.refunds[refund_request_id], effect="changed")
        elif kind == "capture":
            self._note(charge, charge.captured_by, charge.captured, effect="changed", adjusted=_is_adjusted(charge))
        else:
            self._note(charge, CANCEL_CHARGE.name, None, effect="changed")

    @property
    def _rules(self) -> Payment:
        return self._house.payment

    def _decide(self, trip: CalledTrip, money: Money, before: Adjustment | None) -> Adjustment:
        """Return the issuer's answer. A pending adjustment stays pending until it settles, also with a new total."""
        if before and before.status == "PENDING":
            return before._replace(money=money)
        place = Where(operation=ADJUST_CHARGE.name, store=trip.store_id, trip=trip.id, account=trip.account.id)
        faults = self._faults.trigger("payment", place, trip.id, money.amount)
        if "charge_declined" in faults or self._draws("declined", trip, money) < self._rules.decline_rate:
            return Adjustment("DECLINED", money)
        wait_s = faults.get("charge_pending")
        if wait_s is None and self._draws("pending", trip, money) < self._rules.pending_rate:
            wait_s = self._rules.pending_s
        if wait_s is None:
            return Adjustment("APPROVED", money)
        return Adjustment("PENDING", money, self._clock.now() + timedelta(seconds=wait_s))

    def _draws(self, what: str, trip: CalledTrip, money: Money) -> float:
        return self._seed.draw("adjust", what, trip.id, money.amount)

    def _check_authorized(self, charge: Charge, money: Money) -> None:
        if money.code != charge.authorized.code:
            raise CallRefused(BAD_REQUEST, f"amount.code {money.code}: the trip is charged in {charge.authorized.code}")
        if money.amount > charge.authorized.amount and not self._rules.capture_above_authorized:
            raise CallRefused(BAD_REQUEST, f"{_text(money)} is more than the authorised {_text(charge.authorized)}")

    def _check_refundable(self, charge: Charge, money: Money) -> None:
        if charge.captured is None or charge.captured_at is None:
            raise CallRefused(BAD_REQUEST, f"nothing is captured for trip {charge.trip_id}")
        if money.code != charge.captured.code:
            raise CallRefused(BAD_REQUEST, f"amount.code {money.code}: the trip is charged in {charge.captured.code}")
        if self._clock.now() > charge.captured_at + timedelta(days=self._rules.refund_window_days):
            raise CallRefused(BAD_REQUEST, f"the window of {self._rules.refund_window_days} days is over")
        if charge.refunded + money.amount > charge.captured.amount:
            left = Money(charge.captured.amount - charge.refunded, money.code)
            raise CallRefused(BAD_REQUEST, f"{_text(money)} is more than the {_text(left)} that are left")

    def _refuse_changed(self, charge: Charge, *, same: bool, what: str) -> None:
        if not same and self._rules.changed_repeat == "refuse_400":
            raise CallRefused(BAD_REQUEST, f"trip {charge.trip_id}: {what}")

    def _keep(self, charge: Charge) -> None:
        """Store a charge first: if the disk fails, the caller gets a 500 and nothing has changed."""
        self._storage.put(charge.trip_id, charge)
        self._charges[charge.trip_id] = charge

    def _note_refund(self, charge: Charge, request_id: str, refund: Refund, *, effect: str) -> None:
        ids = {"refundRequestId": request_id, "reconciliationId": reconciliation_id(charge.trip_id, request_id)}
        reason = {"refundReasonCode": refund.reason}
        self._note(charge, REFUND_CHARGE.name, refund.money, effect=effect, **ids, **reason)

    def _note(self, charge: Charge, operation: str, money: Money | None, **more: object) -> None:
        amount = {"amount": money.to_texts()} if money else {}
        entry = {"tripId": charge.trip_id, "storeId": charge.store_id, "operation": operation, **amount, **more}
        self._journal.add("charge", entry)


def _refuse_if_ended(charge: Charge) -> None:
    if charge.captured is not None:
        raise CallRefused(
            BAD_REQUEST, f"the charge of trip {charge.trip_id} is captured; it takes no other call than a refund"
        )
    if charge.cancelled:
        raise CallRefused(BAD_REQUEST, f"the charge of trip {charge.trip_id} is cancelled; no call can follow")


def _is_adjusted(charge: Charge) -> bool:
    return charge.adjustment is not None and charge.adjustment.status == "APPROVED"


def _text(money: Money) -> str:
    return f"{money.amount:f} {money.code}"
