"""The journal's file: it appends entries, starts a new file at a set size, and reads the newest entries back.

A full file gets the suffix `.1`, and the earlier file of that name is deleted. A new file starts only when the full one
has as many entries as the journal shows, so a kill at any moment leaves these in one of the two files, or in both.
"""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import IO, Any

import orjson

from simulator.errors import StorageUnreadable

_BLOCK = 1_000_000
_BUFFER_BYTES = 64_000
_OWNER_ONLY = 0o600
_log = logging.getLogger("simulator.journal")


class JournalFile:
    """Appends lines to the file `path`; with `at_once`, a line survives a kill of the process when `append` returns.

    A new file starts after `most_bytes` (0: never) and at least `fewest_entries` entries. A full disk loses no entry as
    long as the platform runs: the entries wait in memory until they can be written. Raises StorageUnreadable if the
    file cannot be opened.
    """

    def __init__(self, path: Path, *, at_once: bool, most_bytes: int = 0, fewest_entries: int = 0) -> None:
        self._path = path
        self._at_once = at_once
        self._most_bytes = most_bytes
        self._fewest_entries = fewest_entries
        self._waiting = bytearray()
        self._fails = False
        try:
            self._file = _appending(path, owner_only=at_once)
            self._bytes = self._file.seek(0, os.SEEK_END)
            self._entries = _count(path, fewest_entries) if most_bytes else 0
        except OSError as error:
            raise _unusable(path, "written", error) from error

    def append(self, line: bytes) -> None:
        """Append a line."""
        self._waiting += line
        self._bytes += len(line)
        self._entries += 1
        if self._at_once or len(self._waiting) >= _BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the lines that wait. If that fails, log it once, and keep the lines for the next time."""
        try:
            while self._waiting:
                del self._waiting[: self._file.write(self._waiting)]
            if self._most_bytes and self._bytes >= self._most_bytes and self._entries >= self._fewest_entries:
                self._start_new_file()
        except OSError as error:
            if not self._fails:
                waiting = f"{len(self._waiting):,} bytes wait in memory"
                _log.error("the journal %s cannot be written, and %s: %s", self._path, waiting, error.strerror)
            self._fails = True
        else:
            if self._fails:
                _log.warning("the journal %s is written again, without a gap", self._path)
            self._fails = False

    def close(self) -> None:
        """Write the lines that wait, and close the file."""
        self.flush()
        if self._waiting:
            _log.error("the last %s bytes of the journal %s are lost", f"{len(self._waiting):,}", self._path)
        self._file.close()

    def _start_new_file(self) -> None:
        """Rename the full file and open a new one.

        No gate waits for the disk: a thread closes the deleted file, which frees its space. A rename over it would make
        the file system write the renamed file first.
        """
        full, older = self._file, earlier_file(self._path)
        if self._path.exists():  # not if the last attempt ended below
            if older.exists():
                deleted = older.open("rb")
                older.unlink()
                threading.Thread(target=deleted.close, daemon=True).start()
            self._path.rename(older)
        self._file = _appending(self._path, owner_only=self._at_once)
        self._bytes = self._entries = 0
        full.close()


def earlier_file(path: Path) -> Path:
    """Return the path of the file that was full before this one."""
    return path.with_name(f"{path.name}.1")


def newest_entries(path: Path, most: int) -> list[dict[str, Any]]:
    """Return the last `most` entries of a journal and of its earlier file, oldest first.

    Cut off the incomplete entry that a kill may leave. Raises StorageUnreadable if a file is no readable journal.
    """
    try:
        found = _newest_entries(path, most)
        older = _newest_entries(earlier_file(path), most - len(found)) if len(found) < most else []
    except OSError as error:
        raise _unusable(path, "read", error) from error
    return older + found


def _unusable(path: Path, verb: str, error: OSError) -> StorageUnreadable:
    hint = "JWO_PLATFORM_JOURNAL_PATH names it, by default next to JWO_PLATFORM_DATABASE_PATH; its folder must exist"
    return StorageUnreadable(f"the journal {path} cannot be {verb}: {error.strerror or error}", hint=hint)


def _newest_entries(path: Path, most: int) -> list[dict[str, Any]]:
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


def _appending(path: Path, *, owner_only: bool) -> IO[bytes]:
    if owner_only:
        path.touch(_OWNER_ONLY)
    return path.open("ab", buffering=0)


def _count(path: Path, most: int) -> int:
    """Return how many entries a file has, if there are fewer than `most`; otherwise `most` or more."""
    count = 0
    with path.open("rb") as file:
        while count < most and (block := file.read(_BLOCK)):
            count += block.count(b"\n")
    return count


def _tail(file: IO[bytes], most: int) -> tuple[int, bytes]:
    """Read at least `most` whole lines from the end, or the whole file; returns their offset and bytes."""
    at, tail = file.seek(0, os.SEEK_END), b""
    while at and tail.count(b"\n") <= most:
        size = min(_BLOCK, at)
        at -= size
        file.seek(at)
        tail = file.read(size) + tail
    return at, tail
