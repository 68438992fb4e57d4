"""Reads catalog rows from a file, and divides them into uploads."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from contract.messages import message
from reference_connector.errors import BadRows

CatalogRow = dict[str, Any]
_OURS = frozenset({"sold_by"})


def read_rows(path: Path) -> list[CatalogRow]:
    """Read a CSV with a header, or a JSON list, without our own columns and without empty values.

    Raises BadRows if the file is not readable or has no rows.
    """
    try:
        rows = _read_json(path) if path.suffix.lower() == ".json" else _read_csv(path)
    except (OSError, ValueError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadRows(f"{path}: cannot be read ({reason})", hint="give a CSV with a header, or a JSON list") from error
    if not rows:
        raise BadRows(f"{path}: there are no rows", hint="an upload needs at least one")
    return [{name: value for name, value in row.items() if name not in _OURS and value != ""} for row in rows]


def uploads(rows: Sequence[CatalogRow], size: int) -> Iterator[list[CatalogRow]]:
    """Divide rows into uploads of at most `size` rows. Raises BadRows first if a row breaks the contract."""
    schema = message("upload_catalog.request")
    chunks = [list(rows[start : start + size]) for start in range(0, len(rows), size)]
    for number, chunk in enumerate(chunks):
        body = {"catalogItems": chunk}
        if not schema.is_valid(body):
            wrong = schema.violations(body)[0].message
            raise BadRows(
                f"upload {number + 1}: {wrong}", hint="fix that row; the rows of an upload are counted from 0"
            )
    yield from chunks


def _read_json(path: Path) -> list[CatalogRow]:
    rows = orjson.loads(path.read_bytes())
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it is not a list of objects")
    return rows


def _read_csv(path: Path) -> list[CatalogRow]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise ValueError(f"row {number} has more or fewer values than the header has columns")
    return rows
