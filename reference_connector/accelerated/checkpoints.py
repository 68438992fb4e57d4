"""Writes SQLite's log back into the database beside the writer, so that commits do not wait for it.

SQLite itself would do so within a commit. A log starts again at its beginning only when nothing is left to write back,
and beside commits there is always something; so when little is left, the writer writes that back after its commit.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

LONGEST_LOG_PAGES = 16_000
"""At this length, 64 MB, SQLite writes the log back within a commit after all."""
_LONG_LOG_PAGES = 8_000
"""At this length the log should start again at its beginning."""
_EVERY_S = 0.2


class ThreadedCheckpoints:
    """A thread with a connection of its own, which sleeps while nothing is committed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._committed = threading.Event()
        self._stopping = threading.Event()
        self._is_nearly_done = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="store-checkpoints", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; the last connection that closes writes back what the log still holds."""
        if self._thread is not None:
            self._stopping.set()
            self._committed.set()
            self._thread.join()
            self._thread = None

    def prepare(self, database: sqlite3.Connection) -> None:
        """Keep SQLite from writing the log back within the writer's commits."""
        database.execute(f"PRAGMA wal_autocheckpoint={LONGEST_LOG_PAGES}")

    def after_commit(self, database: sqlite3.Connection) -> None:
        """Wake the thread; write back what is left of the log when that is little."""
        self._committed.set()
        is_nearly_done, self._is_nearly_done = self._is_nearly_done, False
        if is_nearly_done:
            with suppress(sqlite3.Error):
                write_back(database)

    def _run(self) -> None:
        """Write back soon after commits; the writer meets an error too, and reports it."""
        database: sqlite3.Connection | None = None
        while self._is_due():
            with suppress(sqlite3.Error):
                database = database or self._connect()
                pages, _ = write_back(database)
                if pages >= _LONG_LOG_PAGES:
                    _, left = write_back(database)  # what was committed meanwhile
                    self._is_nearly_done = not left
        if database is not None:
            database.close()

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, isolation_level=None)
        database.execute("PRAGMA synchronous=FULL")
        return database

    def _is_due(self) -> bool:
        """Wait for commits, and then for more of them; False at the end."""
        self._committed.wait()
        self._committed.clear()
        return not self._stopping.wait(_EVERY_S)


def write_back(database: sqlite3.Connection) -> tuple[int, int]:
    """Write back what is in the log now; return how many pages that is, and how many were left because of a reader."""
    _, pages, written = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return pages, pages - written
