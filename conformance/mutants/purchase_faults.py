"""Faults of Create Purchases: wrong purchases, and wrong descriptions of a purchase."""

from __future__ import annotations

from dataclasses import replace

from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.registry import CONNECTOR_FAULTS
from conformance.mutants.small_connector import ITEMS, Purchase, SmallConnector, item_ids, new_id

_fault = CONNECTOR_FAULTS.fault
_CP_1 = tuple(f"CP-1.{number}" for number in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15))


@_fault("CP-1.1", "PLAN-APP-VAL-CONN-002", "PLAN-CHK-VAL-CONN-001")
class calls_it_order_id(SmallConnector):
    def sold(self, purchase_id: str) -> Reply:
        return Reply(201, {"orderId": purchase_id})


@_fault("CP-1.1")
class counts_its_purchases(SmallConnector):
    def sold(self, purchase_id: str) -> Reply:
        return Reply(201, {"purchaseId": 17 if purchase_id else ""})


@_fault(*_CP_1)
class leaves_the_purchase_id_empty(SmallConnector):
    def sold(self, purchase_id: str) -> Reply:
        return super().sold("")


@_fault("CP-1.1")
class wraps_the_purchase(SmallConnector):
    def sold(self, purchase_id: str) -> Reply:
        return Reply(201, {"purchase": {"purchaseId": purchase_id}})


@_fault("CP-1.1")
class writes_the_purchase_id_small(SmallConnector):
    def sold(self, purchase_id: str) -> Reply:
        return Reply(201, {"purchaseid": purchase_id})


@_fault("CP-1.1")
class makes_ids_of_300_characters(SmallConnector):
    def sold(self, purchase_id: str) -> Reply:
        return super().sold(purchase_id * 9)


@_fault("CP-1.1", "CP-1.7")
class answers_purchases_with_200(SmallConnector):
    def sold(self, purchase_id: str) -> Reply:
        return replace(super().sold(purchase_id), status=200)


@_fault("CP-1.7")
class makes_a_purchase_of_nothing(SmallConnector):
    def new_purchase_id(self, request: Request) -> str:
        return new_id()


@_fault("CP-1.7")
class answers_an_empty_cart_with_null(SmallConnector):
    def sold(self, purchase_id: str) -> Reply:
        return Reply(201, {"purchaseId": purchase_id or None})


@_fault("CP-X.9")
class parks_with_no_purchase_id(SmallConnector):
    def new_purchase_id(self, request: Request) -> str:
        return super().new_purchase_id(request) if ITEMS.issuperset(item_ids(request)) else ""


@_fault("CP-X.3")
class refuses_a_changed_cart(SmallConnector):
    def sold_before(self, purchase: Purchase, request: Request) -> Reply:
        is_changed = purchase.lines != request.items
        return error(409, "already made") if is_changed else super().sold_before(purchase, request)


@_fault("CP-X.5")
class answers_duplicates_with_200(SmallConnector):
    def sold_before(self, purchase: Purchase, request: Request) -> Reply:
        return replace(super().sold_before(purchase, request), status=200)


@_fault("CP-2")
class answers_duplicates_with_409(SmallConnector):
    def sold_before(self, purchase: Purchase, request: Request) -> Reply:
        return error(409, "already made")
