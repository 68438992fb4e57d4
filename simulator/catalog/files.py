"""Reads a file that a person uploads in the portal: JSON in the form of the catalog API, or CSV with its columns.

A CSV has a header with the names of the API's members; empty cells count as absent. The columns are those that the
reference connector's client reads. The catalog API itself takes JSON only.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import orjson

from jwo_contract.house import House
from jwo_contract.messages import document, message
from jwo_toolkit.json_types import JsonObject
from simulator.errors import BadCall, CatalogRefusal

MOST_BYTES = 20_000_000
"""The largest file of the portal; ten thousand items of usual size have a few megabytes."""
_DELIMITERS = ",;\t|"
_OURS = frozenset({"sold_by"})
"""Columns of the reference connector's own price list, which the catalog API does not have."""
_LISTED = 5
_SAVE_AS_UTF8 = "save it again as UTF-8 (in a spreadsheet: CSV UTF-8)"
_OTHER_FILES = {
    b"PK\x03\x04": "an Excel workbook or another ZIP file",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "compressed with gzip",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class UploadFile(NamedTuple):
    """The body of an upload, the place of each item in the file if it is a table, and the columns that are not read."""

    body: bytes
    places: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def read_upload(data: bytes) -> UploadFile:
    """Return the body of the upload in a file. Raises BadCall if the file is not JSON and not a table."""
    if len(data) > MOST_BYTES:
        raise too_large(len(data))
    text = _text(data)
    if not text.strip():
        raise BadCall("the file is empty", hint="write a header line and a row for each product")
    if text.lstrip()[0] in "{[":
        return UploadFile(_from_json(text))
    return _from_csv(text)


def too_large(size_bytes: int) -> BadCall:
    """Return the error of a file that is too large."""
    size, most = size_bytes / 1_000_000, MOST_BYTES // 1_000_000
    return BadCall(f"the file has {size:.0f} MB; at most {most} MB are allowed", hint="divide it into several files")


def with_reasons(refusal: CatalogRefusal, file: UploadFile, own_stores: frozenset[str], house: House) -> CatalogRefusal:
    """Return a refusal of the catalog API with the rows that are the reason."""
    try:
        upload = orjson.loads(file.body)
    except orjson.JSONDecodeError:
        return refusal
    items = upload.get("catalogItems") if isinstance(upload, dict) else None
    if not isinstance(items, list) or not items:
        return CatalogRefusal(str(refusal), hint='write {"catalogItems": [{...}, {...}]}, or a CSV with a header')
    most = document("upload_catalog.request", house)["properties"]["catalogItems"]["maxItems"]
    if len(items) > most:
        return CatalogRefusal(str(refusal), hint="divide the file; jwo catalog upload does this itself")
    reasons = list(_listed(_breaches(items, file.places, house)) or _listed(_strange(items, file.places, own_stores)))
    return CatalogRefusal(str(refusal), hint="; ".join(reasons))


def _listed(reasons: Iterator[str]) -> list[str]:
    """Return the first reasons. The rest is not looked for: ten thousand wrong rows would take seconds."""
    found = [reason for reason, _ in zip(reasons, range(_LISTED + 1), strict=False)]
    return [*found[:_LISTED], "and more"] if len(found) > _LISTED else found


def _breaches(items: list[Any], places: tuple[str, ...], house: House) -> Iterator[str]:
    schema = message("upload_catalog.request", house)
    for index, item in enumerate(items):
        alone = {"catalogItems": [item]}
        for breach in () if schema.is_valid(alone) else schema.violations(alone):
            yield f"{_place(places, index)}: {breach.message.replace('catalogItems[0].', '', 1)}"


def _strange(items: list[Any], places: tuple[str, ...], own_stores: frozenset[str]) -> Iterator[str]:
    stores = ", ".join(sorted(own_stores)) or "not known yet"
    for index, item in enumerate(items):
        if item["store_id"] not in own_stores:
            named = f"{_place(places, index)}: {item['store_id'][:80]} is not a store of this retailer"
            yield f"{named}, its stores are {stores}"


def _place(places: tuple[str, ...], index: int) -> str:
    return places[index] if places else f"item {index + 1}"


def _text(data: bytes) -> str:
    for beginning, what in _OTHER_FILES.items():
        if data.startswith(beginning):
            raise BadCall(f"the file is {what}", hint="save it as CSV UTF-8 or as JSON")
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        byte = f"the byte 0x{data[error.start]:02X}"
        raise BadCall(f"line {line} has {byte}, which is not valid {encoding.upper()}", hint=_SAVE_AS_UTF8) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise BadCall(f"line {line} has a zero byte, so the file is not a text", hint=_SAVE_AS_UTF8)
    return text


def _from_json(text: str) -> bytes:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadCall(f"the file is not valid JSON: {error.msg} in {where}", hint="correct the file") from error
    except (ValueError, RecursionError) as error:
        raise BadCall("the file is not a catalog: its JSON is nested too deeply or has a number that is too long",
                      hint="correct the file") from error  # fmt: skip
    return orjson.dumps({"catalogItems": value}) if isinstance(value, list) else text.encode()


@cache
def _columns() -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the columns that are read, and those that must be there."""
    item: JsonObject = document("upload_catalog.request")["$defs"]["catalogItem"]
    return frozenset(item["properties"]), tuple(item["required"])


def _from_csv(text: str) -> UploadFile:
    read, required = _columns()
    first = next(line for line in text.splitlines() if line.strip())
    delimiter = max(_DELIMITERS, key=lambda mark: len(read & {cell.strip(' "') for cell in first.split(mark)}))
    rows = _rows(text, delimiter)
    names = [cell.strip() for cell in next(rows)[1]]
    if missing := [name for name in required if name not in names]:
        found = ", ".join(names)[:200]
        raise BadCall(f"the file has no column {', '.join(missing)}; its header has {found}",
                      hint="write a header with the names of the API, or upload JSON")  # fmt: skip
    if len(set(names)) < len(names):
        raise BadCall("a column is in the header twice", hint="remove one of them")
    items, places = list[JsonObject](), list[str]()
    for line, cells in rows:
        if len(cells) != len(names):
            raise BadCall(f"line {line} has {len(cells)} values, and the header has {len(names)}",
                          hint=f"put quotes around values with the delimiter {delimiter!r}")  # fmt: skip
        values = zip(names, (cell.strip() for cell in cells), strict=True)
        items.append({name: value for name, value in values if value and name in read})
        places.append(f"line {line}")
    if not items:
        raise BadCall("the file has a header and no rows", hint="write a row for each product")
    ignored = tuple(name for name in names if name not in read | _OURS)
    return UploadFile(orjson.dumps({"catalogItems": items}), tuple(places), ignored)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not empty, with the number of its last line."""
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            hint = "put quotes around the whole value, and write a quote within it twice"
            raise BadCall(f"line {reader.line_num} is not a row: {error}", hint=hint) from error
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells
