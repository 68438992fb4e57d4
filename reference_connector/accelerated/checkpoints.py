"""Copies SQLite's log into the database in a thread, so that the store's commits do not wait for it."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

from jwo_toolkit.wal_checkpoints import WalCheckpoints, write_back

LONGEST_LOG_PAGES = 16_000
"""The length, 64 MB, at which SQLite copies the log during a commit nevertheless."""
_PAUSE_S = 0.2


class ThreadedCheckpoints(WalCheckpoints):
    """The thread, and the writer's part of the work: the writer copies the rest of the log when it is short."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, synchronous="FULL", pause_s=_PAUSE_S)

    def prepare(self, database: sqlite3.Connection) -> None:
        """Keep SQLite from copying the log during the writer's commits."""
        database.execute(f"PRAGMA wal_autocheckpoint={LONGEST_LOG_PAGES}")

    def after_commit(self, database: sqlite3.Connection) -> None:
        """Wake the thread; copy the rest of the log if it is short."""
        if self.note_commit():
            with suppress(sqlite3.Error):
                write_back(database)
