"""Writes SQLite's log back into the database beside the writer; the store's commits wait for it no more."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

from jwo_toolkit.wal_checkpoints import WalCheckpoints, write_back

LONGEST_LOG_PAGES = 16_000
"""At this length, 64 MB, SQLite writes the log back within a commit after all."""
_PAUSE_S = 0.2


class ThreadedCheckpoints(WalCheckpoints):
    """The thread, and the part of the writer: it writes back what is left when that is little."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, synchronous="FULL", pause_s=_PAUSE_S)

    def prepare(self, database: sqlite3.Connection) -> None:
        """Keep SQLite from writing the log back within the writer's commits."""
        database.execute(f"PRAGMA wal_autocheckpoint={LONGEST_LOG_PAGES}")

    def after_commit(self, database: sqlite3.Connection) -> None:
        """Wake the thread; write back what is left of the log when that is little."""
        if self.note_commit():
            with suppress(sqlite3.Error):
                write_back(database)
