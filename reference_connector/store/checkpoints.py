"""Writes SQLite's log back into the database beside the writer, so that commits do not wait for it.

SQLite itself would do so within a commit. That is left for what remains when the log is long, and is to begin anew.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

LONGEST_LOG_PAGES = 16_000
"""The length of the log, of 64 MB, at which the writer sees to it itself."""
_EVERY_S = 0.2


class Checkpoints:
    """A thread with a connection of its own, which sleeps while nothing is committed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._committed = threading.Event()
        self._stopping = threading.Event()
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

    def note_commit(self) -> None:
        """Say that there is something in the log."""
        self._committed.set()

    def _run(self) -> None:
        """Write back soon after commits; an error is the writer's to tell of, as it meets it too."""
        database: sqlite3.Connection | None = None
        while self._is_due():
            with suppress(sqlite3.Error):
                database = database or self._connect()
                database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
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
