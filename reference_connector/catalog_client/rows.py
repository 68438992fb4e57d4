"""Reads catalog rows from a file, checks each, and divides them into uploads."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson

from jwo_contract.errors import MalformedBody
from jwo_contract.messages import MessageSchema, document, message, without_nulls
from reference_connector.errors import BadRows, PlatformRefused, UnreadableFile
from reference_connector.files import damage
from reference_connector.files.cut import check_last_price
from reference_connector.files.delimited import Columns, read_table
from reference_connector.files.doubts import doubts
from reference_connector.files.problems import Problems
from reference_connector.files.text import read_file
from reference_connector.retailer import bare_barcode

CatalogRow = dict[str, Any]
SharedBarcodes = Literal["refuse", "send"]
_OURS = frozenset({"sold_by"})
_FURTHER = "additional_external_product_information"
_FINDERS: Mapping[str, damage.Find] = {
    "item_sku": damage.code_damage,
    "store_id": damage.code_damage,
    "external_product_id": damage.barcode_damage,
    "item_name": damage.name_damage,
    "standard_price": damage.price_damage,
}
_BAD_REQUEST = 400
_LISTED = 5


class _Placed(NamedTuple):
    """A row and its place in the file."""

    place: str
    row: CatalogRow


class CatalogFile(NamedTuple):
    """The rows of a file, and remarks about what is valid and looks wrong."""

    rows: list[CatalogRow]
    remarks: list[str]


def read_rows(path: Path, shared_barcodes: SharedBarcodes = "refuse") -> CatalogFile:
    """Read a CSV with a header, or a JSON list, without our own columns and without empty values.

    Raises BadRows if the file is not readable, has no rows, or has wrong rows; it lists all of them with their lines.
    `shared_barcodes` decides about SKUs of one store that have the same barcode.
    """
    problems, file = Problems(), str(path)
    try:
        text, _, note = read_file(path)
    except UnreadableFile as error:
        raise BadRows(f"{path}: {error}", hint=error.hint) from error
    if path.suffix.lower() == ".json":
        placed = list(_from_json(file, text, problems))
    else:
        placed = list(_from_csv(file, text, problems))
    if not placed and not problems:
        problems.add(file, "", "there are no rows", "Add a row for each product; an upload needs at least one")
    _check(file, placed, shared_barcodes, problems)
    if problems:
        more = f"\n  {file}: {note}" if note else ""
        raise BadRows(problems.as_text() + more)
    rows = [row for _, row in placed]
    return CatalogFile(rows, [f"{file}: {remark}" for remark in (note, *_doubts(rows)) if remark])


def _doubts(rows: Sequence[CatalogRow]) -> Iterator[str]:
    by_store: dict[str, list[CatalogRow]] = defaultdict(list)
    for row in rows:
        by_store[row["store_id"]].append(row)
    for store, found in by_store.items():
        prices = (row["standard_price"] for row in found if "standard_price" in row)
        yield from doubts(f"store {store}", (row["item_sku"] for row in found), prices)


def uploads(rows: Sequence[CatalogRow], size: int) -> Iterator[list[CatalogRow]]:
    """Divide rows into uploads of at most `size` rows. Raises BadRows first if a row breaks the contract."""
    schema = message("upload_catalog.request")
    problems = Problems()
    for number, row in enumerate(rows, 1):
        _check_schema("rows", _Placed(f"row {number}", row), schema, problems)
    if problems:
        raise BadRows(problems.as_text())
    for start in range(0, len(rows), size):
        yield list(rows[start : start + size])


@contextmanager
def naming_stores(rows: Sequence[CatalogRow]) -> Iterator[None]:
    """Add the stores of an upload to a refusal about stores, which names no row itself."""
    try:
        yield
    except PlatformRefused as refusal:
        if refusal.status == _BAD_REQUEST and "store" in str(refusal).lower():
            stores = Counter(str(row.get("store_id")) for row in rows)
            listed = ", ".join(f"{store} ({_rows(count)})" for store, count in stores.most_common(_LISTED))
            more = f" and {len(stores) - _LISTED} more" if len(stores) > _LISTED else ""
            refusal.hint = f"the upload has store_id {listed}{more}; compare them with the store ids at the portal"
        raise


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


@cache
def _columns() -> Columns:
    item = document("upload_catalog.request")["$defs"]["catalogItem"]
    return Columns((*item["properties"], *_OURS), tuple(item["required"]))


def _from_csv(file: str, text: str, problems: Problems) -> Iterator[_Placed]:
    table = read_table(file, text, _columns(), problems)
    check_last_price(file, table, "standard_price", problems)
    for line in table.lines:
        yield _Placed(f"line {line.number}", {name: line.values[name] for name in line.values if name not in _OURS})


def _from_json(file: str, text: str, problems: Problems) -> Iterator[_Placed]:
    """Yield the rows of a JSON list of objects. A null or an empty text counts as absent."""

    def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
            problems.add(file, f"SKU {found.get('item_sku')}", f"member {twice} appears twice", "Remove one of them")
        return found

    fix = "Write a list, [{...}, {...}], with an object for each product"
    try:
        rows = json.loads(text, object_pairs_hook=each_once, parse_constant=str)
    except json.JSONDecodeError as error:
        problems.add(file, f"line {error.lineno}, column {error.colno}", f"is not valid JSON: {error.msg}", fix)
        return
    except (ValueError, RecursionError) as error:
        problems.add(file, "", f"is not a catalog: {error}", fix)
        return
    if not isinstance(rows, list):
        problems.add(file, "", "is not a list of objects", fix)
        return
    for number, row in enumerate(rows, 1):
        place = f"row {number}"
        if not isinstance(row, dict):
            problems.add(file, place, "is not an object", fix)
            continue
        try:
            orjson.dumps(row)
            kept = {name: _stripped(value) for name, value in without_nulls(row).items() if name not in _OURS}
        except (TypeError, MalformedBody) as error:
            problems.add(file, place, f"has a value that a catalog cannot have: {error}", "Correct this row")
            continue
        kept = {name: value for name, value in kept.items() if value != ""}
        if kept:
            yield _Placed(f"{place}, SKU {kept['item_sku']}" if "item_sku" in kept else place, kept)


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _check(file: str, rows: Sequence[_Placed], shared_barcodes: SharedBarcodes, problems: Problems) -> None:
    schema = message("upload_catalog.request")
    skus: dict[tuple[str, str], str] = {}
    barcodes: dict[tuple[str, str], tuple[str, str, str]] = {}
    for placed in rows:
        before = len(problems)
        _check_schema(file, placed, schema, problems)
        _check_damage(file, placed, problems)
        if len(problems) > before:
            continue
        store, sku = placed.row["store_id"], placed.row["item_sku"]
        first = skus.setdefault((store, sku), placed.place)
        if first is not placed.place:
            problem = f"{sku} is there twice in store {store}, first in {first}"
            problems.add(file, placed.place, problem, "Remove one of them")
            continue
        for barcode, _ in _barcodes(placed.row) if shared_barcodes == "refuse" else ():
            owner, written, place = barcodes.setdefault((store, bare_barcode(barcode)), (sku, barcode, placed.place))
            if owner != sku:
                zeros = "" if written == barcode else f" (there {written}, the same without leading zeros and hyphens)"
                problem = f"barcode {barcode} is also on {owner} in store {store}, in {place}{zeros}"
                problems.add(file, placed.place, problem, "Give each SKU its own barcode")


def _check_schema(file: str, placed: _Placed, schema: MessageSchema, problems: Problems) -> None:
    body = {"catalogItems": [placed.row]}
    for violation in () if schema.is_valid(body) else schema.violations(body):
        wrong = violation.message.removeprefix("catalogItems[0].").removeprefix("catalogItems[0]").strip()
        fix = "Write it in quotes, as a text" if wrong.endswith("must be of type string") else "Correct this row"
        problems.add(file, placed.place, wrong, fix)


def _check_damage(file: str, placed: _Placed, problems: Problems) -> None:
    for name, value in placed.row.items():
        found = _FINDERS.get(name, damage.text_damage)(value) if isinstance(value, str) else None
        if found:
            problems.add(file, placed.place, f"{name}: {found.problem}", found.fix)
    for place, (barcode, kind) in enumerate(_barcodes(placed.row)):
        found = (place and damage.barcode_damage(barcode)) or damage.leading_zero_damage(barcode, kind)
        if found:
            problems.add(file, placed.place, f"external_product_id: {found.problem}", found.fix)


def _barcodes(row: CatalogRow) -> Iterator[tuple[str, str]]:
    """Yield each barcode of a row with its type; skip what breaks the contract."""
    further = row.get(_FURTHER)
    for item in (row, *(further if isinstance(further, list) else ())):
        barcode, kind = (
            (item.get("external_product_id"), item.get("external_product_id_type", ""))
            if isinstance(item, dict)
            else (None, "")
        )
        if isinstance(barcode, str) and barcode and isinstance(kind, str):
            yield barcode, kind
