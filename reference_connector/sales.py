"""The sales: from cart lines to a purchase record, and to the charge that goes with it.

It prices outside of any unit of work, so that the one writer is never kept waiting by a long cart.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import orjson

from contract.messages import Json
from reference_connector.accelerated.price_index import Bill, PriceIndex
from reference_connector.cart import Cart
from reference_connector.pricing.goods import Product
from reference_connector.pricing.tax import TaxRates
from reference_connector.retailer import CurrentRetailer, Retailer
from reference_connector.store import Charge, ChargeState, Purchase, PurchaseStatus, Sale
from reference_connector.telemetry import Clock

_Who = tuple[str, str, str, str]
"""The ids of a trip, its purchase, its store and its shopper."""
_NO_TAX = TaxRates(Decimal(0), {})


class Sales:
    """Makes sales of carts."""

    def __init__(self, retailer: CurrentRetailer, clock: Clock, new_purchase_id: Callable[[str], str]) -> None:
        self._retailer = retailer
        self._clock = clock
        self._new_purchase_id = new_purchase_id
        self._books = _Books(retailer.now)

    def sell(self, cart: Cart) -> Sale:
        """Price a cart that has just come."""
        items, now = cart.items, self._clock()
        purchase_id = self._new_purchase_id(cart.trip_id) if items else ""
        payer = cart.payer if items else "nobody"
        who = cart.trip_id, purchase_id, cart.store_id, cart.shopper_id
        return self._sale(who, payer, items, cart.fingerprint, made_at=now, now=now)

    def sell_again(self, parked: Purchase) -> Sale:
        """Price a parked cart with what the retailer knows now."""
        who = parked.trip_id, parked.purchase_id, parked.store_id, parked.shopper_id
        items, mark = orjson.loads(parked.cart), parked.fingerprint
        return self._sale(who, parked.payer, items, mark, made_at=parked.made_at, now=self._clock())

    def _sale(self, who: _Who, payer: str, items: list[Json], mark: bytes, *, made_at: datetime, now: datetime) -> Sale:
        retailer, store_id = self._retailer.now, who[2]
        if self._books.retailer is not retailer:
            self._books = _Books(retailer)
        bill = self._books.of(store_id).bill([(item["type"], item["id"], item["quantity"]["value"]) for item in items])
        status = _status(items, bill, sold_here=store_id in retailer.stores)
        receipt = _receipt(who, payer, status, retailer.policy.currency, bill)
        cart = orjson.dumps(items) if status == "parked" else b"[]"
        purchase = Purchase(*who, status, payer, receipt, cart, mark, made_at)
        charge = _charge(purchase, bill.total, retailer, now) if status == "priced" and payer == "card" else None
        return Sale(purchase, charge)


class _Books:
    """The price books of a retailer, by store."""

    def __init__(self, retailer: Retailer) -> None:
        self.retailer = retailer
        self._books: dict[str, PriceIndex] = {}

    def of(self, store_id: str) -> PriceIndex:
        """Return a store's book; a store that is not the retailer's has a new one each time."""
        book = self._books.get(store_id)
        if book is None:
            book = _book(self.retailer, store_id)
            if store_id in self.retailer.stores:
                self._books[store_id] = book
        return book


def _book(retailer: Retailer, store_id: str) -> PriceIndex:
    assortment = retailer.assortment

    def find(kind: str, code: str) -> Product | None:
        return assortment.by_sku(store_id, code) if kind == "SKU" else assortment.by_barcode(store_id, code)

    return PriceIndex(find, retailer.promotions_on, retailer.tax.get(store_id, _NO_TAX))


def _status(items: list[Json], bill: Bill, *, sold_here: bool) -> PurchaseStatus:
    if not items:
        return "empty"
    return "priced" if bill.complete and sold_here else "parked"


def _receipt(who: _Who, payer: str, status: PurchaseStatus, currency: str, bill: Bill) -> bytes:
    trip_id, purchase_id, store_id, _ = who
    head = {
        "shoppingTripId": trip_id,
        "purchaseId": purchase_id,
        "storeId": store_id,
        "currency": currency,
        "status": status,
        "payer": payer,
    }
    return orjson.dumps(head | bill.json)


def _charge(purchase: Purchase, amount: Decimal, retailer: Retailer, now: datetime) -> Charge | None:
    """Make the charge of a card shopper; without a card on file it is stuck from the start, for people to see."""
    if not amount:
        return None
    account = retailer.accounts.get(purchase.shopper_id)
    method = account.payment_method if account else ""
    state: ChargeState = "pending" if method else "stuck"
    trouble = "" if method else "no_payment_method"
    return Charge(
        purchase.trip_id, purchase.shopper_id, amount, retailer.policy.currency, method, state, now, trouble=trouble
    )
