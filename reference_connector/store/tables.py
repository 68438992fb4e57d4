"""The tables, in SQL that SQLite and PostgreSQL both understand. Instants are milliseconds since 1970, amounts cents.

A key is a digest of 16 bytes, so that its index stays small over many millions of trips. Answers and purchases are
appended to their tables, and found by that index. A purchase is also the remembered answer of its trip, so the trip has
no row in `answer`.
"""

from __future__ import annotations

VERSION = 3
TABLES = (
    """CREATE TABLE IF NOT EXISTS answer (
  key {bytes} PRIMARY KEY, status INTEGER NOT NULL, body {bytes} NOT NULL, fingerprint {bytes} NOT NULL,
  owner TEXT NOT NULL, lease_until BIGINT, forget_at BIGINT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS code (
  token TEXT PRIMARY KEY, shopper_id TEXT NOT NULL, issued_at BIGINT NOT NULL, used_by TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS purchase (
  key {bytes} PRIMARY KEY, trip_id TEXT NOT NULL, purchase_id TEXT NOT NULL, store_id TEXT NOT NULL,
  shopper_id TEXT NOT NULL, status TEXT NOT NULL, payer TEXT NOT NULL, receipt {bytes} NOT NULL, cart {bytes} NOT NULL,
  fingerprint {bytes} NOT NULL, made_at BIGINT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS purchase_shopper ON purchase (shopper_id, made_at) WHERE shopper_id <> ''",
    "CREATE INDEX IF NOT EXISTS purchase_parked ON purchase (made_at) WHERE status = 'parked'",
    """CREATE TABLE IF NOT EXISTS charge (
  trip_id TEXT PRIMARY KEY, shopper_id TEXT NOT NULL, cents BIGINT NOT NULL, currency TEXT NOT NULL,
  method TEXT NOT NULL, state TEXT NOT NULL, due_at BIGINT NOT NULL, attempts INTEGER NOT NULL,
  reference TEXT NOT NULL, trouble TEXT NOT NULL, owner TEXT NOT NULL, lease_until BIGINT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS charge_due ON charge (due_at) WHERE state IN ('pending', 'authorised')",
    "CREATE INDEX IF NOT EXISTS charge_trouble ON charge (state, due_at) WHERE state IN ('declined', 'stuck')",
    "CREATE INDEX IF NOT EXISTS charge_debt ON charge (shopper_id) WHERE state = 'declined'",
)
