"""The journal without measured values, so that the journals of two runs with one seed are equal byte for byte.

Names replace addresses, because the operating system chooses the ports: `connector-1` is the first connector that the
journal names, `platform` is the platform itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from simulator.journal import Entry

_MEASURED = {"date", "x-amz-date", "host", "content-length"}
"""Headers. The last two depend on addresses: a port may have a digit more."""
_MEASURED_MEMBERS = {"startedMs", "elapsedMs"}
_PLATFORM = "platform"
_ORIGIN = re.compile(r"https?://[^/\s\"\\?#]+")


def as_ndjson(entries: Iterable[Entry], *, measured: bool = True) -> Iterator[bytes]:
    """Yield each entry as a line of JSON. With `measured` False, two runs with one seed yield equal lines."""
    names: dict[str, str] = {}
    for entry in entries:
        yield (orjson.dumps(entry) if measured else _comparable(entry, names)) + b"\n"


def comparable(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a whole journal without measured values."""
    return as_ndjson(map(orjson.loads, lines), measured=False)


def _comparable(entry: Entry, names: dict[str, str]) -> bytes:
    request = entry.get("request")
    if request and (origin := _ORIGIN.match(request["url"])) and origin[0] not in names:
        connectors = sum(name != _PLATFORM for name in names.values())
        names[origin[0]] = _PLATFORM if entry["kind"] == "retailer_call" else f"connector-{connectors + 1}"
    text = orjson.dumps(_drop_measured(entry)).decode()
    return _ORIGIN.sub(lambda found: names.get(found[0], found[0]), text).encode()


def _drop_measured(entry: Entry) -> Entry:
    return {name: _drop_measured_headers(value) for name, value in entry.items() if name not in _MEASURED_MEMBERS}


def _drop_measured_headers(part: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a message without the measured headers. Return any other value unchanged."""
    if not isinstance(part, dict) or "headers" not in part:
        return part
    headers = {name: value for name, value in part["headers"].items() if name.lower() not in _MEASURED}
    return {**part, "headers": headers}
