"""A simulated payment provider. Its ledger is a separate file, since a real provider survives a crash of the connector.

The payment method decides how it behaves. A call without an effect leaves no row in the ledger.

tok_approved                   accepts every call
tok_declined                   declines authorisations, and collections
tok_declined_at_adjust         declines adjustments; tok_declined_at_capture captures; tok_declined_at_refund refunds
tok_pending                    authorisations are pending twice, then accepted
tok_pending_then_declined      authorisations are pending twice, then declined
tok_pending_at_adjust          adjustments are pending twice, then accepted
tok_pending_at_adjust_always   adjustments are pending for ever
tok_down                       each call fails at once, without an effect
tok_slow                       each call answers after 3 seconds, and then has its effect
tok_timeout                    the first call of each key gets no answer, and has no effect
tok_timeout_always             no call gets an answer, and none has an effect
tok_late_success               the first call of each key gets no answer, but has its effect
tok_duplicate                  treats each call as a repeated one; there is one effect

Whatever the method, it declines what a real provider would not do either: a second end of an authorisation, a capture
of more than is reserved, a refund of more than was collected.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections import defaultdict
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple

from reference_connector.errors import PaymentDeclined, PaymentPending, PaymentUnclear
from reference_connector.payments.provider import PaymentCall

Kind = Literal["authorise", "adjust", "capture", "release", "collect", "refund"]
_TABLES = """
CREATE TABLE IF NOT EXISTS call (key TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS effect (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, trip_id TEXT NOT NULL, cents INTEGER NOT NULL, currency TEXT NOT NULL,
  reference TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS effect_reference ON effect (reference);
CREATE INDEX IF NOT EXISTS effect_trip ON effect (trip_id);
"""
_UPGRADE = """
BEGIN IMMEDIATE;
ALTER TABLE effect ADD COLUMN reference TEXT NOT NULL DEFAULT '';
UPDATE effect SET reference = 'ref-' || trip_id || ':authorise';
COMMIT;
"""
"""For a ledger of an earlier version. It has authorisations and captures alone, and their references were not kept."""
_UNDECIDED_CALLS, _SLOW_S = 2, 3.0
_SILENT_AT_FIRST = {"tok_timeout", "tok_late_success"}
_DECLINED: dict[str, tuple[Kind, ...]] = {
    "tok_declined": ("authorise", "collect"),
    "tok_declined_at_adjust": ("adjust",),
    "tok_declined_at_capture": ("capture",),
    "tok_declined_at_refund": ("refund",),
}
_PENDING: dict[str, Kind] = {
    "tok_pending": "authorise",
    "tok_pending_then_declined": "authorise",
    "tok_pending_at_adjust": "adjust",
    "tok_pending_at_adjust_always": "adjust",
}


class Effect(NamedTuple):
    """A row of the ledger: what the provider did, once for each key.

    `order` is the authEvent.id of a pre-authorisation, otherwise the trip. `reference` names the authorisation.
    """

    key: str
    kind: Kind
    order: str
    amount: Decimal
    currency: str
    reference: str


class SimulatedProvider:
    """Records one effect for each key. `slow_s` is the delay of tok_slow."""

    def __init__(self, ledger: Path, slow_s: float = _SLOW_S) -> None:
        self._ledger = ledger
        self._slow_s = slow_s
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    async def authorise(self, call: PaymentCall) -> str:
        """Reserve the amount; the reference is made of the key."""
        reference = f"ref-{call.key}"
        await self._answer("authorise", call._replace(reference=reference))
        return reference

    async def adjust(self, call: PaymentCall) -> None:
        """Change the reserved amount."""
        await self._answer("adjust", call)

    async def capture(self, call: PaymentCall) -> None:
        """Collect the amount."""
        await self._answer("capture", call)

    async def release(self, call: PaymentCall) -> None:
        """End an authorisation."""
        await self._answer("release", call)

    async def collect(self, call: PaymentCall) -> None:
        """Collect an amount without an authorisation."""
        await self._answer("collect", call)

    async def refund(self, call: PaymentCall) -> None:
        """Return an amount."""
        await self._answer("refund", call)

    def close(self) -> None:
        """Close the ledger."""
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = None

    async def _answer(self, kind: Kind, call: PaymentCall) -> None:
        if call.method == "tok_down":
            raise PaymentUnclear("the provider is down", code="provider_down")
        if kind in _DECLINED.get(call.method, ()):
            code = "declined" if kind in {"authorise", "collect"} else f"declined_at_{kind}"
            raise PaymentDeclined(f"the provider declines: {kind}", code=code)
        if call.method == "tok_slow":
            await asyncio.sleep(self._slow_s)
        await asyncio.to_thread(self._effect, kind, call)

    def _effect(self, kind: Kind, call: PaymentCall) -> None:
        try:
            self._record(kind, call)
        except sqlite3.Error as error:
            raise PaymentUnclear("the ledger is not writable", code="no_ledger") from error

    def _record(self, kind: Kind, call: PaymentCall) -> None:
        with self._lock:
            database = self._database = self._database or _open(self._ledger)
            times = _count(database, call.key)
            _decide(kind, call.method, times)
            silent = call.method == "tok_timeout_always" or (call.method in _SILENT_AT_FIRST and times == 1)
            if not silent or call.method == "tok_late_success":
                _write(database, kind, call)
        if silent:
            raise PaymentUnclear("the provider did not answer", code="no_answer")


def _decide(kind: Kind, method: str, times: int) -> None:
    """Raise PaymentPending while the provider has not decided, and PaymentDeclined if it then declines."""
    if _PENDING.get(method) != kind:
        return
    if times <= _UNDECIDED_CALLS or method.endswith("_always"):
        raise PaymentPending("the provider has not decided yet")
    if method.endswith("_declined"):
        raise PaymentDeclined("the provider declines after some time", code="declined")


def _write(database: sqlite3.Connection, kind: Kind, call: PaymentCall) -> None:
    """Write the effect of a new key. Raises PaymentDeclined if an earlier effect does not allow it."""
    database.execute("BEGIN IMMEDIATE")
    try:
        if not database.execute("SELECT 1 FROM effect WHERE key=?", (call.key,)).fetchone():
            problem = _problem(
                kind, call, _select(database, "WHERE reference=? OR trip_id=?", call.reference, call.order)
            )
            if problem:
                raise PaymentDeclined(f"the provider declines: {problem}", code=problem)
            cents = int(call.amount.scaleb(2))
            database.execute(
                "INSERT INTO effect (key, kind, trip_id, cents, currency, reference) VALUES (?, ?, ?, ?, ?, ?)",
                (call.key, kind, call.order, cents, call.currency, call.reference),
            )
    finally:
        database.execute("COMMIT")


def _problem(kind: Kind, call: PaymentCall, before: list[Effect]) -> str:
    """Return why the provider declines an effect, as a code; empty if it does not."""
    if kind == "refund":
        of_order = [each for each in before if each.order == call.order]
        paid = sum((each.amount for each in of_order if each.kind in {"capture", "collect"}), Decimal(0))
        refunded = sum((each.amount for each in of_order if each.kind == "refund"), Decimal(0))
        return "more_than_collected" if refunded + call.amount > paid else ""
    if kind in {"authorise", "collect"}:
        return ""
    of_it = [each for each in before if each.reference == call.reference]
    reserved = [each.amount for each in of_it if each.kind in {"authorise", "adjust"}]
    if not reserved:
        return "no_authorisation"
    if any(each.kind in {"capture", "release"} for each in of_it):
        return "authorisation_ended"
    return "more_than_reserved" if kind == "capture" and call.amount > reserved[-1] else ""


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


def effects(ledger: Path) -> list[Effect]:
    """Return the rows of a ledger, in their order."""
    with closing(_open(ledger)) as database:
        return _select(database, "")


def captured(ledger: Path) -> dict[str, list[Decimal]]:
    """Return the captured amounts by shopping trip. More than one amount means that a trip was paid twice."""
    amounts: dict[str, list[Decimal]] = defaultdict(list)
    for effect in effects(ledger):
        if effect.kind == "capture":
            amounts[effect.order].append(effect.amount)
    return dict(amounts)


def _open(ledger: Path) -> sqlite3.Connection:
    database = sqlite3.connect(ledger, timeout=10, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    columns = {row[1] for row in database.execute("PRAGMA table_info(effect)")}
    if columns and "reference" not in columns:  # a ledger of an earlier version
        database.executescript(_UPGRADE)
    database.executescript(_TABLES)
    return database


def _select(database: sqlite3.Connection, condition: str, *values: str) -> list[Effect]:
    rows = database.execute(
        f"SELECT key, kind, trip_id, cents, currency, reference FROM effect {condition} ORDER BY rowid",  # noqa: S608 - our own words
        values,
    )
    return [Effect._make((*row[:3], Decimal(row[3]).scaleb(-2), *row[4:])) for row in rows]


def _count(database: sqlite3.Connection, key: str) -> Any:  # noqa: ANN401 - sqlite3 gives rows of any
    database.execute("INSERT INTO call VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1", (key,))
    return database.execute("SELECT times FROM call WHERE key=?", (key,)).fetchone()[0]
