"""Create Purchases: one purchase a shopping trip, on disk before the 201 leaves.

Pricing happens before the unit of work, so that the one writer is never kept waiting by a long cart.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import orjson

from contract.house import House
from contract.messages import Json
from reference_connector.cart import Cart, CartReader
from reference_connector.errors import CartConflict, InvalidRequest
from reference_connector.idempotency import Answer, Claim, Outcome, answer_once, json_answer
from reference_connector.pricing.goods import CartLine
from reference_connector.pricing.receipt import as_json, price
from reference_connector.pricing.tax import TaxRates
from reference_connector.retailer import Retailer
from reference_connector.store import Purchase, PurchaseStatus, Records, Store
from reference_connector.telemetry import Clock, EventLog

_NO_TAX = TaxRates(Decimal(0), {})


class OrderDesk:
    """Answers Create Purchases."""

    def __init__(
        self,
        *,
        retailer: Retailer,
        store: Store,
        house: House,
        clock: Clock,
        new_purchase_id: Callable[[], str],
        log: EventLog,
    ) -> None:
        self._retailer = retailer
        self._store = store
        self._rules = house.ordering
        self._read = CartReader(house).read
        self._clock = clock
        self._new_purchase_id = new_purchase_id
        self._log = log

    async def create(self, body: bytes) -> Answer:
        """Answer a request body with 201; InvalidRequest for what is 400, CartConflict where a changed cart is 409."""
        cart = self._read(body)
        if cart.store_id not in self._retailer.stores and self._rules.unknown_store == "reject_400":
            raise InvalidRequest("storeId is not a store of this retailer", code="unknown_store")
        purchase = self._purchase(cart)
        claim = Claim("order", cart.trip_id, cart.fingerprint, purchase.made_at, None, (201,))
        outcome = await self._store.transact(lambda records: answer_once(records, claim, _keep(purchase)))
        self._log_outcome(cart, purchase, outcome)
        if outcome.changed and self._rules.changed_cart == "conflict_409":
            raise CartConflict("this shopping trip already has a purchase with another cart")
        return self._as_answer(outcome)

    def _purchase(self, cart: Cart) -> Purchase:
        status, receipt = self._price(cart)
        purchase_id = "" if status == "empty" else self._new_purchase_id()
        document = {
            "shoppingTripId": cart.trip_id,
            "purchaseId": purchase_id,
            "storeId": cart.store_id,
            "currency": self._retailer.policy.currency,
            "status": status,
            **receipt,
        }
        return Purchase(
            cart.trip_id,
            purchase_id,
            cart.store_id,
            cart.shopper_id,
            status,
            orjson.dumps(document),
            orjson.dumps(cart.items),
            self._clock(),
        )

    def _price(self, cart: Cart) -> tuple[PurchaseStatus, dict[str, object]]:
        lines = [self._line(cart.store_id, item) for item in cart.items]
        rates = self._retailer.tax.get(cart.store_id, _NO_TAX)
        priced = price(lines, self._retailer.promotions_on, rates)
        sold = priced.complete and cart.store_id in self._retailer.stores
        if not lines:
            return "empty", as_json(priced)
        return ("priced" if sold else "parked"), as_json(priced)

    def _line(self, store_id: str, item: Json) -> CartLine:
        assortment = self._retailer.assortment
        find = assortment.by_sku if item["type"] == "SKU" else assortment.by_barcode
        return CartLine(item["id"], Decimal(item["quantity"]["value"]), find(store_id, item["id"]))

    def _as_answer(self, outcome: Outcome) -> Answer:
        if not outcome.replayed:
            return outcome.answer
        return Answer(self._rules.duplicate_status, outcome.answer.body)

    def _log_outcome(self, cart: Cart, purchase: Purchase, outcome: Outcome) -> None:
        self._log.event(
            "purchase_answered",
            requestId=cart.request_id,
            shoppingTripId=cart.trip_id,
            status=outcome.answer.status,
            outcome="repeated" if outcome.replayed else purchase.status,
        )
        if outcome.changed:
            self._log.event("cart_changed", requestId=cart.request_id, shoppingTripId=cart.trip_id)


def _keep(purchase: Purchase) -> Callable[[Records], Answer]:
    def decide(records: Records) -> Answer:
        records.save_purchase(purchase)
        return json_answer(201, {"purchaseId": purchase.purchase_id})

    return decide
