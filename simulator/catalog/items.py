"""The catalog itself: what each store sells, keyed by store and SKU, and which SKU owns which barcode."""

from __future__ import annotations

import logging
from typing import Any

from contract.house import Barcode
from simulator.catalog.barcodes import Fault, fault_of, type_of
from simulator.catalog.checks import Item

_PRIMARY = "external_product_id"
_FURTHER = "additional_external_product_information"
_NAME_GUIDE = 100
"""The maintenance guide's length of a name; the limit of the call is longer, so more is only worth a warning."""
_log = logging.getLogger("simulator.catalog")


class CatalogItems:
    """Takes rows one by one; a known key is replaced as a whole, a rejected row leaves what was there."""

    def __init__(self, rules: Barcode) -> None:
        self._rules = rules
        self._items: dict[tuple[str, str], Item] = {}
        self._owners: dict[tuple[str, str], str] = {}

    def take(self, item: Item) -> dict[str, Any]:
        """Insert or replace one item; returns its row of the report."""
        errors = [
            error for field, barcode, kind in _barcodes(item) if (error := self._error(item, field, barcode, kind))
        ]
        if not errors:
            self._replace(item)
        return {
            "item_sku": item["item_sku"],
            "store_id": item["store_id"],
            "status": "REJECTED" if errors else "ACCEPTED",
            "errors": errors,
        }

    def identifiers(self, store_id: str, sku: str) -> list[dict[str, str]]:
        """Return the barcodes of a product as Create Purchases carries them; empty when it is not known."""
        item = self._items.get((store_id, sku), {})
        return [
            {"id": barcode, "type": kind or type_of(barcode, self._rules) or "UPC"}
            for _, barcode, kind in _barcodes(item)
        ]

    def _error(self, item: Item, field: str, barcode: str, kind: str) -> dict[str, str] | None:
        fault = fault_of(barcode, kind, self._rules) or self._shared(item, barcode)
        return {"code": fault.code, "field": field, "message": fault.message} if fault else None

    def _shared(self, item: Item, barcode: str) -> Fault | None:
        owner = self._owners.get((item["store_id"], barcode), item["item_sku"])
        if owner == item["item_sku"]:
            return None
        return Fault("BARCODE_SHARED", f"{barcode} belongs to {owner} in this store")

    def _replace(self, item: Item) -> None:
        key = (item["store_id"], item["item_sku"])
        for _, barcode, _ in _barcodes(self._items.get(key, {})):
            self._owners.pop((key[0], barcode), None)
        self._items[key] = item
        if len(item["item_name"]) > _NAME_GUIDE:
            _log.warning("the name of %s is longer than %d characters", key[1], _NAME_GUIDE)
        for _, barcode, _ in _barcodes(item):
            self._owners[(key[0], barcode)] = key[1]


def _barcodes(item: Item) -> list[tuple[str, str, str]]:
    """List field, barcode and type (empty when not given) of an item's primary and further barcodes."""
    if not item:
        return []
    found = [(_PRIMARY, item[_PRIMARY], item.get(f"{_PRIMARY}_type", ""))]
    for index, further in enumerate(item.get(_FURTHER, [])):
        place = f"{_FURTHER}[{index}].{_PRIMARY}"
        found.append((place, further.get(_PRIMARY, ""), further.get(f"{_PRIMARY}_type", "")))
    return found
