"""Calls to connectors: each call goes through the armed faults and into the journal.

The returned exchange is the one that counts. What a fault sends beside it is in the journal only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import orjson

from contract.gate import NoAnswer
from contract.operations import VERIFY_IDENTITY_KEYS
from contract.values import format_instant, parse_instant
from simulator.clock import Clock
from simulator.connector import ConnectorClient, Exchange, OutgoingRequest, unsent
from simulator.faults import Faults, Where
from simulator.http_client import Tampering
from simulator.journal import Journal
from simulator.seed import Seed
from simulator.storage.key_values import KeyValueStore

_DAY_S = 86_400.0
_STRANGE = {"x-unknown-attribute": {"nested": [1, "two"]}, "futureAttribute": "from a later version of the contract"}


class CallContext(NamedTuple):
    """What a call belongs to: the faults that cover it, its place in the journal, and the secrets to hide there."""

    store: str
    gate: str = ""
    trip: str = ""
    kind: str = "exchange"
    faults: dict[str, float] = {}  # noqa: RUF012 - never changed
    secrets: tuple[str, ...] = ()


class DelayedMessage(NamedTuple):
    """A message that is sent again at the platform's instant `due`."""

    due: datetime
    request: OutgoingRequest
    context: CallContext


class ConnectorCalls:
    """Makes calls; `resume` schedules the kept delayed messages again, and `close` ends what faults left under way.

    A delayed message survives a restart, except a Verify Identity Keys: it is in memory only.
    """

    def __init__(
        self,
        client: ConnectorClient,
        faults: Faults,
        journal: Journal,
        clock: Clock,
        seed: Seed,
        late: KeyValueStore[DelayedMessage] | None = None,
    ) -> None:
        self._client = client
        self._faults = faults
        self._journal = journal
        self._clock = clock
        self._seed = seed
        self._late = late or KeyValueStore("late message", DelayedMessage)
        self._later: set[asyncio.Task[None]] = set()
        self._overtaken: dict[tuple[str, str], asyncio.Future[None]] = {}

    async def make(self, request: OutgoingRequest, context: CallContext) -> tuple[Exchange, dict[str, float]]:
        """Send a message and wait; returns the exchange that counts and the faults that were applied."""
        key = request.message.get("requestId") or context.trip
        where = Where(operation=request.operation.name, store=context.store, gate=context.gate, trip=context.trip)
        faults = {**self._faults.strike("exchange", where, key), **context.faults}
        if not faults:
            exchange = await self._client.send(request)
        else:
            exchange = await self._through(apply_faults(request, faults), faults, context)
        self._pass(context.store, request.operation.name)
        return exchange, faults

    def note(self, exchange: Exchange, context: CallContext, faults: dict[str, float], **more: Any) -> None:  # noqa: ANN401 - journal members
        """Keep an exchange in the journal."""
        entry = {"gate": context.gate or None, "tripId": context.trip or None, "storeId": context.store, **more}
        if faults:
            entry["faults"] = sorted(faults)
        self._journal.add_exchange(context.kind, entry, exchange, context.secrets)

    async def resume(self) -> None:
        """Schedule the delayed messages that were kept when the platform stopped."""
        for key, late in self._late.all().items():
            self._start(self._send_late(key, late))

    async def close(self) -> None:
        """Cancel the messages that are still delayed."""
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)

    async def _through(self, request: OutgoingRequest, faults: dict[str, float], context: CallContext) -> Exchange:
        if "reorder" in faults:
            await self._be_overtaken(context.store, request.operation.name, faults["reorder"])
        await self._clock.sleep(faults.get("delay", 0.0))
        if "drop_before" in faults:
            return unsent(request)
        together = int(faults.get("concurrent_duplicates", 1)) - 1
        exchange, *others = await asyncio.gather(
            self._client.send(request), *(self._client.send(self._again(request, n)) for n in range(max(0, together)))
        )
        for other in others:
            self.note(other, context, {"concurrent_duplicates": 0})
        await self._repeat(request, faults, context)
        return drop_answer(exchange) if "drop_after" in faults else exchange

    async def _repeat(self, request: OutgoingRequest, faults: dict[str, float], context: CallContext) -> None:
        for number in range(int(faults.get("duplicate", 0))):
            self.note(await self._client.send(self._again(request, f"d{number}")), context, {"duplicate": 0})
        for _ in range(int(faults.get("same_request_id", 0))):
            self.note(await self._client.send(request), context, {"same_request_id": 0})
        if "changed_cart" in faults and "cartItems" in request.message:
            self.note(await self._client.send(with_other_cart(request)), context, {"changed_cart": 0})
        if "old_attempt" in faults:
            due = self._clock.now() + timedelta(seconds=faults["old_attempt"] * _DAY_S)
            self._postpone(DelayedMessage(due, request, context))

    def _again(self, request: OutgoingRequest, number: object) -> OutgoingRequest:
        """Make the next delivery of a message: it has a requestId of its own, where it has one."""
        if "requestId" not in request.message or request.body:
            return request
        again = self._seed.id("duplicate", request.message["requestId"], number)
        return request._replace(message={**request.message, "requestId": again})

    def _postpone(self, late: DelayedMessage) -> None:
        key = str(uuid4())
        if late.request.operation != VERIFY_IDENTITY_KEYS:  # no identity key is ever on a disk
            self._late.put(key, late)
        self._start(self._send_late(key, late))

    async def _send_late(self, key: str, late: DelayedMessage) -> None:
        await self._clock.sleep((late.due - self._clock.now()).total_seconds())
        self.note(await self._client.send(late.request), late.context, {"old_attempt": 0})
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


def apply_faults(request: OutgoingRequest, faults: dict[str, float]) -> OutgoingRequest:
    """Apply the faults that change the message, or how it is sent."""
    message = request.message
    if "clock_skew" in faults:
        message = _shifted(message, timedelta(seconds=faults["clock_skew"]))
    if "unknown_attributes" in faults:
        message = _with_strangers(message)
    body = orjson.dumps(message)[:-1] + b',"unfinished":' if "malformed" in faults else b""
    tampering = Tampering(slow_s=faults.get("slow_body", 0.0), cut="cut" in faults, hang_up="hang_up" in faults)
    return request._replace(message=message, body=body, skew_s=faults.get("clock_skew", 0.0), tampering=tampering)


def drop_answer(exchange: Exchange) -> Exchange:
    """Replace the answer with a lost connection; the connector's answer is in the journal as `lost`."""
    given = None if exchange.failure else exchange
    return exchange._replace(status=None, headers={}, body=b"", failure=NoAnswer.NO_CONNECTION, lost=given)


def with_other_cart(request: OutgoingRequest) -> OutgoingRequest:
    """Give the same trip another cart: without its first line, or with one line when it was empty."""
    items = request.message["cartItems"]
    other = items[1:] or [{"id": "OTHER-SKU", "type": "SKU", "quantity": {"value": "7.0", "unit": "unit"}}]
    return request._replace(message={**request.message, "cartItems": other}, body=b"")


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
