"""The records, read and written in SQL that both databases understand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from reference_connector.errors import MustBeAlone
from reference_connector.store import (
    CLAIMED,
    Badge,
    Charge,
    IssuedCode,
    PaymentBacklog,
    Purchase,
    RecordSale,
    RememberAnswer,
    RememberedAnswer,
    Scope,
    badge_place,
)
from reference_connector.store.book_rows import BookRows
from reference_connector.store.bulk import Execute, InsertPiece, NewRows, digest, from_ms, to_ms, trip_key
from reference_connector.store.leased import AUTHORISATIONS, CHARGES, TRANSFERS, LeasedRows

DELETED_AT_ONCE = 1000
_DELETE_EVERY_MS = 100
_OLDEST_CHARGES = 10
_PURCHASE = "trip_id, purchase_id, store_id, shopper_id, status, payer, receipt, cart, fingerprint, made_at"
_BADGE = "SELECT id, owner, state, expires_at, credential FROM badge WHERE "
_ANSWERS = NewRows("answer", "key, status, body, fingerprint, forget_at", empty=["owner"])
_PURCHASES = NewRows("purchase", f"key, {_PURCHASE}")


class SqlRecords:
    """Records on a connection that is in a transaction; `execute` takes SQL with `?` and returns a cursor.

    While the transaction is not `alone`, other nodes may insert rows at the same moment. It may then insert rows too,
    and a method that would change an existing row raises MustBeAlone. `insert_piece` inserts many rows in one
    statement. `delete_expired` deletes some of the answers that have expired at an instant, in milliseconds.
    """

    def __init__(self, execute: Execute, insert_piece: InsertPiece, delete_expired: Callable[[int], None]) -> None:
        self._execute = execute
        self._insert_piece = insert_piece
        self._delete_expired = delete_expired
        self.alone = True
        self.charges = LeasedRows(execute, CHARGES)
        self.authorisations = LeasedRows(execute, AUTHORISATIONS)
        self.transfers = LeasedRows(execute, TRANSFERS)
        self.books = BookRows(execute, self.charges, self.transfers)
        self._last_deletion_ms = 0
        self._last_digest: tuple[str, bytes] = ("", b"")

    def find_answer(self, scope: Scope, key: str, now: datetime) -> RememberedAnswer | None:
        """Find an answer, or a claim on it, that has not expired."""
        row = self._execute(
            "SELECT status, body, fingerprint, owner, lease_until FROM answer WHERE key=? AND forget_at>?",
            (self._digest(scope, key), to_ms(now)),
        ).fetchone()
        return RememberedAnswer._make((*row[:4], None if row[4] is None else from_ms(row[4]))) if row else None

    def overwrite_answer(self, answer: RememberAnswer, *, owner: str = "", lease_until: datetime | None = None) -> None:
        """Save an answer or a claim; it overwrites an earlier one of the same key.

        It also deletes some expired answers, so that the table does not grow.
        """
        scope, key, request_hash, now, forget_at, status, body = answer
        lease = None if lease_until is None else to_ms(lease_until)
        self._delete_expired_sometimes(to_ms(now))
        self._execute(
            "INSERT INTO answer (key, status, body, fingerprint, owner, lease_until, forget_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET status=excluded.status, body=excluded.body,"
            " fingerprint=excluded.fingerprint, owner=excluded.owner, lease_until=excluded.lease_until,"
            " forget_at=excluded.forget_at",
            (self._digest(scope, key), status, body, request_hash, owner, lease, to_ms(forget_at)),
        )

    def insert_answers_if_absent(self, answers: list[RememberAnswer]) -> list[RememberedAnswer | None]:
        """Insert each answer unless its key has one; return the earlier answer of each, or None if it was inserted."""
        rows = [
            (digest(f"{scope}\0{key}"), status, body, request_hash, to_ms(forget_at))
            for scope, key, request_hash, _, forget_at, status, body in answers
        ]
        is_new = _ANSWERS.insert(self._execute, rows, self._insert_piece)
        earlier = [None if new else self._overwrite_expired(each) for each, new in zip(answers, is_new, strict=True)]
        self._delete_expired_sometimes(to_ms(answers[-1].now))
        return earlier

    def _overwrite_expired(self, answer: RememberAnswer) -> RememberedAnswer | None:
        """Overwrite the row of the same key if it is expired or a claim, and return None; else return its answer."""
        found = self.find_answer(answer.scope, answer.key, answer.now)
        if found is not None and found.status != CLAIMED:
            return found
        if not self.alone:
            raise MustBeAlone("an expired answer must be overwritten")
        self.overwrite_answer(answer)
        return None

    def _digest(self, scope: str, key: str) -> bytes:
        """Return the key's digest. The last one is kept, as a unit of work reads and then writes the same key."""
        name = f"{scope}\0{key}"
        if name != self._last_digest[0]:
            self._last_digest = (name, digest(name))
        return self._last_digest[1]

    def drop_answer(self, scope: Scope, key: str) -> None:
        """Forget an answer or a claim."""
        self._execute("DELETE FROM answer WHERE key=?", (self._digest(scope, key),))

    def _delete_expired_sometimes(self, now_ms: int) -> None:
        """Delete some expired answers, at most once in 100 ms.

        It skips rows that another node has locked: this transaction has locks itself, and must not wait for others.
        """
        if now_ms - self._last_deletion_ms < _DELETE_EVERY_MS:
            return
        self._last_deletion_ms = now_ms
        self._delete_expired(now_ms)

    def find_code(self, token: str) -> IssuedCode | None:
        """Find an issued code by its Recognition Token."""
        row = self._execute("SELECT token, shopper_id, issued_at, used_by FROM code WHERE token=?", (token,)).fetchone()
        return IssuedCode(row[0], row[1], from_ms(row[2]), row[3]) if row else None

    def save_code(self, code: IssuedCode) -> None:
        """Save a newly issued code."""
        self._execute(
            "INSERT INTO code (token, shopper_id, issued_at, used_by) VALUES (?, ?, ?, ?)",
            (code.token, code.shopper_id, to_ms(code.issued_at), code.used_by),
        )

    def use_code(self, token: str, event_id: str) -> None:
        """Record the authEvent that used a code."""
        self._execute("UPDATE code SET used_by=? WHERE token=?", (event_id, token))

    def find_badge(self, badge_id: str) -> Badge | None:
        """Find the record of a badge that was issued or changed at run time."""
        found = self._badges("key=?", (badge_place(badge_id),))
        return found[0] if found else None

    def save_badge(self, badge: Badge) -> None:
        """Save a badge; it overwrites the earlier record of the same id."""
        expires_at = None if badge.expires_at is None else to_ms(badge.expires_at)
        self._execute(
            "INSERT INTO badge (key, id, owner, state, expires_at, credential) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET owner=excluded.owner, state=excluded.state,"
            " expires_at=excluded.expires_at, credential=excluded.credential",
            (badge_place(badge.id), badge.id, badge.owner, badge.state, expires_at, badge.credential),
        )

    def badges_of(self, owner: str) -> list[Badge]:
        """List the recorded badges of an account, in the order of `badge_place`."""
        return self._badges("owner=? ORDER BY key", (owner,))

    def badges_after(self, place: bytes, limit: int) -> list[Badge]:
        """List recorded badges in the order of `badge_place`, from the first one after a place."""
        return self._badges("key>? ORDER BY key LIMIT ?", (place, limit))

    def _badges(self, condition: str, values: tuple[Any, ...]) -> list[Badge]:
        rows = self._execute(_BADGE + condition, values)
        return [Badge._make((*row[:3], None if row[3] is None else from_ms(row[3]), row[4])) for row in rows]

    def insert_sales_if_absent(self, sales: list[RecordSale]) -> list[Purchase | None]:
        """Insert each sale unless its trip has a purchase; return each earlier purchase, or None if it was inserted."""
        purchases = [sale.purchase for sale in sales]
        rows = [(trip_key(each.trip_id), *each[:-1], to_ms(each.made_at)) for each in purchases]
        is_new = _PURCHASES.insert(self._execute, rows, self._insert_piece)
        for sale, new in zip(sales, is_new, strict=True):
            if new:
                self.save_payments(sale)
        return [
            None if new else self.find_purchase(sale.purchase.trip_id) for sale, new in zip(sales, is_new, strict=True)
        ]

    def save_payments(self, sale: RecordSale) -> None:
        """Save the charge of a new sale, and the hold to cancel."""
        if sale.charge is not None:
            self.charges.save(sale.charge)
        if sale.hold is not None:
            self.authorisations.save(sale.hold)

    def replace_purchase(self, purchase: Purchase) -> None:
        """Replace the purchase of the same trip."""
        self._execute("DELETE FROM purchase WHERE key=?", (trip_key(purchase.trip_id),))
        self.insert_sales_if_absent([RecordSale(purchase, None)])

    def find_purchase(self, trip_id: str) -> Purchase | None:
        """Find the purchase of a shopping trip."""
        found = self._purchases("WHERE key=?", (trip_key(trip_id),))
        return found[0] if found else None

    def purchases_of(self, shopper_id: str) -> list[Purchase]:
        """List a shopper's purchases, the newest first."""
        if not shopper_id:
            return []
        return self._purchases("WHERE shopper_id=? AND shopper_id<>'' ORDER BY made_at DESC, trip_id", (shopper_id,))

    def bad_carts(self, limit: int, after: Purchase | None = None) -> list[Purchase]:
        """List bad carts, the oldest first, from the one that follows `after`."""
        last = (to_ms(after.made_at), after.trip_id) if after else (-1, "")
        return self._purchases(
            "WHERE status='parked' AND (made_at, trip_id) > (?, ?) ORDER BY made_at, trip_id LIMIT ?", (*last, limit)
        )

    def _purchases(self, condition: str, values: tuple[Any, ...]) -> list[Purchase]:
        rows = self._execute(f"SELECT {_PURCHASE} FROM purchase {condition}", values)  # noqa: S608 - as above
        return [Purchase._make((*row[:-1], from_ms(row[-1]))) for row in rows]

    def open_payments(self) -> int:
        """Count what waits for the payment provider: charges, pre-authorisations, and transfers."""
        return self.charges.open() + self.authorisations.open() + self.transfers.open()

    def stuck_payments(self) -> int:
        """Count what an operator must take up again: charges, pre-authorisations, and transfers."""
        return self.charges.stuck() + self.authorisations.stuck() + self.transfers.stuck()

    def payment_backlog(self) -> PaymentBacklog:
        """Return what waits for the payment provider or for an operator, and since when.

        A purchase is found by its trip only, so this reads those of the charges with the most attempts. A charge is
        tried again and again until it is settled, so the oldest one is among them.
        """
        due_at = [table.first_due_at() for table in (self.charges, self.authorisations, self.transfers)]
        purchases = [self.find_purchase(charge.trip_id) for charge in self.charges.most_tried(_OLDEST_CHARGES)]
        return PaymentBacklog(
            self.open_payments(),
            self.stuck_payments(),
            min(filter(None, due_at), default=None),
            min((purchase.made_at for purchase in purchases if purchase), default=None),
        )

    def debts(self, shopper_id: str) -> list[Charge]:
        """List a shopper's declined charges, the oldest first."""
        return self.charges.read("shopper_id=? AND state='declined'", (shopper_id,))

    def debt_of(self, shopper_id: str) -> Decimal:
        """Add up what a shopper owes of declined charges."""
        row = self._execute(
            "SELECT coalesce(sum(cents - captured), 0) FROM charge WHERE shopper_id=? AND state='declined'",
            (shopper_id,),
        ).fetchone()
        return Decimal(int(row[0])).scaleb(-2)
