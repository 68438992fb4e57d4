"""A journal of an upload, in a file: after a crash the upload continues where it stopped.

Each line is a JSON object, and is on disk before the next call. If a crash loses the answer of a call, the client
repeats the call. This does no harm, as an upload replaces whole records.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import orjson

from reference_connector.errors import BadRows, JournalUnusable

try:
    import fcntl
except ImportError:  # Windows has no such lock
    fcntl = None  # type: ignore[assignment]

_LOCKED = {errno.EAGAIN, errno.EACCES}
_BEGIN = b'{"chunk"'


@contextmanager
def held_journal(path: Path) -> Iterator[None]:
    """Keep other uploads, also those of other processes, from this journal.

    Raises JournalUnusable if another upload uses it, or it cannot be written. On file systems without locks it has no
    effect.
    """
    try:
        file = path.open("ab")
    except OSError as error:
        raise _unusable(path, "written", error) from error
    with file:
        if fcntl is not None:
            _lock(file, path)
        yield


def _lock(file: BinaryIO, path: Path) -> None:
    """Lock an open file until it is closed. Raises JournalUnusable if another process has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _LOCKED:
            raise JournalUnusable(
                f"another upload uses the journal {path}",
                hint="wait until it ends, or name another file with --journal",
            ) from error


class UploadJournal:
    """The ingestion ids by chunk; the key of a chunk is a digest of its content.

    A line counts only for the platform that it names, so rows that a test platform has are not missing at another one.
    Raises JournalUnusable if the file cannot be written, before anything is uploaded.
    """

    def __init__(self, path: Path, endpoint: str = "") -> None:
        self._path = path
        self._endpoint = endpoint
        self._lock = Lock()
        self._known = _read(path, endpoint)
        self._append(b"")

    def find(self, chunk: list[dict[str, Any]]) -> str | None:
        """Return the ingestion id of a chunk that was uploaded before, or None."""
        return self._known.get(_digest(chunk))

    def keep(self, chunk: list[dict[str, Any]], ingestion_id: str) -> None:
        """Record that a chunk was uploaded; the record is on disk when this returns.

        Raises JournalUnusable if the file cannot be written.
        """
        digest = _digest(chunk)
        line = {"chunk": digest, "rows": len(chunk), "ingestionId": ingestion_id, "endpoint": self._endpoint}
        with self._lock:
            self._append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
            self._known[digest] = ingestion_id

    def finish(self) -> None:
        """Delete the journal once every result is known. The same rows are then a new upload."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(self._path, "deleted", error) from error
        self._known.clear()

    def _append(self, line: bytes) -> None:
        try:
            with self._path.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _unusable(self._path, "written", error) from error


def _unusable(path: Path, done: str, error: OSError) -> JournalUnusable:
    return JournalUnusable(
        f"the journal {path} cannot be {done} ({error.strerror or error})",
        hint="free some space, or name another file with --journal",
    )


def _read(path: Path, endpoint: str) -> dict[str, str]:
    """Return the ingestion ids of a journal, and cut off the half line that a crash left, which was not written."""
    known: dict[str, str] = {}
    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise BadRows(f"cannot read the journal {path} ({error.strerror})", hint="name another file") from error
    *lines, torn = content.split(b"\n")
    try:
        for line in lines:
            entry = orjson.loads(line)
            if entry.get("endpoint", endpoint) == endpoint:
                known[entry["chunk"]] = entry["ingestionId"]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise BadRows(f"{path} is not a journal of uploads", hint="name another file, or delete this one") from error
    if torn:
        if not torn.startswith(_BEGIN) and not _BEGIN.startswith(torn):
            raise BadRows(f"{path} is not a journal of uploads", hint="name another file")
        try:
            os.truncate(path, len(content) - len(torn))
        except OSError as error:
            raise BadRows(f"cannot write the journal {path} ({error.strerror})", hint="name another file") from error
    return known


def _digest(chunk: list[dict[str, Any]]) -> str:
    return hashlib.sha256(orjson.dumps(chunk, option=orjson.OPT_SORT_KEYS)).hexdigest()
