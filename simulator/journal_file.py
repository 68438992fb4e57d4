"""Reads the newest entries from the end of a journal's file, because the file may be very large."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

import orjson

from simulator.errors import StorageUnreadable

_BLOCK = 1_000_000


def newest_entries(path: Path, most: int) -> list[dict[str, Any]]:
    """Return the last `most` entries, oldest first, and cut off the incomplete entry that a kill may leave.

    Raises StorageUnreadable if the file is not a journal.
    """
    if not path.is_file():
        return []
    with path.open("r+b") as file:
        start, tail = _tail(file, most)
        whole = tail.rfind(b"\n") + 1
        try:
            entries = [orjson.loads(line) for line in tail[:whole].splitlines()[-most:]]
            broken = any(not isinstance(entry["seq"], int) for entry in entries) or (tail and not entries)
        except (orjson.JSONDecodeError, KeyError, TypeError):
            broken = True
        if broken:
            raise StorageUnreadable(f"{path} is no journal of this platform")
        file.truncate(start + whole)
    return entries


def _tail(file: IO[bytes], most: int) -> tuple[int, bytes]:
    """Read at least `most` whole lines from the end, or the whole file; returns their offset and bytes."""
    at, tail = file.seek(0, os.SEEK_END), b""
    while at and tail.count(b"\n") <= most:
        size = min(_BLOCK, at)
        at -= size
        file.seek(at)
        tail = file.read(size) + tail
    return at, tail
