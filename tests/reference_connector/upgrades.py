"""Databases of earlier connectors: their SQL, and a store on either database."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import psycopg

from reference_connector.store.group_commit import GroupCommitStore
from reference_connector.store.postgres import PostgresStore
from reference_connector.store.sqlite import SqliteStore

OLD = Path(__file__).with_name("old_databases")
"""What earlier connectors wrote: their tables and rows as SQL, and the calls that they answered.

The first form of version 3 allowed answers without an end, the last form does not.
"""
BOOKS = ("feed_record", "feed_order", "feed_file", "dead_letter")
REMOVED_BOOKS = ("feed_removed_trip", "feed_removed_day")
Storage = dict[str, Any]


def statements_of(form: str) -> list[str]:
    lines = (line for line in (OLD / f"{form}.sql").read_text().splitlines() if not line.startswith("--"))
    return [each for each in "\n".join(lines).split(";\n") if each.strip()]


def run_sql(storage: Storage, *statements: str) -> list[tuple[Any, ...]]:
    """Run SQL of SQLite on either database; return the rows of the last statement."""
    if "database_url" in storage:
        with psycopg.connect(storage["database_url"], autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(for_postgresql(statement).encode())
            return cursor.fetchall() if cursor.description else []
    database = sqlite3.connect(storage["store"]["path"])
    for statement in statements:
        rows = database.execute(statement).fetchall()
    database.commit()
    database.close()
    return rows


def for_postgresql(statement: str) -> str:
    """Translate as the earlier connectors wrote it: `version_3_last` had an index of the ends on PostgreSQL only."""
    if version := re.fullmatch(r"\s*PRAGMA user_version=(\d+)", statement):
        return f"CREATE TABLE jwo_version (version INTEGER NOT NULL); INSERT INTO jwo_version VALUES ({version[1]})"  # noqa: S608 - a number
    if statement.strip() == "PRAGMA user_version":
        return "SELECT version FROM jwo_version"
    return re.sub(r"X'([0-9a-f]*)'", r"'\\x\1'::bytea", statement.replace("BLOB", "BYTEA"))


def store_of(storage: Storage, **rules: Any) -> GroupCommitStore:
    if "database_url" in storage:
        return PostgresStore(storage["database_url"], **rules)
    return SqliteStore(storage["store"]["path"], **rules)


def opened_and_closed(storage: Storage, **rules: Any) -> None:
    store = store_of(storage, **rules)
    store.open()
    store.close()
