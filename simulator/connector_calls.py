"""Calls to connectors: the armed faults apply to each call, and the journal records it.

The platform decides by the returned exchange. Further messages that a fault sends are only in the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import orjson

from jwo_contract.gate import NoAnswer
from jwo_contract.operations import VERIFY_IDENTITY_KEYS
from jwo_contract.values import format_instant, parse_instant
from simulator.clock import Clock
from simulator.connector import ConnectorClient, Exchange, OutgoingRequest, unsent
from simulator.faults import Faults, Where
from simulator.http_client import Tampering
from simulator.journal import Journal
from simulator.seed import Seed
from simulator.storage.key_values import KeyValueStore

_DAY_S = 86_400.0
_UNKNOWN_ATTRIBUTES = {
    "x-unknown-attribute": {"nested": [1, "two"]},
    "futureAttribute": "from a later version of the contract",
}


class CallContext(NamedTuple):
    """The store, gate and trip of a call, the kind of its journal entry, its own faults, and the secrets to hide."""

    store: str
    gate: str = ""
    trip: str = ""
    kind: str = "exchange"
    faults: dict[str, float] = {}  # noqa: RUF012 - read only
    secrets: tuple[str, ...] = ()


class DelayedMessage(NamedTuple):
    """A message to send again at the platform time `due`."""

    due: datetime
    request: OutgoingRequest
    context: CallContext


class ConnectorCalls:
    """Makes calls. `resume` schedules the stored delayed messages again, and `close` cancels the delayed messages.

    A delayed message survives a restart, except Verify Identity Keys, which stays in memory only.
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
        self._held_back: dict[tuple[str, str], asyncio.Future[None]] = {}

    async def make(self, request: OutgoingRequest, context: CallContext) -> tuple[Exchange, dict[str, float]]:
        """Send a message and wait; returns the exchange to decide by, and the faults that applied to it."""
        key = request.message.get("requestId") or context.trip
        where = Where(operation=request.operation.name, store=context.store, gate=context.gate, trip=context.trip)
        faults = {**self._faults.trigger("exchange", where, key), **context.faults}
        if not faults:
            exchange = await self._client.send(request)
        else:
            exchange = await self._send_with_faults(apply_faults(request, faults), faults, context)
        self._release_overtaken(context.store, request.operation.name)
        return exchange, faults

    def note(self, exchange: Exchange, context: CallContext, faults: dict[str, float], **more: Any) -> None:  # noqa: ANN401 - journal members
        """Add an exchange to the journal."""
        entry = {"gate": context.gate or None, "tripId": context.trip or None, "storeId": context.store, **more}
        if faults:
            entry["faults"] = sorted(faults)
        self._journal.add_exchange(context.kind, entry, exchange, context.secrets)

    async def resume(self) -> None:
        """Schedule the delayed messages that the storage kept when the platform stopped."""
        for key, late in self._late.all().items():
            self._start(self._send_late(key, late))

    async def close(self) -> None:
        """Cancel the messages that are still delayed."""
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)

    async def _send_with_faults(
        self, request: OutgoingRequest, faults: dict[str, float], context: CallContext
    ) -> Exchange:
        if "reorder" in faults:
            await self._wait_to_be_overtaken(context.store, request.operation.name, faults["reorder"])
        await self._clock.sleep(faults.get("delay", 0.0))
        if "drop_before" in faults:
            return unsent(request)
        duplicates = int(faults.get("concurrent_duplicates", 1)) - 1
        exchange, *others = await asyncio.gather(
            self._client.send(request),
            *(self._client.send(self._duplicate(request, n)) for n in range(max(0, duplicates))),
        )
        for other in others:
            self.note(other, context, {"concurrent_duplicates": 0})
        await self._repeat(request, faults, context)
        if "error_answer" in faults:
            exchange = _with_error(exchange, int(faults["error_answer"]))
        if "late_answer" in faults:
            exchange = await self._receive_late(exchange, request.timeout_s, faults["late_answer"])
        return drop_answer(exchange) if "drop_after" in faults else exchange

    async def _receive_late(self, exchange: Exchange, timeout_s: float, late_s: float) -> Exchange:
        """Wait for an answer that is late, at most until the time limit of the call, where it counts as timed out."""
        left_s = max(0.0, timeout_s - exchange.elapsed_ms / 1000)
        await self._clock.sleep(min(late_s, left_s))
        elapsed_ms = exchange.elapsed_ms + round(min(late_s, left_s) * 1000)
        if exchange.failure or late_s <= left_s:
            return exchange._replace(elapsed_ms=elapsed_ms)
        return _without_answer(exchange, NoAnswer.TIMED_OUT)._replace(elapsed_ms=elapsed_ms)

    async def _repeat(self, request: OutgoingRequest, faults: dict[str, float], context: CallContext) -> None:
        for number in range(int(faults.get("duplicate", 0))):
            self.note(await self._client.send(self._duplicate(request, f"d{number}")), context, {"duplicate": 0})
        for _ in range(int(faults.get("same_request_id", 0))):
            self.note(await self._client.send(request), context, {"same_request_id": 0})
        if "changed_cart" in faults and "cartItems" in request.message:
            self.note(await self._client.send(with_other_cart(request)), context, {"changed_cart": 0})
        if "old_attempt" in faults:
            due = self._clock.now() + timedelta(seconds=faults["old_attempt"] * _DAY_S)
            self._postpone(DelayedMessage(due, request, context))

    def _duplicate(self, request: OutgoingRequest, number: object) -> OutgoingRequest:
        """Copy a message for a further delivery. If the message has a requestId, the copy gets another one."""
        if "requestId" not in request.message or request.body:
            return request
        again = self._seed.id("duplicate", request.message["requestId"], number)
        return request._replace(message={**request.message, "requestId": again})

    def _postpone(self, late: DelayedMessage) -> None:
        key = str(uuid4())
        if late.request.operation != VERIFY_IDENTITY_KEYS:  # identity keys are never written to disk
            self._late.put(key, late)
        self._start(self._send_late(key, late))

    async def _send_late(self, key: str, late: DelayedMessage) -> None:
        await self._clock.sleep((late.due - self._clock.now()).total_seconds())
        self.note(await self._client.send(late.request), late.context, {"old_attempt": 0})
        self._late.delete(key)

    async def _wait_to_be_overtaken(self, store: str, operation: str, seconds: float) -> None:
        passing = self._held_back.setdefault((store, operation), asyncio.get_running_loop().create_future())
        await self._clock.sleep(seconds, unless=passing)

    def _release_overtaken(self, store: str, operation: str) -> None:
        if passing := self._held_back.pop((store, operation), None):
            passing.set_result(None)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)


def apply_faults(request: OutgoingRequest, faults: dict[str, float]) -> OutgoingRequest:
    """Apply the faults that change the message or the way of sending it."""
    message = request.message
    if "clock_skew" in faults:
        message = _shift_timestamps(message, timedelta(seconds=faults["clock_skew"]))
    if "unknown_attributes" in faults:
        message = _add_unknown_attributes(message)
    body = orjson.dumps(message)[:-1] + b',"unfinished":' if "malformed" in faults else b""
    tampering = Tampering(slow_s=faults.get("slow_body", 0.0), cut="cut" in faults, hang_up="hang_up" in faults)
    return request._replace(message=message, body=body, skew_s=faults.get("clock_skew", 0.0), tampering=tampering)


def drop_answer(exchange: Exchange) -> Exchange:
    """Replace the answer with a lost connection. The journal has the connector's answer as `lost`."""
    return _without_answer(exchange, NoAnswer.NO_CONNECTION)


def _without_answer(exchange: Exchange, why: NoAnswer) -> Exchange:
    given = exchange.lost if exchange.failure else exchange
    return exchange._replace(status=None, headers={}, body=b"", failure=why, lost=given)


def _with_error(exchange: Exchange, status: int) -> Exchange:
    """Replace the answer with an error of this status. The journal has the connector's answer as `lost`."""
    given = None if exchange.failure else exchange
    body = orjson.dumps({"errorMsg": "the fault error_answer of the platform replaced the connector's answer"})
    headers = {"content-type": "application/json"}
    return exchange._replace(status=status, headers=headers, body=body, failure=None, lost=given)


def with_other_cart(request: OutgoingRequest) -> OutgoingRequest:
    """Change the cart of the same trip: remove its first line, or put another line in if no line is left."""
    items = request.message["cartItems"]
    other = items[1:] or [{"id": "OTHER-SKU", "type": "SKU", "quantity": {"value": "7.0", "unit": "unit"}}]
    return request._replace(message={**request.message, "cartItems": other}, body=b"")


def _shift_timestamps(value: Any, by: timedelta, name: str = "") -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {key: _shift_timestamps(member, by, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_shift_timestamps(item, by, name) for item in value]
    if name in {"timestamp", "startTime", "endTime"}:
        return format_instant(parse_instant(value) + by)
    return value


def _add_unknown_attributes(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {**{key: _add_unknown_attributes(member) for key, member in value.items()}, **_UNKNOWN_ATTRIBUTES}
    if isinstance(value, list):
        return [_add_unknown_attributes(item) for item in value]
    return value
