"""Writes SQLite's log back into the database beside the writer, so that commits do not wait for it.

SQLite itself would do so within a commit. A log begins anew only when nothing is left to be written back, and beside
commits there is always something; so the writer is told when it is little, and writes that back itself.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

LONGEST_LOG_PAGES = 16_000
"""The length of the log, of 64 MB, at which SQLite sees to it within a commit after all."""
_LONG_LOG_PAGES = 8_000
"""The length at which it shall begin anew."""
_EVERY_S = 0.2


class Checkpoints:
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
        """End; what the log still holds, the last connection that is closed writes back."""
        if self._thread is not None:
            self._stopping.set()
            self._committed.set()
            self._thread.join()
            self._thread = None

    def note_commit(self) -> bool:
        """Say that there is something in the log; true when the writer is to write back what is left of it."""
        self._committed.set()
        is_nearly_done, self._is_nearly_done = self._is_nearly_done, False
        return is_nearly_done

    def _run(self) -> None:
        """Write back soon after commits; an error is the writer's to tell of, as it meets it too."""
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
        """Wait for commits, and then for more of them; False when told to stop."""
        self._committed.wait()
        self._committed.clear()
        return not self._stopping.wait(_EVERY_S)


def write_back(database: sqlite3.Connection) -> tuple[int, int]:
    """Write back what is in the log now; return how many pages that is, and how many were left, as somebody reads."""
    _, pages, written = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return pages, pages - written
