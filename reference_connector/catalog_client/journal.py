"""A journal of an upload, in a file: after a crash the upload continues where it stopped.

Each line is a JSON object, and is on disk before the next call. If a crash loses the answer of a call, the client
repeats the call. This does no harm, as an upload replaces whole records.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from threading import Lock
from typing import Any

import orjson

from reference_connector.errors import BadRows


class UploadJournal:
    """The ingestion ids by chunk; the key of a chunk is a digest of its content."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._known = _read(path)

    def find(self, chunk: list[dict[str, Any]]) -> str | None:
        """Return the ingestion id of a chunk that was uploaded before, or None."""
        return self._known.get(_digest(chunk))

    def keep(self, chunk: list[dict[str, Any]], ingestion_id: str) -> None:
        """Record that a chunk was uploaded; the record is on disk when this returns."""
        line = {"chunk": _digest(chunk), "rows": len(chunk), "ingestionId": ingestion_id}
        with self._lock, self._path.open("ab") as file:
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            file.flush()
            os.fsync(file.fileno())
            self._known[line["chunk"]] = ingestion_id  # type: ignore[index] # the digest, a text

    def finish(self) -> None:
        """Delete the journal after a complete upload. The same rows are then a new upload."""
        self._path.unlink(missing_ok=True)
        self._known.clear()


def _read(path: Path) -> dict[str, str]:
    known: dict[str, str] = {}
    if not path.exists():
        return known
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadRows(f"cannot read the journal {path} ({error.strerror})", hint="name another file") from error
    *lines, torn = content.split(b"\n")
    try:
        for line in lines:
            entry = orjson.loads(line)
            known[entry["chunk"]] = entry["ingestionId"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise BadRows(f"{path} is not a journal of uploads", hint="name another file, or delete this one") from error
    if torn:  # a crash left half a line, which counts as not written
        path.write_bytes(b"".join(line + b"\n" for line in lines))
    return known


def _digest(chunk: list[dict[str, Any]]) -> str:
    return hashlib.sha256(orjson.dumps(chunk, option=orjson.OPT_SORT_KEYS)).hexdigest()
