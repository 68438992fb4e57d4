"""Writes SQLite's write-ahead log back into the database in a thread, so that commits do not wait for it.

SQLite itself would do so within a commit. A log starts again at its beginning only when nothing is left to write back,
and beside commits there is always something. So when little is left, `note_commit` tells the writer to write that back.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

LONG_LOG_PAGES = 8_000
"""At this length, 32 MB, the log should start again at its beginning."""


def ignore(_error: sqlite3.Error) -> None:
    """Ignore an error: the next checkpoint tries again, and the writer meets the same error and reports it."""


class WalCheckpoints:
    """Checkpoints one file over a connection of its own; the thread sleeps while nothing is committed.

    A checkpoint is due once `due_after` changes are committed, and begins `pause_s` later, so that a page which changes
    twice meanwhile is written once. `on_error` gets what SQLite raises in the thread.
    """

    def __init__(
        self,
        path: Path,
        *,
        synchronous: Literal["NORMAL", "FULL"],
        due_after: int = 1,
        pause_s: float = 0.0,
        on_error: Callable[[sqlite3.Error], None] = ignore,
    ) -> None:
        self._path = path
        self._synchronous = synchronous
        self._due_after = due_after
        self._pause_s = pause_s
        self._on_error = on_error
        self._changes = 0
        self._due = threading.Event()
        self._stopping = threading.Event()
        self._is_nearly_done = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; after `stop` it can be started again."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="wal-checkpoints", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Wait for a checkpoint that is under way, and end the thread; the log keeps what is not yet written back."""
        if self._thread is not None:
            self._stopping.set()
            self._due.set()
            self._thread.join()
            self._thread = None

    def note_commit(self, changes: int = 1) -> bool:
        """Count a commit, and wake the thread when a checkpoint is due.

        Returns whether the log is long and nearly all of it is written back. The caller may then write back the rest.
        """
        self._changes += changes
        if self._changes >= self._due_after:
            self._changes = 0
            self._due.set()
        is_nearly_done, self._is_nearly_done = self._is_nearly_done, False
        return is_nearly_done

    def _run(self) -> None:
        database: sqlite3.Connection | None = None
        while self._is_due():
            try:
                database = database or self._connect()
                self._checkpoint(database)
            except sqlite3.Error as error:
                self._on_error(error)
        if database is not None:
            with suppress(sqlite3.Error):
                database.close()

    def _is_due(self) -> bool:
        """Wait for a checkpoint to be due, and then for the pause; False at the end."""
        self._due.wait()
        self._due.clear()
        return not self._stopping.wait(self._pause_s)

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, isolation_level=None)
        database.execute(f"PRAGMA synchronous={self._synchronous}")
        return database

    def _checkpoint(self, database: sqlite3.Connection) -> None:
        pages, _ = write_back(database)
        if pages >= LONG_LOG_PAGES:
            _, left = write_back(database)  # what was committed meanwhile
            self._is_nearly_done = not left


def write_back(database: sqlite3.Connection) -> tuple[int, int]:
    """Write back what is in the log now; return how many pages that is, and how many were left because of a reader.

    Raises sqlite3.Error if the file cannot be written.
    """
    _, pages, written = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return pages, pages - written
