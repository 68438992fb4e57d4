"""A simulated payment provider. Its ledger is a separate file, since a real provider survives a crash of the connector.

The payment method decides how it behaves:

tok_approved        accepts every call
tok_declined        declines the authorisation; tok_declined_at_capture authorises, and declines the capture
tok_timeout         the first call of each key gets no answer, and has no effect
tok_timeout_always  no call gets an answer, and none has an effect
tok_late_success    the first call of each key gets no answer, but has its effect
tok_duplicate       treats each call as a repeated one; there is one effect
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from reference_connector.errors import PaymentDeclined, PaymentUnclear
from reference_connector.store import Charge

_TABLES = """
CREATE TABLE IF NOT EXISTS call (key TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS effect (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, trip_id TEXT NOT NULL, cents INTEGER NOT NULL, currency TEXT NOT NULL);
"""
_SILENT_AT_FIRST = {"tok_timeout", "tok_late_success"}


class SimulatedProvider:
    """Records one effect for each key."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    async def authorise(self, key: str, charge: Charge) -> str:
        """Reserve the amount; the reference is made of the key."""
        if charge.method == "tok_declined":
            raise PaymentDeclined("the card is declined", code="declined")
        await asyncio.to_thread(self._effect, "authorise", key, charge)
        return f"ref-{key}"

    async def capture(self, key: str, charge: Charge) -> None:
        """Collect the amount."""
        if charge.method == "tok_declined_at_capture":
            raise PaymentDeclined("the capture is declined", code="declined_at_capture")
        await asyncio.to_thread(self._effect, "capture", key, charge)

    def close(self) -> None:
        """Close the ledger."""
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = None

    def _effect(self, kind: str, key: str, charge: Charge) -> None:
        try:
            self._record(kind, key, charge)
        except sqlite3.Error as error:
            raise PaymentUnclear("the ledger is not writable", code="no_ledger") from error

    def _record(self, kind: str, key: str, charge: Charge) -> None:
        with self._lock:
            database = self._database = self._database or _open(self._ledger)
            times = _count(database, key)
            silent = charge.method == "tok_timeout_always" or (charge.method in _SILENT_AT_FIRST and times == 1)
            if not silent or charge.method == "tok_late_success":
                database.execute(
                    "INSERT OR IGNORE INTO effect VALUES (?, ?, ?, ?, ?)",
                    (key, kind, charge.trip_id, int(charge.amount.scaleb(2)), charge.currency),
                )
        if silent:
            raise PaymentUnclear("the provider did not answer", code="no_answer")


def unusable_ledger(ledger: Path) -> str:
    """Return why a file cannot be the ledger; empty if it can. Does not make the file."""
    if ledger.is_dir():
        return "is a folder"
    if not os.access(ledger.parent, os.W_OK):
        return "cannot be written"
    if not ledger.exists():
        return ""
    try:
        with closing(sqlite3.connect(ledger)) as database:
            database.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.Error as error:
        return f"is not usable ({error})"
    return "" if os.access(ledger, os.W_OK) else "cannot be written"


def captured(ledger: Path) -> dict[str, list[Decimal]]:
    """Return the captured amounts by shopping trip. More than one amount means that a trip was paid twice."""
    amounts: dict[str, list[Decimal]] = {}
    with closing(_open(ledger)) as database:
        for trip_id, cents in database.execute("SELECT trip_id, cents FROM effect WHERE kind='capture'"):
            amounts.setdefault(trip_id, []).append(Decimal(cents).scaleb(-2))
    return amounts


def _open(ledger: Path) -> sqlite3.Connection:
    database = sqlite3.connect(ledger, timeout=10, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.executescript(_TABLES)
    return database


def _count(database: sqlite3.Connection, key: str) -> Any:  # noqa: ANN401 - sqlite3 gives rows of any
    database.execute("INSERT INTO call VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1", (key,))
    return database.execute("SELECT times FROM call WHERE key=?", (key,)).fetchone()[0]
