"""The gates: each decides on what a shopper shows, and when it opens, it starts a shopping trip or adds to one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from jwo_contract.values import format_instant
from jwo_toolkit.json_types import JsonObject
from simulator.clock import Clock
from simulator.connector_calls import CallContext
from simulator.entry.app_code import Scan, scan_of_picture
from simulator.entry.cards import CardReader, Instrument
from simulator.entry.codes import CodeReader
from simulator.entry.decision import Decision, EntryAttempt, decided, decided_by, not_called
from simulator.entry.identity import BadgeChannel
from simulator.entry.loyalty import Channel, LoyaltyReader
from simulator.entry.pictures import UnreadablePicture
from simulator.errors import BadCall, SimulatorError
from simulator.faults import split_faults
from simulator.gate_states import GateStates
from simulator.journal import Journal
from simulator.portal.stores import Method, Store, Stores
from simulator.seed import Seed
from simulator.trip_record import AuthEvent, ScanResult, Trip
from simulator.trips import Trips

_MOST_PEOPLE = 50
_PAYING = {"card", "palm"}
_OWN, _LOCKED = "own_authentication", "locked_by_own_reader"


class Person(NamedTuple):
    """A person that a retailer's own reader has identified."""

    id: str
    is_shopper: bool


class Readers(NamedTuple):
    """The readers of a gate."""

    codes: CodeReader
    cards: CardReader
    loyalty: LoyaltyReader


class Gates:
    """All gates of all stores."""

    def __init__(
        self,
        stores: Stores,
        readers: Readers,
        trips: Trips,
        journal: Journal,
        *,
        gate_states: GateStates,
        clock: Clock,
        seed: Seed,
    ) -> None:
        self._stores = stores
        self._readers = readers
        self._trips = trips
        self._journal = journal
        self._gate_states = gate_states
        self._clock = clock
        self._seed = seed
        self._events: Counter[str] = Counter()

    async def scan_picture(self, gate: str, picture: bytes, joins: str = "", *, is_frame: bool = False) -> JsonObject:
        """Decide on a picture from the reader's camera. Raises NotKnown if there is no such gate.

        A frame of a running camera without a readable code needs no decision: the shopper still aims.
        """
        store = self._stores.of_gate(gate)
        try:
            scan = await asyncio.to_thread(scan_of_picture, picture)
        except UnreadablePicture as error:
            if is_frame:
                return {"gate": gate, "storeId": store.id, "light": "off", "problem": str(error)}
            decision = not_called("unreadable", "unreadable")
            return self._finish(store, gate, decision, None, "app", problem=str(error))
        return await self.scan(gate, scan, joins=joins)

    async def scan(self, gate: str, scan: Scan, *, joins: str = "") -> JsonObject:
        """Decide on a scanned code of the app; if the gate opens, start a trip or join one."""
        faults, clean = _without_faults(scan)

        async def read(attempt: EntryAttempt) -> Decision:
            return await self._readers.codes.read(attempt, clean)

        return await self._enter(gate, "app", joins, faults, read)

    async def badge(self, gate: str, scan: Scan, *, channel: BadgeChannel | None = None, joins: str = "") -> JsonObject:
        """Decide on a badge, read through a channel, by default the store's; an open gate starts or joins a trip."""
        faults, clean = _without_faults(scan)
        used: BadgeChannel = channel or self._stores.of_gate(gate).badge_channel

        async def read(attempt: EntryAttempt) -> Decision:
            decision = await self._readers.codes.read(attempt, clean, channel=used, filtered=False)
            return decision._replace(channel=used)

        return await self._enter(gate, "badge", joins, faults, read)

    async def pay(self, gate: str, instrument: Instrument, *, joins: str = "") -> JsonObject:
        """Decide on a card or a palm."""
        faults, rest = split_faults(instrument.id)
        clean = instrument._replace(id=rest or instrument.id)

        async def read(attempt: EntryAttempt) -> Decision:
            return await self._readers.cards.read(attempt, clean)

        method: Method = "card" if instrument.type == "CREDIT_CARD" else "palm"
        return await self._enter(gate, method, joins, faults, read)

    async def group(self, people: int, joins: str, one: Callable[[str], Awaitable[JsonObject]]) -> JsonObject:
        """Let several people in on one means of payment, with one event each, until the gate stays closed."""
        if not 1 <= people <= _MOST_PEOPLE:
            raise BadCall(f"a group of {people} people; a group has 1 to {_MOST_PEOPLE}")
        decision = await one(joins)
        if people == 1:
            return decision
        entered = int(decision["opens"])
        while decision["opens"] and entered < people:
            decision = await one(decision["shoppingTripId"])
            entered += int(decision["opens"])
        return {**decision, "people": entered}

    async def loyalty(self, gate: str, text: str, channel: Channel) -> JsonObject:
        """Decide on a loyalty card that opens the gate by itself: accepted, rejected, or the store default decision."""
        store = self._stores.of_gate(gate)
        if not store.loyalty:
            return self._finish(store, gate, not_called("method_off"), None, "loyalty")
        if self._gate_states.reader_locks.is_locked(gate, self._clock.now()):
            return self._finish(store, gate, not_called(_LOCKED), None, "loyalty")
        event_id, at = self._next_event_id(gate), self._clock.now()
        faults, rest = split_faults(text)
        trip_id = self._seed.id("trip", event_id)
        context = CallContext(store.id, gate, trip_id, faults=faults)
        found = await self._readers.loyalty.resolve(store, context, rest, channel, event_id=event_id, at=at)
        event = AuthEvent(event_id, at, "SCAN_CODE", "ENTRY", found.result)
        decision = decided(
            opens=found.opens,
            cause=found.cause,
            action=str(found.action),
            elapsed_ms=found.elapsed_ms,
            event=event,
            visitor=found.result,
            faults=found.faults,
        )
        if found.opens:
            await self._admit(store, gate, decision, trip_id, loyalty=found.details)
        answer = self._finish(store, gate, decision, trip_id if found.opens else None, "loyalty")
        return {**answer, "loyalty": found.details}

    async def loyalty_inside(self, trip_id: str, text: str, channel: Channel) -> JsonObject:
        """Resolve the loyalty card of a shopper inside; an accepted card goes into the cart's authEvents."""
        trip = await self._trips.shopping(trip_id)
        store = self._stores.get(trip.store_id)
        event_id, at = self._next_event_id(f"trip {trip_id}"), self._clock.now()
        faults, rest = split_faults(text)
        context = CallContext(store.id, trip=trip_id, faults=faults)
        found = await self._readers.loyalty.resolve(store, context, rest, channel, event_id=event_id, at=at)
        if found.result:
            event = AuthEvent(event_id, at, "SCAN_CODE", "MANUAL_IN_STORE", found.result)
            await self._trips.remember_loyalty(trip_id, event, found.details or {})
        return {"tripId": trip_id, "accepted": found.accepted, "cause": found.cause, "details": found.details}

    async def assist(self, store_id: str, scan: Scan) -> JsonObject:
        """Decide on a shopper's code that an associate's device scans inside the store: a trip without a gate."""
        store = self._stores.get(store_id)
        event_id, at = self._next_event_id(f"store {store_id}"), self._clock.now()
        trip_id = self._seed.id("trip", event_id)
        attempt = EntryAttempt(store, "", event_id, trip_id, at, faults={})
        decision = await self._readers.codes.read(attempt, scan, filtered=False, assisted=True)
        if decision.opens:
            await self._admit(store, "", decision, trip_id)
        return self._finish(store, "", decision, trip_id if decision.opens else None, "assisted")

    async def admit_person(self, store: Store, gate: str, person: Person, *, event_id: str, trip_id: str) -> None:
        """Open a gate for a person that the retailer's own reader has identified, and start a trip."""
        visitor = ScanResult(person.id, "SHOPPER" if person.is_shopper else "ASSOCIATE")
        event = AuthEvent(event_id, self._clock.now(), "SCAN_CODE", "ENTRY", visitor)
        decision = decided(opens=True, cause=_OWN, action=_OWN, event=event, visitor=visitor)
        await self._admit(store, gate, decision, trip_id)
        self._finish(store, gate, decision, trip_id, _OWN)

    def refuse_person(self, store: Store, gate: str, event_id: str) -> None:
        """Keep a gate closed for a person that the retailer's own reader has refused."""
        event = AuthEvent(event_id, self._clock.now(), "SCAN_CODE")
        self._finish(store, gate, decided(opens=False, cause=f"{_OWN}:denied", action=_OWN, event=event), None, _OWN)

    def state(self, gate: str) -> JsonObject:
        """Return a gate's light, its lock, and its last decision with its time."""
        store = self._stores.of_gate(gate)
        return {"gate": gate, "storeId": store.id, **self._gate_states.state(gate, self._clock.now())}

    async def _enter(
        self,
        gate: str,
        method: Method,
        joins: str,
        faults: dict[str, float],
        read: Callable[[EntryAttempt], Awaitable[Decision]],
    ) -> JsonObject:
        store, at = self._stores.of_gate(gate), self._clock.now()
        if method not in store.methods:
            return self._finish(store, gate, not_called("method_off"), None, method)
        if self._gate_states.reader_locks.is_locked(gate, at):
            return self._finish(store, gate, not_called(_LOCKED), None, method)
        if joins:
            await self._check_joinable(store, gate, method, joins)
        event_id = self._next_event_id(gate)
        trip_id = joins or self._seed.id("trip", event_id)
        decision = await read(EntryAttempt(store, gate, event_id, trip_id, at, faults))
        if decision.opens and joins:
            # the trip may have ended during the call to the connector
            await self._check_joinable(store, gate, method, joins)
            await self._trips.join(joins, _event(decision))
        elif decision.opens:
            await self._admit(store, gate, decision, trip_id)
        return self._finish(store, gate, decision, trip_id if decision.opens else None, method, joins=joins)

    def _next_event_id(self, where: str) -> str:
        """Return the id of the next event at a gate."""
        self._events[where] += 1
        return self._seed.id("event", where, self._events[where])

    async def _check_joinable(self, store: Store, gate: str, method: Method, trip_id: str) -> None:
        """Check that a shopper may join a trip at a gate. If not, show a closed gate and raise the reason."""
        try:
            if (await self._trips.shopping(trip_id)).store_id != store.id:
                raise BadCall(f"trip {trip_id} is in another store")
        except SimulatorError:
            self._finish(store, gate, not_called("cannot_join"), None, method)
            raise

    async def _admit(
        self, store: Store, gate: str, decision: Decision, trip_id: str, *, loyalty: JsonObject | None = None
    ) -> None:
        trip = Trip(
            id=trip_id,
            store_id=store.id,
            gate=gate,
            events=[_event(decision)],
            visitor=decision.visitor,
            shopper_identity=decision.shopper_identity,
            authorized_amount=decision.authorized_amount,
            loyalty=loyalty,
        )
        await self._trips.start(trip)

    def _finish(
        self,
        store: Store,
        gate: str,
        decision: Decision,
        trip_id: str | None,
        method: str,
        *,
        problem: str = "",
        joins: str = "",
    ) -> JsonObject:
        now = self._clock.now()
        answer = {
            "gate": gate,
            "storeId": store.id,
            "method": method,
            "light": decision.light,
            "opens": decision.opens,
            "cause": decision.cause,
            "action": decision.action,
            "decidedBy": decided_by(decision.cause, decision.action),
            **({"channel": decision.channel} if decision.channel else {}),
            **({"strategy": store.strategy} if method in _PAYING else {}),
            **({"recommendation": decision.recommendation} if decision.recommendation else {}),
            "at": format_instant(now),
            "elapsedMs": decision.elapsed_ms,
            "authEventId": decision.event.id if decision.event else None,
            "shoppingTripId": trip_id,
            "visitor": decision.visitor._asdict() if decision.visitor else None,
            **({"joins": joins} if joins else {}),
            **({"faultsOfCalls": list(decision.faults)} if decision.faults else {}),
            **({"problem": problem} if problem else {}),
        }
        if gate:
            self._gate_states.show(gate, decision.light, answer, now)
        self._journal.add("gate_decision", {**answer, "tripId": trip_id})
        return answer


def _without_faults(scan: Scan) -> tuple[dict[str, float], Scan]:
    """Split the faults that a code arms off its text."""
    faults, rest = split_faults(scan.text or "")
    return faults, Scan.of_text(rest) if faults else scan


def _event(decision: Decision) -> AuthEvent:
    assert decision.event is not None, "a decision that opens a gate has an event"
    return decision.event
