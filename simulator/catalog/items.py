"""The catalog itself: what each store sells, by store and SKU, and which SKU owns which barcode.

An item is kept as its JSON, which takes a third of the memory of the object that it describes. All of it is in memory;
what changes is written to the catalog's file, from which a platform that starts again reads it.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from contract.house import Barcode, Catalog
from simulator.catalog.barcodes import Fault, fault_of, type_of
from simulator.catalog.checks import Item
from simulator.catalog.report import report_of
from simulator.errors import NotKnown
from simulator.storage.items import ItemRow, ItemStorage

_PRIMARY = "external_product_id"
_FURTHER = "additional_external_product_information"
_SPECIAL = re.compile(r"[^\w\s.,:;'\"&/()%+!?#*°-]")
"""Which characters are special is not published; these are the usual ones on a receipt."""
_log = logging.getLogger("simulator.catalog")


class Shelf:
    """One store's part of the catalog; a barcode stays with an archived item until another takes it."""

    def __init__(self, store: str = "") -> None:
        self.store = store
        self.items: dict[str, bytes] = {}
        self.owners: dict[str, str] = {}
        self.archived: set[str] = set()
        self.planogram: set[str] = set()


class CatalogItems:
    """Takes rows one by one; a row with a known key replaces the item, a rejected row changes nothing."""

    def __init__(self, barcodes: Barcode, rules: Catalog, storage: ItemStorage | None = None) -> None:
        self._barcode_rules = barcodes
        self._rules = rules
        self._storage = storage or ItemStorage()
        self._shelves: dict[str, Shelf] = {}
        self._changes = self._storage.changes()
        self._odd_names: list[str] = []
        self._writing = threading.Lock()
        for row in self._storage.rows():
            self._read(row)

    def ingest(self, ingestion_id: str, work: Callable[[CatalogItems], list[dict[str, Any]]]) -> dict[str, Any]:
        """Process an ingestion, store the changes, and return the report. A repeated call changes nothing; blocks."""
        with self._writing:
            done = self._storage.report(ingestion_id)
            if done is None:
                done = report_of(ingestion_id, work(self))
                self._changes.report(done)
                self._write()
                self._warn(ingestion_id)
        return done

    def _warn(self, ingestion_id: str) -> None:
        """Log once what the guide for names advises against, for any number of items."""
        odd, self._odd_names = self._odd_names, []
        if odd:
            advice, some = f"1 to {self._rules.name_guide} characters, none of them special", ", ".join(odd[:3])
            _log.warning("ingestion %s: %d names are not %s: of %s", ingestion_id, len(odd), advice, some)

    def delete_report(self, ingestion_id: str) -> None:
        """Delete the kept report of an ingestion, because its link leads to a published one; blocks."""
        self._storage.delete_report(ingestion_id)

    def take(self, item: Item) -> dict[str, Any]:
        """Insert or replace one item, which makes it active again; returns its row of the report."""
        store = item["store_id"]
        shelf = self._shelves.get(store) or self._shelves.setdefault(store, Shelf(store))
        barcodes = _barcodes(item)
        errors = [
            error for field, barcode, kind in barcodes if (error := self._error(shelf, item, field, barcode, kind))
        ]
        if not errors:
            self._replace(shelf, item, barcodes)
        return _row(item["item_sku"], item["store_id"], errors)

    def archive(self, sku: str, stores: Iterable[str]) -> dict[str, Any]:
        """Take a SKU out of sale in all stores of a retailer; returns its row of the report."""
        shelves = [shelf for store in stores if (shelf := self._shelves.get(store)) and sku in shelf.items]
        fault = _archive_fault(sku, shelves)
        if fault is None:
            for shelf in shelves:
                shelf.archived.add(sku)
                self._note_state(shelf, sku)
        return _row(sku, "", [{"code": fault.code, "field": "itemSkus", "message": fault.message}] if fault else [])

    def place(self, store_id: str, sku: str, *, on_planogram: bool) -> dict[str, Any]:
        """Put a SKU on a store's planogram, or take it off; blocks. Raises NotKnown if the store has no such SKU."""
        shelf = self._shelf(store_id)
        if sku not in shelf.items:
            raise NotKnown("item", f"{sku} in {store_id}", hint="upload it first")
        with self._writing:
            (shelf.planogram.add if on_planogram else shelf.planogram.discard)(sku)
            self._note_state(shelf, sku)
            self._write()
        return self.show(store_id, sku)

    def show(self, store_id: str, sku: str) -> dict[str, Any]:
        """Return an item as it was uploaded, with its state; or raise NotKnown."""
        shelf = self._shelf(store_id)
        if sku not in shelf.items:
            raise NotKnown("item", f"{sku} in {store_id}")
        state = "archived" if sku in shelf.archived else "active"
        return {"item": orjson.loads(shelf.items[sku]), "state": state, "onPlanogram": sku in shelf.planogram}

    def counts(self, store_id: str) -> dict[str, int]:
        """Return how many items a store has, and how many of them are archived or on the planogram."""
        shelf = self._shelf(store_id)
        return {"items": len(shelf.items), "archived": len(shelf.archived), "onPlanogram": len(shelf.planogram)}

    def lines(self, store_id: str) -> bytes:
        """Return all that a store sells, each item as it was uploaded, as JSON on a line of its own."""
        shelf = self._shelf(store_id)
        return b"".join(item + b"\n" for sku, item in shelf.items.items() if sku not in shelf.archived)

    def skus(self, store_id: str) -> list[str]:
        """Return the SKUs that a store sells."""
        shelf = self._shelf(store_id)
        return [sku for sku in shelf.items if sku not in shelf.archived]

    def is_archived(self, store_id: str, kind: str, code: str) -> bool:
        """Say whether a SKU, or the item of a scan code, was taken out of sale; `kind` is SKU or SCANCODE."""
        shelf = self._shelf(store_id)
        return (code if kind == "SKU" else shelf.owners.get(code)) in shelf.archived

    def identifiers(self, store_id: str, sku: str) -> list[dict[str, str]]:
        """Return the barcodes of a product as Create Purchases carries them; empty when it is not known."""
        shelf = self._shelves.get(store_id)
        if shelf is None or sku not in shelf.items:
            return []
        return [
            {"id": barcode, "type": kind or type_of(barcode, self._barcode_rules) or "UPC"}
            for _, barcode, kind in _barcodes(orjson.loads(shelf.items[sku]))
        ]

    def _error(self, shelf: Shelf, item: Item, field: str, barcode: str, kind: str) -> dict[str, str] | None:
        fault = fault_of(barcode, kind, self._barcode_rules) or _shared(shelf, item["item_sku"], barcode)
        return {"code": fault.code, "field": field, "message": fault.message} if fault else None

    def _replace(self, shelf: Shelf, item: Item, barcodes: list[tuple[str, str, str]]) -> None:
        sku = item["item_sku"]
        if sku in shelf.items:
            self._free(shelf, sku)
        shelf.items[sku] = orjson.dumps(item)
        shelf.archived.discard(sku)
        self._changes.item(shelf.store, sku, shelf.items[sku], [barcode for _, barcode, _ in barcodes])
        if len(item["item_name"]) > self._rules.name_guide or _SPECIAL.search(item["item_name"]):
            self._odd_names.append(sku)
        for _, barcode, _ in barcodes:
            shelf.owners[barcode] = sku

    def _read(self, row: ItemRow) -> None:
        shelf = self._shelves.get(row.store) or self._shelves.setdefault(row.store, Shelf(row.store))
        shelf.items[row.sku] = row.body
        if row.archived:
            shelf.archived.add(row.sku)
        if row.planogram:
            shelf.planogram.add(row.sku)
        for barcode in row.barcodes:
            if not row.archived or barcode not in shelf.owners:
                shelf.owners[barcode] = row.sku

    def _note_state(self, shelf: Shelf, sku: str) -> None:
        archived, planogram = sku in shelf.archived, sku in shelf.planogram
        self._changes.state(shelf.store, sku, archived=archived, planogram=planogram)

    def _write(self) -> None:
        changes, self._changes = self._changes, self._storage.changes()
        self._storage.write(changes)

    def _shelf(self, store_id: str) -> Shelf:
        return self._shelves.get(store_id) or Shelf()

    def _free(self, shelf: Shelf, sku: str) -> None:
        for _, barcode, _ in _barcodes(orjson.loads(shelf.items[sku])):
            if shelf.owners.get(barcode) == sku:
                del shelf.owners[barcode]


def _shared(shelf: Shelf, sku: str, barcode: str) -> Fault | None:
    owner = shelf.owners.get(barcode, sku)
    free = owner == sku or owner in shelf.archived
    return None if free else Fault("BARCODE_SHARED", f"{barcode} belongs to {owner} in this store")


def _archive_fault(sku: str, shelves: list[Shelf]) -> Fault | None:
    if not shelves:
        return Fault("SKU_UNKNOWN", f"{sku} was never uploaded")
    if all(sku in shelf.archived for shelf in shelves):
        return Fault("SKU_ALREADY_ARCHIVED", f"{sku} is archived already")
    if any(sku in shelf.planogram for shelf in shelves):
        return Fault("SKU_ON_PLANOGRAM", f"{sku} is on a planogram: take it off in every store first")
    return None


def _row(sku: str, store_id: str, errors: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "item_sku": sku,
        "store_id": store_id,
        "status": "REJECTED" if errors else "ACCEPTED",
        "errors": errors,
    }


def _barcodes(item: Item) -> list[tuple[str, str, str]]:
    """List field, barcode and type (empty when not given) of an item's primary and further barcodes."""
    found = [(_PRIMARY, item[_PRIMARY], item.get(f"{_PRIMARY}_type", ""))]
    for index, further in enumerate(item.get(_FURTHER, ())):
        place = f"{_FURTHER}[{index}].{_PRIMARY}"
        found.append((place, further.get(_PRIMARY, ""), further.get(f"{_PRIMARY}_type", "")))
    return found
