"""The journal: every exchange with a connector and every gate decision, redacted before it is kept.

What was really sent stays beside the newest entries, so that one can be sent again; it is never shown.
"""

from __future__ import annotations

import logging
import shlex
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson

from contract.values import format_instant
from simulator.clock import Clock
from simulator.connector import Exchange
from simulator.errors import NotKnown

Entry = dict[str, Any]
LANE: ContextVar[tuple[Any, ...]] = ContextVar("lane", default=())
"""Where an entry belongs among those that are held back: activities at the same time have lanes of their own."""
_MEASURED = {"elapsedMs", "date", "x-amz-date", "Date", "X-Amz-Date"}
_log = logging.getLogger("simulator.journal")


class Sent(NamedTuple):
    """What was really sent, for sending it again."""

    operation: str
    url: str
    body: bytes
    secrets: tuple[str, ...]


class Journal:
    """Keeps the newest `size` entries, and all of them in a file where there is one (`path`, NDJSON)."""

    def __init__(self, clock: Clock, size: int, path: Path | None = None) -> None:
        self._clock = clock
        self._entries: deque[tuple[Entry, Sent | None]] = deque(maxlen=size)
        self._seq = 0
        self._held: list[tuple[tuple[Any, ...], int, Entry, Sent | None]] | None = None
        self._file: IO[bytes] | None = path.open("ab") if path else None
        self.listeners: list[Callable[[Entry], None]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, kind: str, entry: Entry, sent: Sent | None = None) -> None:
        """Keep an entry."""
        full = {"at": format_instant(self._clock.now()), "kind": kind, **entry}
        if self._held is None:
            self._keep(full, sent)
        else:
            self._held.append((LANE.get(), len(self._held), full, sent))

    def add_exchange(self, kind: str, entry: Entry, exchange: Exchange, secrets: tuple[str, ...] = ()) -> None:
        """Keep an exchange: redacted for readers, and as it was for sending it again."""
        told = exchange.for_journal(secrets)
        body = told["request"]["body"]
        request_id = body.get("requestId") if isinstance(body, dict) else None
        sent = Sent(exchange.operation, exchange.url, exchange.request, secrets)
        self.add(kind, {"requestId": request_id, **entry, **told}, sent)

    def hold(self) -> None:
        """Hold entries back from now on, until `release` puts them in the order of their lanes."""
        self._held = self._held or []

    def release(self) -> None:
        """Keep what was held back: lane by lane, and within a lane in the order in which it was added."""
        held, self._held = self._held or [], None
        for _, _, entry, sent in sorted(held, key=lambda one: one[:2]):
            self._keep(entry, sent)

    def entries(self, *, trip: str = "", gate: str = "", request: str = "", limit: int = 100) -> list[Entry]:
        """Return the newest entries that match, oldest first."""
        found = [entry for entry, _ in self._entries if _matches(entry, trip, gate, request)]
        return found[-limit:] if limit else []

    def sent(self, seq: int) -> tuple[Entry, Sent]:
        """Return an entry and what was really sent; NotKnown when it is no exchange or no longer kept."""
        for entry, sent in self._entries:
            if entry["seq"] == seq and sent is not None and sent.url:
                return entry, sent
        raise NotKnown("exchange", str(seq), hint="entries with a request can be sent again while the journal has them")

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    def flush(self) -> None:
        """Write what is buffered to the file."""
        if self._file:
            self._file.flush()

    def _keep(self, entry: Entry, sent: Sent | None) -> None:
        self._seq += 1
        full = {"seq": self._seq, **entry}
        self._entries.append((full, sent))
        if self._file:
            self._file.write(orjson.dumps(full) + b"\n")
        if _log.isEnabledFor(logging.INFO):
            shown = {name: value for name, value in full.items() if name not in {"request", "response", "visitor"}}
            _log.info("%s", orjson.dumps(shown).decode())
        for listener in self.listeners:
            listener(full)


def as_ndjson(entries: list[Entry], *, measured: bool = True) -> Iterator[bytes]:
    """Write entries as JSON, one a line; without what is `measured`, two runs with one seed compare equal."""
    for entry in entries:
        yield orjson.dumps(entry if measured else _without_measured(entry)) + b"\n"


def as_curl(entries: list[Entry]) -> Iterator[str]:
    """Write the requests among entries as command lines; what is hidden in the journal is hidden here."""
    for entry in entries:
        if request := entry.get("request"):
            body = request["body"]
            text = body if isinstance(body, str) else orjson.dumps(body).decode()
            words = ["curl", "-sS", "-X", request["method"], request["url"]]
            for name, value in request["headers"].items():
                words += ["-H", f"{name}: {value}"]
            yield shlex.join([*words, "--data-raw", text]) + "\n"


def _without_measured(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {name: _without_measured(member) for name, member in value.items() if name not in _MEASURED}
    if isinstance(value, list):
        return [_without_measured(item) for item in value]
    return value


def _matches(entry: Entry, trip: str, gate: str, request: str) -> bool:
    return (
        (not trip or entry.get("tripId") == trip)
        and (not gate or entry.get("gate") == gate)
        and (not request or entry.get("requestId") == request)
    )
