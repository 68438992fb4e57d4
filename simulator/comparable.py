"""The journal as two runs with one seed compare it: byte for byte, without what was measured.

Addresses have names instead, because a port is the system's choice: `connector-1` is the first connector that the
journal calls, `platform` the platform itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from simulator.journal import Entry

_MEASURED = {"date", "x-amz-date", "host", "content-length"}
"""Headers; the last two follow from addresses, as a link may be a digit longer."""
_MEASURED_MEMBERS = {"startedMs", "elapsedMs"}
_PLATFORM = "platform"
_ORIGIN = re.compile(r"https?://[^/\s\"\\?#]+")


def as_ndjson(entries: Iterable[Entry], *, measured: bool = True) -> Iterator[bytes]:
    """Write entries as JSON, one a line; without what is `measured`, two runs with one seed compare equal."""
    names: dict[str, str] = {}
    for entry in entries:
        yield (orjson.dumps(entry) if measured else _comparable(entry, names)) + b"\n"


def comparable(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Turn the lines of a whole journal into comparable ones."""
    return as_ndjson(map(orjson.loads, lines), measured=False)


def _comparable(entry: Entry, names: dict[str, str]) -> bytes:
    request = entry.get("request")
    if request and (origin := _ORIGIN.match(request["url"])) and origin[0] not in names:
        connectors = sum(name != _PLATFORM for name in names.values())
        names[origin[0]] = _PLATFORM if entry["kind"] == "retailer_call" else f"connector-{connectors + 1}"
    text = orjson.dumps(_without_measured(entry)).decode()
    return _ORIGIN.sub(lambda found: names.get(found[0], found[0]), text).encode()


def _without_measured(entry: Entry) -> Entry:
    return {name: _unmeasured(value) for name, value in entry.items() if name not in _MEASURED_MEMBERS}


def _unmeasured(part: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a message without the headers that were measured, and everything else as it is."""
    if not isinstance(part, dict) or "headers" not in part:
        return part
    headers = {name: value for name, value in part["headers"].items() if name.lower() not in _MEASURED}
    return {**part, "headers": headers}
