"""The journal: every exchange in either direction and every gate decision, in redacted form.

The newest entries also keep the original request, to send it again; the journal never shows it. A journal that
continues from its file has no original requests: it can send only requests again from which nothing was redacted.
Entries are lines of JSON: if they were objects, the garbage collector would stop all gates while it visits them.
"""

from __future__ import annotations

import contextlib
import logging
import shlex
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from jwo_contract.values import format_instant
from simulator.clock import Clock
from simulator.connector import Exchange
from simulator.errors import NotKnown
from simulator.journal_file import JournalFile, newest_entries
from simulator.redaction import HIDDEN

Entry = dict[str, Any]
SORT_KEY: ContextVar[tuple[Any, ...]] = ContextVar("sort_key", default=())
"""The place of an entry among the held-back ones; activities at the same time have different keys."""
_LENGTH = "content-length"
_log = logging.getLogger("simulator.journal")


class Sent(NamedTuple):
    """An original request, to send it again."""

    operation: str
    url: str
    body: bytes
    secrets: tuple[str, ...]


class Journal:
    """The newest `size` entries, and in the NDJSON file `path`, if given, these and earlier ones.

    With `continued`, the journal begins with the entries of the file, and writes each new entry at once. After
    `file_bytes` the file becomes the earlier file, and a new one starts; 0 keeps all entries in one file.
    """

    def __init__(
        self, clock: Clock, size: int, path: Path | None = None, *, continued: bool = False, file_bytes: int = 0
    ) -> None:
        self._clock = clock
        past = newest_entries(path, size) if path and continued else []
        self._lines: deque[tuple[bytes, Sent | None]] = deque(((orjson.dumps(entry), None) for entry in past), size)
        self._seq: int = past[-1]["seq"] if past else 0
        self._held: list[tuple[tuple[Any, ...], int, Entry, Sent | None]] | None = None
        self._file = JournalFile(path, at_once=continued, most_bytes=file_bytes, fewest_entries=size) if path else None
        self.listeners: list[Callable[[Entry], None]] = []

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, kind: str, entry: Entry, sent: Sent | None = None) -> None:
        """Add an entry."""
        full = {"at": format_instant(self._clock.now()), "kind": kind, **entry}
        if self._held is None:
            self._keep(full, sent)
        else:
            self._held.append((SORT_KEY.get(), len(self._held), full, sent))

    def add_exchange(self, kind: str, entry: Entry, exchange: Exchange, secrets: tuple[str, ...] = ()) -> None:
        """Add an exchange: redacted for readers, and with the original request to send it again."""
        redacted = exchange.for_journal(secrets)
        body = redacted["request"]["body"]
        request_id = body.get("requestId") if isinstance(body, dict) else None
        sent = Sent(exchange.operation, exchange.url, _trimmed(exchange.request), secrets)
        self.add(kind, {"requestId": request_id, **entry, **redacted}, sent)

    def hold(self) -> None:
        """Hold entries back from now on, until `release` puts them in order."""
        self._held = self._held or []

    def release(self) -> None:
        """Add the held-back entries in the order of their sort keys; equal keys stay in the order of `add`."""
        held, self._held = self._held or [], None
        for _, _, entry, sent in sorted(held, key=lambda one: one[:2]):
            self._keep(entry, sent)

    def entries(self, limit: int = 100, **wanted: str) -> list[Entry]:
        """Return the newest entries that have the wanted members, oldest first; an empty text means any."""
        given = {name: value for name, value in wanted.items() if value}
        marks, found = [orjson.dumps({name: value})[1:-1] for name, value in given.items()], list[Entry]()
        for line, _ in reversed(self._lines):
            if len(found) >= limit:
                break
            if all(mark in line for mark in marks) and given.items() <= (entry := orjson.loads(line)).items():
                found.append(entry)
        return found[::-1]

    def after(self, seq: int) -> list[Entry]:
        """Return the entries with a higher number, oldest first."""
        found = list[Entry]()
        for line, _ in reversed(self._lines):
            entry = orjson.loads(line)
            if entry["seq"] <= seq:
                break
            found.append(entry)
        return found[::-1]

    def newest(self, count: int) -> Iterator[tuple[Entry, Sent | None]]:
        """Yield the newest entries with their original requests, oldest first."""
        for line, sent in list(islice(reversed(self._lines), count))[::-1]:
            entry = orjson.loads(line)
            yield entry, sent or _request_of(entry)

    def find(self, seq: int) -> tuple[Entry, Sent | None]:
        """Return an entry, and its original request if it has one. Raises NotKnown if the journal has no such entry."""
        for line, sent in self._lines:
            if line.startswith(b'{"seq":%d,' % seq):
                entry = orjson.loads(line)
                return entry, sent or _request_of(entry)
        raise NotKnown("entry", str(seq), hint="GET /journal lists the entries that the journal still has")

    def sent(self, seq: int) -> tuple[Entry, Sent]:
        """Return an entry and its original request. Raises NotKnown if the journal has no such request."""
        with contextlib.suppress(NotKnown):
            entry, known = self.find(seq)
            if known and known.url:
                return entry, known
        raise NotKnown("exchange", str(seq), hint="choose an exchange that the platform sent and the journal still has")

    def before(self, seq: int, text: str) -> list[Entry]:
        """Return the entries with a lower number that hold a text as a value somewhere, oldest first."""
        mark = orjson.dumps(text)
        holding = (orjson.loads(line) for line, _ in self._lines if mark in line)
        return [entry for entry in holding if entry["seq"] < seq]

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    def flush(self) -> None:
        """Write the buffer to the file."""
        if self._file:
            self._file.flush()

    def _keep(self, entry: Entry, sent: Sent | None) -> None:
        self._seq += 1
        full = {"seq": self._seq, **entry}
        line = _trimmed(orjson.dumps(full, option=orjson.OPT_APPEND_NEWLINE))
        self._lines.append((line, sent))
        if self._file:
            self._file.append(line)
        if _log.isEnabledFor(logging.INFO):
            shown = {name: value for name, value in full.items() if name not in {"request", "response", "visitor"}}
            _log.info("%s", orjson.dumps(shown).decode())
        for listener in self.listeners:
            listener(full)


def _trimmed(content: bytes) -> bytes:
    """Copy bytes into exactly the memory that they need: orjson returns them in a larger block."""
    return memoryview(content).tobytes()


def _request_of(entry: Entry) -> Sent | None:
    """Return the request that an entry shows; None if a part of it is redacted or cut off."""
    request = entry.get("request")
    if request is None or entry["kind"] == "retailer_call" or not isinstance(request["body"], dict):
        return None
    body = orjson.dumps(request["body"])
    return None if HIDDEN.encode() in body else Sent(entry["operation"], request["url"], body, ())


def as_curl(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the requests of entries as command lines of curl, in redacted form."""
    for entry in entries:
        if request := entry.get("request"):
            headers = [f"{name}: {value}" for name, value in request["headers"].items() if name.lower() != _LENGTH]
            words = ["curl", "-sS", "-X", request["method"], request["url"]]
            words += [word for header in headers for word in ("-H", header)]
            yield shlex.join([*words, *_data(request["body"], entry["seq"])]) + "\n"


def _data(body: Any, seq: int) -> list[str]:  # noqa: ANN401 - any JSON, or text
    """Return curl's arguments for a body. A body that the journal cut off must be in a file."""
    if body == "":
        return []
    if isinstance(body, dict) and "cut" in body and "sha256" in body:
        return ["--data-binary", f"@body-of-{seq}-with-sha256-{body['sha256']}.json"]
    return ["--data-raw", body if isinstance(body, str) else orjson.dumps(body).decode()]
