"""The pre-authorisation at the gate: the payment provider must reserve an amount before the shopper enters.

The intent to authorise is on disk before the call, under the authEvent.id. So a call that gets no answer is repeated
with the same key, by a duplicate of the scan or by the outbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol, TypeVar

from reference_connector.errors import PaymentDeclined, PaymentPending, PaymentUnclear
from reference_connector.payments.payer import PROVIDERS_MODELS
from reference_connector.payments.provider import PaymentProvider
from reference_connector.payments.steps import Steps, refused
from reference_connector.retailer import CurrentRetailer, Visitor
from reference_connector.scan_keys import Refusal
from reference_connector.settings import Payments
from reference_connector.store import Authorisation, AuthorisationState, Records
from reference_connector.telemetry import Clock, EventLog

T = TypeVar("T")


class Entry(NamedTuple):
    """A visitor who enters once the provider has decided, and the pre-authorisation of that entry.

    `owner` is the worker that asks the provider; empty if the decision is known, or another worker asks.
    """

    visitor: Visitor
    authorisation: Authorisation
    owner: str = ""

    @property
    def is_decided(self) -> bool:
        """Whether the gate can be answered."""
        return not self.owner and self.authorisation.state != "pending"


class Keys(Protocol):
    """The keys that shoppers enter with."""

    def redeem(self, records: Records, text: str, event_id: str, scanned_at: datetime) -> Visitor | Refusal:
        """Use a key for an event and return its owner, or return why it is refused."""

    def give_back(self, records: Records, text: str, event_id: str) -> None:
        """Undo the use of a key by an event."""

    def note_refusal(self, records: Records, text: str, refusal: Refusal) -> None:
        """Record for the owner's phone why the gate stays closed."""


class EntryPayments:
    """Redeems keys, and pre-authorises the entries of their owners; `new_owner` names the worker of each call."""

    def __init__(
        self,
        *,
        keys: Keys,
        retailer: CurrentRetailer,
        provider: PaymentProvider,
        rules: Payments,
        new_owner: Callable[[], str],
        clock: Clock,
        log: EventLog,
    ) -> None:
        self._keys = keys
        self._retailer = retailer
        self._steps = Steps(provider, rules, clock)
        self._rules = rules
        self._new_owner = new_owner
        self._clock = clock
        self._log = log

    @property
    def budget_s(self) -> float:
        """How long a gate may wait for the provider."""
        return self._rules.gate_budget_s

    def redeem(
        self, records: Records, text: str, event_id: str, scanned_at: datetime, store_id: str
    ) -> Visitor | Refusal | Entry:
        """Use a key for an event. Return its owner, why it is refused, or the entry that the provider decides on.

        In a store of which Amazon holds the payments, the provider has nothing to decide. This is part of a unit of
        work.
        """
        found = self._keys.redeem(records, text, event_id, scanned_at)
        is_providers = self._retailer.current.stores.get(store_id, "retailer") in PROVIDERS_MODELS
        if not isinstance(found, Visitor) or not is_providers:
            return found
        begun = self._begin(records, event_id, found)
        if isinstance(begun, Refusal):
            self._keys.give_back(records, text, event_id)
            self._keys.note_refusal(records, text, begun)
        return begun or found

    def _begin(self, records: Records, event_id: str, visitor: Visitor) -> Entry | Refusal | None:
        """Record the intent to authorise an entry, or find it; None if the visitor needs none.

        Only a shopper with a means of payment on record needs one. The pre-authorisation of another shopper for the
        same event is no reason to open: its key at the provider is used, and its money is not this shopper's.
        """
        retailer, now = self._retailer.current, self._clock()
        account = retailer.accounts.get(visitor.id)
        if not self._rules.preauthorise or visitor.type != "SHOPPER" or account is None or not account.payment_method:
            return None
        found = records.authorisations.find(event_id)
        if found is None:
            amount, currency = self._rules.preauthorise, retailer.policy.currency
            found = Authorisation(event_id, visitor.id, amount, currency, account.payment_method, "pending", now)
            records.authorisations.save(found)
        if found.shopper_id != visitor.id:
            return Refusal.PAYMENT_UNCLEAR
        if found.state != "pending":
            return Entry(visitor, found)
        owner, lease_until = self._new_owner(), now + timedelta(seconds=2 * self._rules.gate_budget_s)
        is_mine = records.authorisations.claim(event_id, owner, now=now, lease_until=lease_until)
        return Entry(visitor, found, owner if is_mine else "")

    async def ask(self, entry: Entry) -> Entry:
        """Ask the provider, for at most the budget; return the entry with the result. Raises nothing."""
        held = entry.authorisation
        try:
            reference = await _within(self._rules.gate_budget_s, self._steps.authorise(held))
        except PaymentDeclined as refusal:
            return entry._replace(authorisation=refused(held, refusal.code))
        except (PaymentPending, PaymentUnclear) as error:
            return self._unclear(entry, error.code)
        except TimeoutError:
            return self._unclear(entry, "no_answer_in_time")
        except Exception as error:  # noqa: BLE001 - a retailer's provider may raise any error, and the gate needs an answer
            self._log.event("provider_failed", id=held.event_id, reason=type(error).__name__)
            return self._unclear(entry, PaymentUnclear.code)
        return entry._replace(authorisation=self._steps.hold(held._replace(reference=reference)))

    def _unclear(self, entry: Entry, code: str) -> Entry:
        """Return the entry after an unclear call: the outbox asks again, or releases what the provider reserved."""
        held = entry.authorisation
        due_at = self._clock() + timedelta(seconds=self._rules.backoff_first_s)
        state: AuthorisationState = "pending" if self._rules.when_unclear == "open" else "releasing"
        return entry._replace(authorisation=held._replace(state=state, due_at=due_at, trouble=code, attempts=1))

    def keep(self, records: Records, entry: Entry) -> Authorisation:
        """Save the result and return it. If another worker has one already, return that. For a unit of work."""
        if records.authorisations.update(entry.authorisation, entry.owner):
            return entry.authorisation
        return records.authorisations.find(entry.authorisation.event_id) or entry.authorisation

    def decide(self, records: Records, text: str, held: Authorisation) -> Refusal | None:
        """Return why the gate stays closed for an entry; None if it opens. This is part of a unit of work.

        A shopper that stays out may use the key again.
        """
        if held.state in {"held", "used"} or (held.state == "pending" and self._rules.when_unclear == "open"):
            return None
        self._keys.give_back(records, text, held.event_id)
        refusal = Refusal.PAYMENT_DECLINED if held.state == "declined" else Refusal.PAYMENT_UNCLEAR
        self._keys.note_refusal(records, text, refusal)
        return refusal

    def note_wrong_store(self, records: Records, text: str) -> None:
        """Record for the owner's phone that the gate belongs to no store of this retailer. This is a unit of work."""
        self._keys.note_refusal(records, text, Refusal.WRONG_STORE)


async def _within(budget_s: float, call: Coroutine[Any, Any, T]) -> T:
    """Return the result of a call. Raises TimeoutError after the budget.

    The call has a task of its own, since the accelerated protocol runs handlers without one, and `asyncio.timeout`
    needs one.
    """
    task = asyncio.get_running_loop().create_task(call)
    try:
        done, _ = await asyncio.wait({task}, timeout=budget_s)
    finally:
        task.cancel()  # has no effect on a task that is done
    if not done:
        raise TimeoutError
    return task.result()
