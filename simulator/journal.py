"""The journal: every exchange in either direction and every gate decision, redacted before it is kept.

What was really sent stays beside the newest entries, so that one can be sent again; it is never shown. A journal that
is continued from its file has it no longer: then only what the file shows whole can be sent again. Entries are kept as
their lines of JSON: as objects, they would make the collector stop all gates for as long as it walks over them.
"""

from __future__ import annotations

import logging
import shlex
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson

from contract.values import format_instant
from simulator.clock import Clock
from simulator.connector import Exchange
from simulator.errors import NotKnown
from simulator.journal_file import newest_entries
from simulator.redaction import HIDDEN

Entry = dict[str, Any]
LANE: ContextVar[tuple[Any, ...]] = ContextVar("lane", default=())
"""Where an entry belongs among those that are held back: activities at the same time have lanes of their own."""
_LENGTH = "content-length"
_log = logging.getLogger("simulator.journal")


class Sent(NamedTuple):
    """What was really sent, for sending it again."""

    operation: str
    url: str
    body: bytes
    secrets: tuple[str, ...]


class Journal:
    """Keeps the newest `size` entries, and all of them in a file where there is one (`path`, NDJSON).

    With `continued`, it begins with what is in the file, and every entry is in the file at once.
    """

    def __init__(self, clock: Clock, size: int, path: Path | None = None, *, continued: bool = False) -> None:
        self._clock = clock
        past = newest_entries(path, size) if path and continued else []
        self._lines: deque[tuple[bytes, Sent | None]] = deque(((orjson.dumps(entry), None) for entry in past), size)
        self._seq: int = past[-1]["seq"] if past else 0
        self._held: list[tuple[tuple[Any, ...], int, Entry, Sent | None]] | None = None
        if path and continued:
            path.touch(mode=0o600)
        self._file: IO[bytes] | None = path.open("ab", buffering=0 if continued else -1) if path else None
        self.listeners: list[Callable[[Entry], None]] = []

    def __len__(self) -> int:
        return len(self._lines)

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
        sent = Sent(exchange.operation, exchange.url, _trimmed(exchange.request), secrets)
        self.add(kind, {"requestId": request_id, **entry, **told}, sent)

    def hold(self) -> None:
        """Hold entries back from now on, until `release` puts them in the order of their lanes."""
        self._held = self._held or []

    def release(self) -> None:
        """Keep what was held back: lane by lane, and within a lane in the order in which it was added."""
        held, self._held = self._held or [], None
        for _, _, entry, sent in sorted(held, key=lambda one: one[:2]):
            self._keep(entry, sent)

    def entries(self, limit: int = 100, **wanted: str) -> list[Entry]:
        """Return the newest entries with the given members, oldest first; an empty text means any."""
        asked = {name: value for name, value in wanted.items() if value}
        marks, found = [orjson.dumps({name: value})[1:-1] for name, value in asked.items()], list[Entry]()
        for line, _ in reversed(self._lines):
            if len(found) >= limit:
                break
            if all(mark in line for mark in marks) and asked.items() <= (entry := orjson.loads(line)).items():
                found.append(entry)
        return found[::-1]

    def sent(self, seq: int) -> tuple[Entry, Sent]:
        """Return an entry and the sent message. Raises NotKnown if it is not an exchange or no longer kept."""
        for line, sent in self._lines:
            if line.startswith(b'{"seq":%d,' % seq):
                entry = orjson.loads(line)
                known = sent or _shown_whole(entry)
                if known and known.url:
                    return entry, known
        raise NotKnown("exchange", str(seq), hint="what the platform sent can be sent again while the journal has it")

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
        line = _trimmed(orjson.dumps(full, option=orjson.OPT_APPEND_NEWLINE))
        self._lines.append((line, sent))
        if self._file:
            self._file.write(line)
        if _log.isEnabledFor(logging.INFO):
            shown = {name: value for name, value in full.items() if name not in {"request", "response", "visitor"}}
            _log.info("%s", orjson.dumps(shown).decode())
        for listener in self.listeners:
            listener(full)


def _trimmed(content: bytes) -> bytes:
    """Return the same bytes in no more memory than they need: what orjson writes comes in a larger piece."""
    return memoryview(content).tobytes()


def _shown_whole(entry: Entry) -> Sent | None:
    """Return what was sent by what the journal shows of it; None when something of it is hidden or was cut."""
    request = entry.get("request")
    if request is None or entry["kind"] == "retailer_call" or not isinstance(request["body"], dict):
        return None
    body = orjson.dumps(request["body"])
    return None if HIDDEN.encode() in body else Sent(entry["operation"], request["url"], body, ())


def as_curl(entries: Iterable[Entry]) -> Iterator[str]:
    """Write the requests among entries as command lines; what is hidden in the journal is hidden here."""
    for entry in entries:
        if request := entry.get("request"):
            headers = [f"{name}: {value}" for name, value in request["headers"].items() if name.lower() != _LENGTH]
            words = ["curl", "-sS", "-X", request["method"], request["url"]]
            words += [word for header in headers for word in ("-H", header)]
            yield shlex.join([*words, *_data(request["body"], entry["seq"])]) + "\n"


def _data(body: Any, seq: int) -> list[str]:  # noqa: ANN401 - any JSON, or the text that it was
    """Return the words that carry a body; one that was too large to be kept is awaited in a file."""
    if body == "":
        return []
    if isinstance(body, dict) and "cut" in body and "sha256" in body:
        return ["--data-binary", f"@body-of-{seq}-with-sha256-{body['sha256']}.json"]
    return ["--data-raw", body if isinstance(body, str) else orjson.dumps(body).decode()]
