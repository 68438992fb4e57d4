"""The event stream: server-sent events with the entries of the journal as they are written, and with changes.

A frame `entries` holds an array of entries, oldest first; its id is the number of the last one, so that a client that
comes back with Last-Event-ID misses none that the journal still has. A frame `changes` holds the calls that changed
something which the journal does not record. A frame `gap` says how many entries a slow client has missed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Annotated

import orjson
from fastapi import APIRouter, Header, Query
from starlette.responses import StreamingResponse

from simulator.clock import Clock
from simulator.journal import Entry, Journal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_WAITING_ENTRIES = 2_000
"""Entries that wait for one client; for a slower one the oldest are dropped, and it gets a frame `gap`."""
_WAITING_CHANGES = 200
_FRAME_ENTRIES = 200
_FRAME_EVERY_S = 0.05
_HEARTBEAT_EVERY_S = 10.0
_WATCHED = ("/portal/", "/faults", "/clock", "/trips/", "/deliveries/", "/risk/", "/visitors")
_SUCCESS = range(200, 300)
NO_ENTRIES = "none"


class _Client:
    """One reader of the stream, with the entries and changes that wait for it."""

    def __init__(self, kinds: frozenset[str], store: str) -> None:
        self.kinds = kinds
        self.store = store
        self.entries: deque[tuple[int, bytes]] = deque()
        self.changes: deque[bytes] = deque(maxlen=_WAITING_CHANGES)
        self.missed = 0
        self.wake = asyncio.Event()

    def wants(self, entry: Entry) -> bool:
        return (not self.kinds or entry["kind"] in self.kinds) and (
            not self.store or entry.get("storeId") == self.store
        )

    def put(self, seq: int, line: bytes) -> None:
        if len(self.entries) >= _WAITING_ENTRIES:
            self.entries.popleft()
            self.missed += 1
        self.entries.append((seq, line))
        self.wake.set()

    def frames(self) -> Iterable[bytes]:
        """Yield the frames for all that waits, and forget it."""
        self.wake.clear()
        if self.missed:
            yield _frame("gap", orjson.dumps({"missed": self.missed}))
            self.missed = 0
        while self.entries:
            count = min(_FRAME_ENTRIES, len(self.entries))
            batch = [self.entries.popleft() for _ in range(count)]
            yield _frame("entries", b"[" + b",".join(line for _, line in batch) + b"]", batch[-1][0])
        if self.changes:
            changes = b"[" + b",".join(self.changes) + b"]"
            self.changes.clear()
            yield _frame("changes", changes)


class EventStream:
    """Sends each entry of the journal, and each change, to all clients. `close` ends their streams."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._clients: set[_Client] = set()
        self._is_closed = False
        journal.listeners.append(self._receive)

    def note_change(self, method: str, path: str) -> None:
        """Send a change to all clients: the method and path of the call that made it."""
        line = orjson.dumps({"method": method, "path": path})
        for client in self._clients:
            client.changes.append(line)
            client.wake.set()

    def close(self) -> None:
        """End all streams, so that the server can stop at once."""
        self._is_closed = True
        for client in self._clients:
            client.wake.set()

    async def frames(self, after: int | None, kinds: frozenset[str], store: str) -> AsyncIterator[bytes]:
        """Yield frames until the client leaves: entries after a number, or only new ones, and then each new one."""
        client = _Client(kinds, store)
        self._clients.add(client)
        try:
            if after is not None:
                self._catch_up(client, after)
            yield b"retry: 1000\n\n"
            while not self._is_closed:
                for frame in client.frames():
                    yield frame
                await asyncio.sleep(_FRAME_EVERY_S)
                if not await _is_woken(client.wake):
                    yield b": heartbeat\n\n"
        finally:
            self._clients.discard(client)

    def _catch_up(self, client: _Client, after: int) -> None:
        for entry in self._journal.after(after):
            if client.wants(entry):
                client.put(entry["seq"], orjson.dumps(entry))

    def _receive(self, entry: Entry) -> None:
        interested = [client for client in self._clients if client.wants(entry)]
        if interested:
            line = orjson.dumps(entry)
            for client in interested:
                client.put(entry["seq"], line)


class ChangesWatched:
    """Middleware that notes each successful call that changes what the journal does not record."""

    def __init__(self, app: ASGIApp, stream: EventStream) -> None:
        self._app = app
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note it if it changed something."""
        if scope["type"] != "http" or scope["method"] == "GET" or not scope["path"].startswith(_WATCHED):
            await self._app(scope, receive, send)
            return

        async def send_and_note(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start" and message["status"] in _SUCCESS:
                self._stream.note_change(scope["method"], _shown_path(scope["path"]))

        await self._app(scope, receive, send_and_note)


def event_stream_router(stream: EventStream) -> APIRouter:
    """Make the route of the event stream."""
    router = APIRouter(tags=["control"])

    @router.get("/events", summary="Follow the journal and the platform's changes", response_class=StreamingResponse,
                responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
                description=__doc__)  # fmt: skip
    async def events(
        kinds: Annotated[
            str, Query(description="Kinds of entries, separated by commas; empty means all, none means only changes.")
        ] = "",
        store: Annotated[str, Query(description="Only entries of this store.")] = "",
        after: Annotated[
            int | None, Query(ge=0, description="Begin after this entry; without it, with new ones.")
        ] = None,
        last_event_id: Annotated[str, Header(description="As `after`; a browser sends it when it comes back.")] = "",
    ) -> StreamingResponse:
        since = int(last_event_id) if last_event_id.isascii() and last_event_id.isdecimal() else after
        wanted = frozenset(kind for kind in kinds.split(",") if kind)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream.frames(since, wanted, store), headers=headers, media_type="text/event-stream")

    return router


async def _is_woken(wake: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(_HEARTBEAT_EVERY_S):
            await wake.wait()
    except TimeoutError:
        return False
    return True


def _frame(event: str, data: bytes, seq: int | None = None) -> bytes:
    number = b"" if seq is None else b"id: %d\n" % seq
    return b"event: %s\n%sdata: %s\n\n" % (event.encode(), number, data)


def _shown_path(path: str) -> str:
    """Return a path for readers: without the id of a means of payment."""
    return "/risk" if path.startswith("/risk/") else path
