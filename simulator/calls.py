"""Calls to connectors as the platform makes them: through the armed faults, and into the journal.

The exchange that is returned is the one that counts. What a fault sends beside it goes into the journal only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import orjson

from contract.gate import NoAnswer
from contract.operations import VERIFY_IDENTITY_KEYS, Operation
from contract.values import format_instant, parse_instant
from simulator.clock import Clock
from simulator.connector import Connector, ConnectorClient, Exchange, Letter, unsent
from simulator.faults import Faults, Where
from simulator.http_client import Tampering
from simulator.journal import Journal
from simulator.seed import Seed
from simulator.storage.key_values import KeyValueStore

_DAY_S = 86_400.0
_STRANGE = {"x-unknown-attribute": {"nested": [1, "two"]}, "futureAttribute": "from a later version of the contract"}


class About(NamedTuple):
    """Where a call belongs: what faults cover it, how the journal files it, and what must not appear there."""

    store: str
    gate: str = ""
    trip: str = ""
    kind: str = "exchange"
    faults: dict[str, float] = {}  # noqa: RUF012 - never changed
    secrets: tuple[str, ...] = ()


class Late(NamedTuple):
    """A message that is to come again, at the platform's instant `due`."""

    due: datetime
    letter: Letter
    about: About


class Calls:
    """Makes calls; `resume` takes up what was to come late, and `close` ends what faults left under way.

    What is to come late is remembered, but for Verify Identity Keys: that waits in memory.
    """

    def __init__(
        self,
        client: ConnectorClient,
        faults: Faults,
        journal: Journal,
        clock: Clock,
        seed: Seed,
        late: KeyValueStore[Late] | None = None,
    ) -> None:
        self._client = client
        self._faults = faults
        self._journal = journal
        self._clock = clock
        self._seed = seed
        self._late = late or KeyValueStore("late message", Late)
        self._later: set[asyncio.Task[None]] = set()
        self._overtaken: dict[tuple[str, str], asyncio.Future[None]] = {}

    async def make(
        self, operation: Operation, connector: Connector | None, message: dict[str, Any], timeout_s: float, about: About
    ) -> tuple[Exchange, dict[str, float]]:
        """Send a message and wait; returns the exchange that counts and the faults that struck it."""
        key = message.get("requestId") or about.trip
        where = Where(operation=operation.name, store=about.store, gate=about.gate, trip=about.trip)
        faults = {**self._faults.strike("exchange", where, key), **about.faults}
        letter = Letter(operation, connector, message, timeout_s)
        if not faults:
            exchange = await self._client.send(letter)
        else:
            exchange = await self._through(spoilt(letter, faults), faults, about)
        self._pass(about.store, operation.name)
        return exchange, faults

    def note(self, exchange: Exchange, about: About, faults: dict[str, float], **more: Any) -> None:  # noqa: ANN401 - journal members
        """Keep an exchange in the journal."""
        entry = {"gate": about.gate or None, "tripId": about.trip or None, "storeId": about.store, **more}
        if faults:
            entry["faults"] = sorted(faults)
        self._journal.add_exchange(about.kind, entry, exchange, about.secrets)

    async def resume(self) -> None:
        """Take up the messages that were to come late when the platform stopped."""
        for key, late in self._late.all().items():
            self._start(self._send_late(key, late))

    async def close(self) -> None:
        """Stop what is still to come late."""
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)

    async def _through(self, letter: Letter, faults: dict[str, float], about: About) -> Exchange:
        if "reorder" in faults:
            await self._be_overtaken(about.store, letter.operation.name, faults["reorder"])
        await self._clock.sleep(faults.get("delay", 0.0))
        if "drop_before" in faults:
            return unsent(letter)
        together = int(faults.get("concurrent_duplicates", 1)) - 1
        exchange, *others = await asyncio.gather(
            self._client.send(letter), *(self._client.send(self._again(letter, n)) for n in range(max(0, together)))
        )
        for other in others:
            self.note(other, about, {"concurrent_duplicates": 0})
        await self._repeat(letter, faults, about)
        return lost(exchange) if "drop_after" in faults else exchange

    async def _repeat(self, letter: Letter, faults: dict[str, float], about: About) -> None:
        for number in range(int(faults.get("duplicate", 0))):
            self.note(await self._client.send(self._again(letter, f"d{number}")), about, {"duplicate": 0})
        for _ in range(int(faults.get("same_request_id", 0))):
            self.note(await self._client.send(letter), about, {"same_request_id": 0})
        if "changed_cart" in faults and "cartItems" in letter.message:
            self.note(await self._client.send(with_other_cart(letter)), about, {"changed_cart": 0})
        if "old_attempt" in faults:
            due = self._clock.now() + timedelta(seconds=faults["old_attempt"] * _DAY_S)
            self._postpone(Late(due, letter, about))

    def _again(self, letter: Letter, number: object) -> Letter:
        """Make the next delivery of a message: it has a requestId of its own, where it has one."""
        if "requestId" not in letter.message or letter.body:
            return letter
        again = self._seed.id("duplicate", letter.message["requestId"], number)
        return letter._replace(message={**letter.message, "requestId": again})

    def _postpone(self, late: Late) -> None:
        key = str(uuid4())
        if late.letter.operation != VERIFY_IDENTITY_KEYS:  # no identity key is ever on a disk
            self._late.put(key, late)
        self._start(self._send_late(key, late))

    async def _send_late(self, key: str, late: Late) -> None:
        await self._clock.sleep((late.due - self._clock.now()).total_seconds())
        self.note(await self._client.send(late.letter), late.about, {"old_attempt": 0})
        self._late.delete(key)

    async def _be_overtaken(self, store: str, operation: str, seconds: float) -> None:
        passing = self._overtaken.setdefault((store, operation), asyncio.get_running_loop().create_future())
        await self._clock.sleep(seconds, unless=passing)

    def _pass(self, store: str, operation: str) -> None:
        if passing := self._overtaken.pop((store, operation), None):
            passing.set_result(None)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)


def spoilt(letter: Letter, faults: dict[str, float]) -> Letter:
    """Apply what changes the message itself, or the way it travels."""
    message = letter.message
    if "clock_skew" in faults:
        message = _shifted(message, timedelta(seconds=faults["clock_skew"]))
    if "unknown_attributes" in faults:
        message = _with_strangers(message)
    body = orjson.dumps(message)[:-1] + b',"unfinished":' if "malformed" in faults else b""
    tampering = Tampering(slow_s=faults.get("slow_body", 0.0), cut="cut" in faults, hang_up="hang_up" in faults)
    return letter._replace(message=message, body=body, skew_s=faults.get("clock_skew", 0.0), tampering=tampering)


def lost(exchange: Exchange) -> Exchange:
    """Take the answer away: the connector gave one, and it never arrived. The journal tells what it was."""
    given = None if exchange.failure else exchange
    return exchange._replace(status=None, headers={}, body=b"", failure=NoAnswer.NO_CONNECTION, lost=given)


def with_other_cart(letter: Letter) -> Letter:
    """Give the same trip another cart: without its first line, or with one line when it was empty."""
    items = letter.message["cartItems"]
    other = items[1:] or [{"id": "OTHER-SKU", "type": "SKU", "quantity": {"value": "7.0", "unit": "unit"}}]
    return letter._replace(message={**letter.message, "cartItems": other}, body=b"")


def _shifted(value: Any, by: timedelta, name: str = "") -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {key: _shifted(member, by, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_shifted(item, by, name) for item in value]
    if name in {"timestamp", "startTime", "endTime"}:
        return format_instant(parse_instant(value) + by)
    return value


def _with_strangers(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {**{key: _with_strangers(member) for key, member in value.items()}, **_STRANGE}
    if isinstance(value, list):
        return [_with_strangers(item) for item in value]
    return value
