"""Moves SQLite's write-ahead log into the database file in a thread, so that no commit waits for the disk."""

from __future__ import annotations

import logging
import sqlite3
import threading

_EVERY_STATEMENTS = 4_000
_log = logging.getLogger("simulator.storage")


class Checkpoints:
    """Checkpoints one file after every 4,000 statements, over a connection of its own."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._statements = 0
        self._thread: threading.Thread | None = None

    def note_commit(self, statements: int) -> None:
        """Count committed statements, and start a checkpoint if it is due and no other one runs."""
        self._statements += statements
        if self._statements >= _EVERY_STATEMENTS and not (self._thread and self._thread.is_alive()):
            self._statements = 0
            self._thread = threading.Thread(target=self._checkpoint, name="checkpoint")
            self._thread.start()

    def stop(self) -> None:
        """Wait for a running checkpoint; blocks."""
        if self._thread:
            self._thread.join()

    def _checkpoint(self) -> None:
        connection = sqlite3.connect(self._path)
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error:
            _log.exception("the checkpoint of the write-ahead log of %s failed; the next one tries again", self._path)
        finally:
            connection.close()
