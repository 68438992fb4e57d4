"""The catalog: the items of each store by SKU, and the SKU that owns each barcode.

An item is stored as its JSON, which takes a third of the memory of the parsed object. The whole catalog is in memory.
Changes also go to the catalog's file, which the next start of the platform reads.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from jwo_contract.house import Barcode, Catalog
from simulator.catalog.barcodes import Problem, check_barcode, type_of
from simulator.catalog.checks import Item
from simulator.catalog.report import report_of
from simulator.errors import NotKnown
from simulator.storage.items import ItemRow, ItemStorage

_PRIMARY = "external_product_id"
_FURTHER = "additional_external_product_information"
_SPECIAL = re.compile(r"[^\w\s.,:;'\"&/()%+!?#*°-]")
"""All other than the usual characters on a receipt. Amazon does not publish which characters are special."""
_log = logging.getLogger("simulator.catalog")


class StoreItems:
    """The catalog of one store. An archived item owns its barcode until another item uses it."""

    def __init__(self, store: str = "") -> None:
        self.store = store
        self.items: dict[str, bytes] = {}
        self.owners: dict[str, str] = {}
        self.archived: set[str] = set()
        self.planogram: set[str] = set()


class CatalogItems:
    """Applies rows one by one. A row replaces the whole item with its key; a rejected row changes nothing."""

    def __init__(self, barcodes: Barcode, rules: Catalog, storage: ItemStorage | None = None) -> None:
        self._barcode_rules = barcodes
        self._rules = rules
        self._storage = storage or ItemStorage()
        self._stores: dict[str, StoreItems] = {}
        self._changes = self._storage.changes()
        self._odd_names: list[str] = []
        self._writing = threading.Lock()
        for row in self._storage.rows():
            self._read(row)

    def ingest(self, ingestion_id: str, work: Callable[[CatalogItems], list[dict[str, Any]]]) -> dict[str, Any]:
        """Do the work of an ingestion once, and store its changes and its report; returns the report. Blocks."""
        with self._writing:
            done = self._storage.report(ingestion_id)
            if done is None:
                done = report_of(ingestion_id, work(self))
                self._changes.report(done)
                self._write()
                self._warn(ingestion_id)
        return done

    def _warn(self, ingestion_id: str) -> None:
        """Log one warning for all item names that do not follow the published guide."""
        odd, self._odd_names = self._odd_names, []
        if odd:
            advice, some = f"1 to {self._rules.name_guide} characters, none of them special", ", ".join(odd[:3])
            _log.warning("ingestion %s: %d names are not %s: of %s", ingestion_id, len(odd), advice, some)

    def delete_report(self, ingestion_id: str) -> None:
        """Delete the stored report of an ingestion, because the published copy replaces it; blocks."""
        self._storage.delete_report(ingestion_id)

    def put(self, item: Item) -> dict[str, Any]:
        """Insert or replace one item, which also makes it active again; returns its row of the report."""
        store = item["store_id"]
        store_items = self._stores.get(store) or self._stores.setdefault(store, StoreItems(store))
        barcodes = _barcodes(item)
        errors = [
            error
            for field, barcode, kind in barcodes
            if (error := self._error(store_items, item, field, barcode, kind))
        ]
        if not errors:
            self._replace(store_items, item, barcodes)
        return _row(item["item_sku"], item["store_id"], errors)

    def archive(self, sku: str, stores: Iterable[str]) -> dict[str, Any]:
        """Take a SKU out of sale in all stores of a retailer; returns its row of the report."""
        stores_with_item = [
            store_items for store in stores if (store_items := self._stores.get(store)) and sku in store_items.items
        ]
        problem = _archive_problem(sku, stores_with_item)
        if problem is None:
            for store_items in stores_with_item:
                store_items.archived.add(sku)
                self._note_state(store_items, sku)
        return _row(
            sku, "", [{"code": problem.code, "field": "itemSkus", "message": problem.message}] if problem else []
        )

    def place(self, store_id: str, sku: str, *, on_planogram: bool) -> dict[str, Any]:
        """Put a SKU on a store's planogram, or take it off. Blocks. Raises NotKnown if the store has no such SKU."""
        store_items = self._items_of(store_id)
        if sku not in store_items.items:
            raise NotKnown("item", f"{sku} in {store_id}", hint="upload it first")
        with self._writing:
            (store_items.planogram.add if on_planogram else store_items.planogram.discard)(sku)
            self._note_state(store_items, sku)
            self._write()
        return self.show(store_id, sku)

    def show(self, store_id: str, sku: str) -> dict[str, Any]:
        """Return an item as uploaded, with its state. Raises NotKnown if the store has no such SKU."""
        store_items = self._items_of(store_id)
        if sku not in store_items.items:
            raise NotKnown("item", f"{sku} in {store_id}")
        state = "archived" if sku in store_items.archived else "active"
        return {
            "item": orjson.loads(store_items.items[sku]),
            "state": state,
            "onPlanogram": sku in store_items.planogram,
        }

    def search(self, store_id: str, wanted: str, offset: int, limit: int) -> dict[str, Any]:
        """Return the items of a store that have a text in their SKU, name or barcodes, also archived ones. Blocks.

        The item with the barcode `wanted` comes first. `total` counts all items, `matching` those that have the text.
        """
        store_items = self._items_of(store_id)
        owner, text = store_items.owners.get(wanted), wanted.casefold()
        found = [sku for sku, body in list(store_items.items.items()) if not text or _has(body, text)]
        if owner in found:
            found.remove(owner)
            found.insert(0, owner)
        shown = [self.show(store_id, sku) for sku in found[offset : offset + limit]]
        return {"total": len(store_items.items), "matching": len(found), "items": shown}

    def counts(self, store_id: str) -> dict[str, int]:
        """Return how many items a store has, and how many of them are archived or on the planogram."""
        store_items = self._items_of(store_id)
        return {
            "items": len(store_items.items),
            "archived": len(store_items.archived),
            "onPlanogram": len(store_items.planogram),
        }

    def lines(self, store_id: str) -> bytes:
        """Return the items that a store sells, as uploaded, one line of JSON for each."""
        store_items = self._items_of(store_id)
        return b"".join(item + b"\n" for sku, item in store_items.items.items() if sku not in store_items.archived)

    def skus(self, store_id: str) -> list[str]:
        """Return the SKUs that a store sells."""
        store_items = self._items_of(store_id)
        return [sku for sku in store_items.items if sku not in store_items.archived]

    def is_archived(self, store_id: str, kind: str, code: str) -> bool:
        """Return whether the item of a SKU or of a scan code is archived; `kind` is SKU or SCANCODE."""
        store_items = self._items_of(store_id)
        return (code if kind == "SKU" else store_items.owners.get(code)) in store_items.archived

    def identifiers(self, store_id: str, sku: str) -> list[dict[str, str]]:
        """Return the barcodes of a product in the format of Create Purchases; empty if the product is unknown."""
        store_items = self._stores.get(store_id)
        if store_items is None or sku not in store_items.items:
            return []
        return [
            {"id": barcode, "type": kind or type_of(barcode, self._barcode_rules) or "UPC"}
            for _, barcode, kind in _barcodes(orjson.loads(store_items.items[sku]))
        ]

    def _error(self, store_items: StoreItems, item: Item, field: str, barcode: str, kind: str) -> dict[str, str] | None:
        problem = check_barcode(barcode, kind, self._barcode_rules) or _shared(store_items, item["item_sku"], barcode)
        return {"code": problem.code, "field": field, "message": problem.message} if problem else None

    def _replace(self, store_items: StoreItems, item: Item, barcodes: list[tuple[str, str, str]]) -> None:
        sku = item["item_sku"]
        if sku in store_items.items:
            self._release_barcodes(store_items, sku)
        store_items.items[sku] = orjson.dumps(item)
        store_items.archived.discard(sku)
        self._changes.item(store_items.store, sku, store_items.items[sku], [barcode for _, barcode, _ in barcodes])
        if len(item["item_name"]) > self._rules.name_guide or _SPECIAL.search(item["item_name"]):
            self._odd_names.append(sku)
        for _, barcode, _ in barcodes:
            store_items.owners[barcode] = sku

    def _read(self, row: ItemRow) -> None:
        store_items = self._stores.get(row.store) or self._stores.setdefault(row.store, StoreItems(row.store))
        store_items.items[row.sku] = row.body
        if row.archived:
            store_items.archived.add(row.sku)
        if row.planogram:
            store_items.planogram.add(row.sku)
        for barcode in row.barcodes:
            if not row.archived or barcode not in store_items.owners:
                store_items.owners[barcode] = row.sku

    def _note_state(self, store_items: StoreItems, sku: str) -> None:
        archived, planogram = sku in store_items.archived, sku in store_items.planogram
        self._changes.state(store_items.store, sku, archived=archived, planogram=planogram)

    def _write(self) -> None:
        changes, self._changes = self._changes, self._storage.changes()
        self._storage.write(changes)

    def _items_of(self, store_id: str) -> StoreItems:
        return self._stores.get(store_id) or StoreItems()

    def _release_barcodes(self, store_items: StoreItems, sku: str) -> None:
        for _, barcode, _ in _barcodes(orjson.loads(store_items.items[sku])):
            if store_items.owners.get(barcode) == sku:
                del store_items.owners[barcode]


def _has(body: bytes, text: str) -> bool:
    item = orjson.loads(body)
    values = (item["item_sku"], item["item_name"], *(barcode for _, barcode, _ in _barcodes(item)))
    return any(text in value.casefold() for value in values)


def _shared(store_items: StoreItems, sku: str, barcode: str) -> Problem | None:
    owner = store_items.owners.get(barcode, sku)
    free = owner == sku or owner in store_items.archived
    return None if free else Problem("BARCODE_SHARED", f"{barcode} belongs to {owner} in this store")


def _archive_problem(sku: str, stores_with_item: list[StoreItems]) -> Problem | None:
    if not stores_with_item:
        return Problem("SKU_UNKNOWN", f"{sku} was never uploaded")
    if all(sku in store_items.archived for store_items in stores_with_item):
        return Problem("SKU_ALREADY_ARCHIVED", f"{sku} is archived already")
    if any(sku in store_items.planogram for store_items in stores_with_item):
        return Problem("SKU_ON_PLANOGRAM", f"{sku} is on a planogram: take it off in each store first")
    return None


def _row(sku: str, store_id: str, errors: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "item_sku": sku,
        "store_id": store_id,
        "status": "REJECTED" if errors else "ACCEPTED",
        "errors": errors,
    }


def _barcodes(item: Item) -> list[tuple[str, str, str]]:
    """Return field, barcode and type (empty if missing) of an item's primary and further barcodes."""
    found = [(_PRIMARY, item[_PRIMARY], item.get(f"{_PRIMARY}_type", ""))]
    for index, further in enumerate(item.get(_FURTHER, ())):
        place = f"{_FURTHER}[{index}].{_PRIMARY}"
        found.append((place, further.get(_PRIMARY, ""), further.get(f"{_PRIMARY}_type", "")))
    return found
