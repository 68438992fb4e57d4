"""The numbered steps that make the tables of a new database, and bring an older database to the present version.

A database stores the number of its last step: SQLite in `user_version`, PostgreSQL in the table `jwo_version`. A new
database takes all steps, so it has the same tables as an upgraded one. The steps run in one transaction: after a crash
the database still has its old version, and the next start upgrades it.

Never change a step: add the next one. A node of the version before may still run, so a step must leave it able to work.

Instants are milliseconds since 1970, amounts cents. A key is a digest of 16 bytes, so that its index stays small over
many millions of trips. Answers and purchases are appended to their tables, and found by that index. A purchase is also
the remembered answer of its trip, so the trip has no row in `answer`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from reference_connector.errors import StoreUnavailable

Dialect = Literal["sqlite", "postgresql"]
_BYTES: dict[Dialect, str] = {"sqlite": "BLOB", "postgresql": "BYTEA"}
_FOR_EVER_MS = 253_402_300_799_000
"""The end of the year 9999."""


class Step(NamedTuple):
    """SQL statements: those that both databases understand, then those of one database."""

    both: tuple[str, ...]
    sqlite: tuple[str, ...] = ()
    postgresql: tuple[str, ...] = ()


STEPS = {
    # The tables. Databases of the versions 1 and 2 existed only while the connector was written.
    3: Step(
        both=(
            """CREATE TABLE answer (
  key {bytes} PRIMARY KEY, status INTEGER NOT NULL, body {bytes} NOT NULL, fingerprint {bytes} NOT NULL,
  owner TEXT NOT NULL, lease_until BIGINT, forget_at BIGINT NOT NULL)""",
            """CREATE TABLE code (
  token TEXT PRIMARY KEY, shopper_id TEXT NOT NULL, issued_at BIGINT NOT NULL, used_by TEXT NOT NULL)""",
            """CREATE TABLE purchase (
  key {bytes} PRIMARY KEY, trip_id TEXT NOT NULL, purchase_id TEXT NOT NULL, store_id TEXT NOT NULL,
  shopper_id TEXT NOT NULL, status TEXT NOT NULL, payer TEXT NOT NULL, receipt {bytes} NOT NULL, cart {bytes} NOT NULL,
  fingerprint {bytes} NOT NULL, made_at BIGINT NOT NULL)""",
            "CREATE INDEX purchase_shopper ON purchase (shopper_id, made_at) WHERE shopper_id <> ''",
            "CREATE INDEX purchase_parked ON purchase (made_at) WHERE status = 'parked'",
            """CREATE TABLE charge (
  trip_id TEXT PRIMARY KEY, shopper_id TEXT NOT NULL, cents BIGINT NOT NULL, currency TEXT NOT NULL,
  method TEXT NOT NULL, state TEXT NOT NULL, due_at BIGINT NOT NULL, attempts INTEGER NOT NULL,
  reference TEXT NOT NULL, trouble TEXT NOT NULL, owner TEXT NOT NULL, lease_until BIGINT NOT NULL)""",
            "CREATE INDEX charge_due ON charge (due_at) WHERE state IN ('pending', 'authorised')",
            "CREATE INDEX charge_trouble ON charge (state, due_at) WHERE state IN ('declined', 'stuck')",
            "CREATE INDEX charge_debt ON charge (shopper_id) WHERE state = 'declined'",
        ),
        postgresql=("CREATE INDEX answer_forget_at ON answer (forget_at)",),
    ),
    # The first databases of version 3 allowed answers without an end, which would not be found any more. They also had
    # an index that SQLite does not need, and that slows each insert. This step makes both kinds of version 3 equal.
    4: Step(
        both=(f"UPDATE answer SET forget_at = {_FOR_EVER_MS} WHERE forget_at IS NULL",),  # noqa: S608 - a number of ours
        sqlite=("DROP INDEX IF EXISTS answer_forget_at",),
        postgresql=(
            "CREATE INDEX IF NOT EXISTS answer_forget_at ON answer (forget_at)",
            "ALTER TABLE answer ALTER COLUMN forget_at SET NOT NULL",
        ),
    ),
    # The badges that were issued or changed at run time. The key is `badge_place` of the id.
    5: Step(
        both=(
            """CREATE TABLE badge (
  key {bytes} PRIMARY KEY, id TEXT NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL, expires_at BIGINT,
  credential TEXT NOT NULL)""",
            "CREATE INDEX badge_owner ON badge (owner)",
        ),
    ),
    # Pre-authorisations, the steps of a charge, refunds and payments of debts. A node of an earlier version does not
    # know the new states of a charge, so it leaves those charges to others. It needs the old index of the charges.
    6: Step(
        both=(
            "ALTER TABLE charge ADD COLUMN authorised BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE charge ADD COLUMN captured BIGINT NOT NULL DEFAULT 0",
            "ALTER TABLE charge ADD COLUMN event_ids TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE charge ADD COLUMN other_methods TEXT NOT NULL DEFAULT ''",
            """CREATE INDEX charge_waiting ON charge (due_at)
  WHERE state IN ('matching', 'pending', 'adjusting', 'adjusted', 'authorised', 'collecting')""",
            """CREATE TABLE authorisation (
  event_id TEXT PRIMARY KEY, shopper_id TEXT NOT NULL, cents BIGINT NOT NULL, currency TEXT NOT NULL,
  method TEXT NOT NULL, state TEXT NOT NULL, due_at BIGINT NOT NULL, attempts INTEGER NOT NULL,
  reference TEXT NOT NULL, trouble TEXT NOT NULL, trip_id TEXT NOT NULL, owner TEXT NOT NULL,
  lease_until BIGINT NOT NULL)""",
            "CREATE INDEX authorisation_due ON authorisation (due_at) WHERE state IN ('pending', 'held', 'releasing')",
            """CREATE TABLE transfer (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, trip_id TEXT NOT NULL, cents BIGINT NOT NULL, currency TEXT NOT NULL,
  method TEXT NOT NULL, state TEXT NOT NULL, due_at BIGINT NOT NULL, attempts INTEGER NOT NULL,
  trouble TEXT NOT NULL, reason TEXT NOT NULL, owner TEXT NOT NULL, lease_until BIGINT NOT NULL)""",
            "CREATE INDEX transfer_due ON transfer (due_at) WHERE state = 'pending'",
            "CREATE INDEX transfer_trip ON transfer (trip_id)",
        ),
    ),
    # The step at which a charge is stuck, so that an operator can take it up again, and the indexes that count what is
    # stuck. The step of an older charge follows from its amounts: one without a means of payment has none.
    7: Step(
        both=(
            "ALTER TABLE charge ADD COLUMN stuck_in TEXT NOT NULL DEFAULT ''",
            """UPDATE charge SET stuck_in = CASE
  WHEN captured > 0 THEN 'collecting' WHEN reference = '' THEN 'pending'
  WHEN authorised IN (0, cents) THEN 'authorised' ELSE 'adjusting' END
  WHERE state = 'stuck' AND method <> ''""",
            "CREATE INDEX charge_stuck ON charge (due_at) WHERE state = 'stuck'",
            "CREATE INDEX authorisation_stuck ON authorisation (due_at) WHERE state = 'stuck'",
            "CREATE INDEX transfer_stuck ON transfer (due_at) WHERE state = 'stuck'",
        ),
    ),
    # The charges and refunds that Amazon handles. A node of version 7 does not know their states, so it leaves them to
    # others.
    8: Step(
        both=(
            "ALTER TABLE charge ADD COLUMN amazon_store TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE charge ADD COLUMN paid_with TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE transfer ADD COLUMN amazon_store TEXT NOT NULL DEFAULT ''",
            """CREATE INDEX charge_amazon ON charge (due_at)
  WHERE state IN ('adjust_at_amazon', 'capture_at_amazon', 'cancel_at_amazon', 'read_at_amazon')""",
            "CREATE INDEX transfer_amazon ON transfer (due_at) WHERE state = 'refund_at_amazon'",
        ),
    ),
    # Carts for the Checkout Service. The books: what the platform's files and events report about orders, and the
    # messages that are not readable.
    9: Step(
        both=(
            "ALTER TABLE charge ADD COLUMN cart TEXT NOT NULL DEFAULT ''",
            "CREATE INDEX charge_checkout ON charge (due_at) WHERE state = 'checkout_at_amazon'",
            """CREATE TABLE feed_record (
  key {bytes} PRIMARY KEY, trip_key {bytes} NOT NULL, source TEXT NOT NULL, id TEXT NOT NULL, trip_id TEXT NOT NULL,
  store_id TEXT NOT NULL, kind TEXT NOT NULL, at BIGINT NOT NULL, facts TEXT NOT NULL, files TEXT NOT NULL,
  contradicted INTEGER NOT NULL)""",
            "CREATE INDEX feed_record_trip ON feed_record (trip_key)",
            """CREATE TABLE feed_order (
  key {bytes} PRIMARY KEY, trip_id TEXT NOT NULL, store_id TEXT NOT NULL, purchase_id TEXT NOT NULL,
  ordered_at BIGINT NOT NULL, lines INTEGER NOT NULL, lines_seen INTEGER NOT NULL, currency TEXT NOT NULL,
  captured BIGINT NOT NULL, refunded BIGINT NOT NULL, cancelled INTEGER NOT NULL, checkout_order_id TEXT NOT NULL,
  in_events INTEGER NOT NULL, event_captured BIGINT NOT NULL, event_refunded BIGINT NOT NULL,
  contradictions INTEGER NOT NULL, files TEXT NOT NULL)""",
            """CREATE TABLE feed_file (
  key {bytes} PRIMARY KEY, name TEXT NOT NULL, row_count INTEGER NOT NULL, bad_rows INTEGER NOT NULL,
  booked_at BIGINT NOT NULL)""",
            "CREATE INDEX feed_file_time ON feed_file (booked_at)",
            """CREATE TABLE dead_letter (
  id TEXT PRIMARY KEY, queue TEXT NOT NULL, reason TEXT NOT NULL, body TEXT NOT NULL, first_at BIGINT NOT NULL,
  times INTEGER NOT NULL)""",
        ),
    ),
    # What Amazon's readers reserved, and no charge collects. A node of version 9 does not know the state, so it leaves
    # such rows to others.
    10: Step(
        both=(
            "ALTER TABLE authorisation ADD COLUMN amazon_store TEXT NOT NULL DEFAULT ''",
            "CREATE INDEX authorisation_amazon ON authorisation (due_at) WHERE state = 'cancel_at_amazon'",
        ),
    ),
    # What was removed from the books. `quiet_since` is the first sweep after the last change of an order, or 0 until
    # then. An older node writes 0 for a new order, so nothing is removed before its time.
    11: Step(
        both=(
            "ALTER TABLE feed_order ADD COLUMN quiet_since BIGINT NOT NULL DEFAULT 0",
            "CREATE INDEX feed_order_quiet ON feed_order (quiet_since)",
            "CREATE TABLE feed_removed_trip (key {bytes} PRIMARY KEY)",
            """CREATE TABLE feed_removed_day (
  key {bytes} PRIMARY KEY, day BIGINT NOT NULL, currency TEXT NOT NULL, orders BIGINT NOT NULL,
  whole_orders BIGINT NOT NULL, captured BIGINT NOT NULL, refunded BIGINT NOT NULL, event_captured BIGINT NOT NULL,
  event_refunded BIGINT NOT NULL, differences TEXT NOT NULL)""",
        ),
    ),
}
"""By number. The last number is the version that this connector needs."""
VERSION = max(STEPS)
_OLDEST = min(STEPS)


def statements(dialect: Dialect, version: int | None) -> list[str]:
    """List the SQL that brings a database of a version to the present one; None is a database without tables.

    Raises StoreUnavailable if the database is newer than this connector, or too old to be upgraded.
    """
    if version is not None and version > VERSION:
        raise StoreUnavailable(
            f"the database has version {version}, and this connector knows version {VERSION} and older ones",
            hint="start the newer connector, or set another database (store.path, JWO_DATABASE_URL)",
        )
    if version is not None and version < _OLDEST:
        raise StoreUnavailable(
            f"the database has version {version}, and this connector upgrades databases from version {_OLDEST} on",
            hint="set another database (store.path, JWO_DATABASE_URL)",
        )
    new_steps = [STEPS[number] for number in sorted(STEPS) if version is None or number > version]
    chosen = [(*step.both, *(step.sqlite if dialect == "sqlite" else step.postgresql)) for step in new_steps]
    return [statement.format(bytes=_BYTES[dialect]) for step in chosen for statement in step]
