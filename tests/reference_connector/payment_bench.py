"""A gate, an outbox and a desk for payments on one store, with a movable clock and a provider with a ledger."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr

from reference_connector.payments.desk import PaymentDesk
from reference_connector.payments.entry import Entry, EntryPayments
from reference_connector.payments.outbox import PaymentOutbox
from reference_connector.payments.simulated import SimulatedProvider, effects
from reference_connector.platform_calls.caller import PlatformCaller
from reference_connector.platform_calls.settings import PlatformAccess
from reference_connector.retailer import Account, Assortment, CurrentRetailer, Policy, Retailer, Visitor
from reference_connector.scan_keys import Refusal
from reference_connector.settings import Payments
from reference_connector.store import Authorisation, Charge, Records, Store
from reference_connector.telemetry import EventLog

T = TypeVar("T")
NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
_MOST_STEPS = 60
ADA = Visitor("ada", "SHOPPER")


class AdasKey:
    """A key of Ada that opens always."""

    def redeem(self, _records: Records, _text: str, _event_id: str, _scanned_at: datetime) -> Visitor:
        return ADA

    def give_back(self, _records: Records, _text: str, _event_id: str) -> None:
        return

    def note_refusal(self, _records: Records, _text: str, _refusal: Refusal) -> None:
        return


def retailer_of(method: str, others: tuple[str, ...] = ()) -> Retailer:
    """A retailer with one shopper, Ada, whose means of payment have a behaviour each."""
    ada = Account(ADA, False, (2099, 12), 0, Decimal(0), method, SecretStr(""), others)  # noqa: FBT003 - not flagged
    return Retailer(Policy(), {}, {"ada": ada}, {}, Assortment(), {}, {}, {}, {})


class PaymentBench:
    """The parts of one connector process; `restart` makes new ones on the same store and ledger."""

    def __init__(self, store: Store, ledger: Path, provider: Any = None, platform: Any = None, **rules: Any) -> None:
        self.now = NOW
        self.store = store
        self.ledger = ledger
        self.provider = provider or SimulatedProvider(ledger, slow_s=0.8)
        self.platform = platform or PlatformCaller(PlatformAccess(), block_amazon=True, clock=lambda: self.now)
        self.log = io.StringIO()
        self.runner = asyncio.Runner()
        self.rules = Payments(**{"attempts_max": 4, "lease_s": 30, "gate_budget_s": 0.4, "call_s": 5, **rules})
        self._owners = count(1)
        self.outbox = self.worker()

    def restart(self) -> None:
        """Replace the process. The lease of the dead one is over."""
        self.now += timedelta(seconds=31)
        self.outbox = self.worker()

    def worker(self, owner: str = "") -> PaymentOutbox:
        return PaymentOutbox(
            store=self.store,
            provider=self.provider,
            platform=self.platform,
            rules=self.rules,
            owner=owner or f"worker-{next(self._owners)}",
            clock=lambda: self.now,
            log=EventLog(lambda: self.now, self.log),
        )

    @property
    def desk(self) -> PaymentDesk:
        return PaymentDesk(self.store, lambda: self.now, lambda: None, EventLog(lambda: self.now, self.log))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def enter(self, method: str, event: str = "event-1") -> str:
        """Scan Ada's key at the gate; return why the gate stays closed, or an empty text."""
        gate = EntryPayments(
            keys=AdasKey(),
            retailer=CurrentRetailer(retailer_of(method)),
            provider=self.provider,
            rules=self.rules,
            new_owner=lambda: f"gate-{next(self._owners)}",
            clock=lambda: self.now,
            log=EventLog(lambda: self.now, self.log),
        )
        return self.run(_enter(self.store, gate, event, self.now))

    def leave(self, amount: str, method: str, *events: str, others: tuple[str, ...] = ()) -> None:
        """Record the charge of a sale to Ada."""
        charge = Charge("trip-1", "ada", Decimal(amount), "USD", method, "matching", self.now)
        charge = charge._replace(event_ids=events, other_methods=others)
        self.run(self.store.transact(lambda records: records.charges.save(charge)))

    def work(self) -> None:
        """Take steps until no row is due."""
        for _ in range(_MOST_STEPS):
            if not self.run(self.outbox.settle_due()):
                return
        raise AssertionError("the outbox does not come to an end")

    def wait_and_work(self, times: int = 1, **pause: float) -> None:
        """Work, and then wait; repeat."""
        for _ in range(times):
            self.work()
            self.now += timedelta(**(pause or {"seconds": 300}))

    def charge(self, trip: str = "trip-1") -> Charge:
        found = self.run(self.store.transact(lambda records: records.charges.find(trip)))
        assert found is not None
        return found

    def authorisation(self, event: str = "event-1") -> Authorisation:
        found = self.run(self.store.transact(lambda records: records.authorisations.find(event)))
        assert found is not None
        return found

    def debt(self) -> Decimal:
        return self.run(self.store.transact(lambda records: records.debt_of("ada")))

    def ledger_lines(self) -> list[str]:
        """The effects in the ledger, each as its kind and amount."""
        return [f"{effect.kind} {effect.amount}" for effect in effects(self.ledger)]


async def _enter(store: Store, gate: EntryPayments, event: str, now: datetime) -> str:
    entry = await store.transact(gate.redeem, "", event, now, "STORE-001")
    assert isinstance(entry, Entry)
    if entry.owner:
        entry = await gate.ask(entry)
        held = await store.transact(gate.keep, entry)
    else:
        held = entry.authorisation
    return await store.transact(gate.decide, "", held) or ""
