"""Makes a purchase record and its charge from the lines of a cart.

Carts are priced outside of any unit of work, so that a long cart never delays the writer thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import NamedTuple, cast

import orjson

from jwo_toolkit.json_types import Json
from reference_connector.cart import Cart
from reference_connector.payments.checkout_cart import CheckoutPrices, checkout_cart
from reference_connector.payments.matching import first_step_at_amazon, hold_to_cancel
from reference_connector.payments.payer import (
    OtherEntry,
    Payer,
    is_charged_by_amazon,
    is_checked_out,
    is_held_by_amazon,
    other_entries,
)
from reference_connector.pricing.bill import Bill, CodedLine, PriceList, bill_of
from reference_connector.pricing.quantities import Problem
from reference_connector.pricing.tax import TaxRates
from reference_connector.retailer import CurrentRetailer, Retailer
from reference_connector.store import Authorisation, Charge, ChargeState, Purchase, PurchaseStatus, RecordSale
from reference_connector.telemetry import Clock

PriceCart = Callable[[Retailer, str, Sequence[CodedLine]], Bill]
"""Prices a cart at one of the retailer's stores."""
_NO_TAX = TaxRates(Decimal(0), {})
_ENTRIES = "entries"
"""The member of a bad cart's receipt that lists the authEvents of its trip."""
_OTHERS = "otherEntries"
"""The member of a bad cart's receipt that lists how those entered that do not pay."""
_NOTHING = Decimal(0)
_LARGEST = Decimal("1E13")
"""The amount above which a cart is a bad cart: the store keeps it in cents, in 64 bits."""


class _Ids(NamedTuple):
    """The ids of a sale."""

    trip_id: str
    purchase_id: str
    store_id: str
    shopper_id: str


class _Trip(NamedTuple):
    """A trip with its final cart; `payer` pays if there is something to pay, and `others` do not pay."""

    ids: _Ids
    payer: Payer
    items: list[Json]
    request_hash: bytes
    entries: list[str]
    others: list[OtherEntry]
    made_at: datetime


def price_list(retailer: Retailer, store_id: str) -> PriceList:
    """Return the prices of a store; a store that is not the retailer's has no tax."""
    find = partial(retailer.assortment.find, store_id)
    return PriceList(find, retailer.promotions.get, retailer.tax.get(store_id, _NO_TAX))


def price_cart(retailer: Retailer, store_id: str, cart: Sequence[CodedLine]) -> Bill:
    """Price a cart line by line."""
    return bill_of(price_list(retailer, store_id), cart)


class Sales:
    """Makes the sale of a cart: the purchase record and its charge.

    With `preauthorises`, a trip of a shopper with a means of payment has a charge even if there is nothing to pay. The
    outbox then releases what was pre-authorised.
    """

    def __init__(
        self,
        retailer: CurrentRetailer,
        clock: Clock,
        new_purchase_id: Callable[[str], str],
        price_cart: PriceCart = price_cart,
        *,
        preauthorises: bool = False,
        checkout_prices: CheckoutPrices = "line",
    ) -> None:
        self._retailer = retailer
        self._clock = clock
        self._new_purchase_id = new_purchase_id
        self._price_cart = price_cart
        self._preauthorises = preauthorises
        self._checkout_prices = checkout_prices

    def price(self, cart: Cart) -> RecordSale:
        """Price a new cart."""
        now = self._clock()
        purchase_id = self._new_purchase_id(cart.trip_id) if cart.items else ""
        ids = _Ids(cart.trip_id, purchase_id, cart.store_id, cart.shopper_id)
        entries = self._entries(cart.auth_events)
        others = other_entries(cart.payer, cart.auth_events)
        return self._sale(_Trip(ids, cart.payer, cart.items, cart.request_hash, entries, others, now), now)

    def _entries(self, auth_events: list[Json]) -> list[str]:
        """List the authEvents that may have a pre-authorisation: those of shoppers with a means of payment."""
        entries: list[str] = []
        for event in auth_events:
            scan = event.get("scanResult")
            account = self._retailer.current.accounts.get(scan.get("id", "")) if scan else None
            if account is not None and account.payment_method and account.visitor.type == "SHOPPER":
                entries.append(event["id"].lower())
        return entries

    def price_again(self, bad_cart: Purchase) -> RecordSale:
        """Price a bad cart with the retailer's current data."""
        ids = _Ids(bad_cart.trip_id, bad_cart.purchase_id, bad_cart.store_id, bad_cart.shopper_id)
        items, payer = orjson.loads(bad_cart.cart), cast("Payer", bad_cart.payer)
        receipt = orjson.loads(bad_cart.receipt)
        entries, others = receipt.get(_ENTRIES, []), receipt.get(_OTHERS, [])
        trip = _Trip(ids, payer, items, bad_cart.request_hash, entries, others, bad_cart.made_at)
        return self._sale(trip, self._clock())

    def _sale(self, trip: _Trip, now: datetime) -> RecordSale:
        retailer, ids, items = self._retailer.current, trip.ids, trip.items
        lines = [
            (item["type"], item["id"], item["quantity"]["value"], item["quantity"].get("unit", "")) for item in items
        ]
        bill = self._price_cart(retailer, ids.store_id, lines)
        problems = _problems(items, bill, ids.store_id, retailer)
        status: PurchaseStatus = "parked" if problems else "priced" if items else "empty"
        payer: Payer = trip.payer if items else "nobody"
        receipt = _receipt(ids, payer, status, retailer.policy.currency, bill, problems)
        if problems:  # kept for the day on which the cart has a price
            receipt |= {name: each for name, each in ((_ENTRIES, trip.entries), (_OTHERS, trip.others)) if each}
        cart = orjson.dumps(items) if status == "parked" else b"[]"
        purchase = Purchase(*ids, status, payer, orjson.dumps(receipt), cart, trip.request_hash, trip.made_at)
        if status == "parked":
            return RecordSale(purchase, None)
        return RecordSale(purchase, self._charge(trip, purchase, bill.total, now), self._hold(trip, purchase, now))

    def _charge(self, trip: _Trip, purchase: Purchase, total: Decimal, now: datetime) -> Charge | None:
        """Return the charge of a trip, or None if the connector has nothing to do for its payment.

        With nothing to pay, a charge releases what was pre-authorised. So does a charge that Amazon collects: another
        shopper of the group may have entered with the app.
        """
        retailer = self._retailer.current
        currency, model = retailer.policy.currency, retailer.stores.get(purchase.store_id, "retailer")
        may_be_reserved = bool(trip.entries) and self._preauthorises
        if is_charged_by_amazon(model, trip.payer):
            state: ChargeState = "matching" if may_be_reserved else first_step_at_amazon(total)
            return _at_amazon(purchase, total, currency, state, now)._replace(event_ids=tuple(trip.entries))
        if is_checked_out(model, trip.payer) and purchase.status == "priced":
            body = checkout_cart(orjson.loads(purchase.receipt), self._checkout_prices).decode()
            return _at_amazon(purchase, total, currency, "checkout_at_amazon", now)._replace(cart=body)
        amount = total if trip.payer == "card" else _NOTHING
        if model == "checkout" or not (amount or may_be_reserved):
            return None
        return _charge(purchase, amount, retailer, now)._replace(event_ids=tuple(trip.entries))

    def _hold(self, trip: _Trip, purchase: Purchase, now: datetime) -> Authorisation | None:
        """Return the hold to cancel of a group in which a card does not pay; None without one.

        A charge that Amazon collects ends the hold itself. In a store with the Checkout Service, an empty cart has no
        calls.
        """
        retailer = self._retailer.current
        model = retailer.stores.get(purchase.store_id, "retailer")
        is_amazons = is_charged_by_amazon(model, trip.payer) or is_checked_out(model, trip.payer)
        has_no_calls = model == "checkout" and purchase.status == "empty"
        if is_amazons or has_no_calls or not is_held_by_amazon(model, trip.others):
            return None
        ids = purchase.trip_id, purchase.shopper_id, purchase.store_id
        return hold_to_cancel(*ids, retailer.policy.currency, now)


def _problems(items: list[Json], bill: Bill, store_id: str, retailer: Retailer) -> list[Problem]:
    """Return what makes a cart a bad cart; an empty cart has no problems."""
    if not items:
        return []
    problems = list(bill.problems)
    if store_id not in retailer.stores:
        problems.insert(0, Problem("unknown_store", f"{store_id} is not a store of this retailer; add a [[store]]"))
    if bill.total > _LARGEST:
        text = f"the cart costs {bill.total}, more than any charge can be; check its quantities and the price list"
        problems.append(Problem("amount_too_large", text))
    return problems


def _receipt(
    ids: _Ids, payer: str, status: PurchaseStatus, currency: str, bill: Bill, problems: list[Problem]
) -> dict[str, object]:
    return {
        "shoppingTripId": ids.trip_id,
        "purchaseId": ids.purchase_id,
        "storeId": ids.store_id,
        "currency": currency,
        "status": status,
        "payer": payer,
        **bill.json,
        **({"problems": [problem.as_json() for problem in problems]} if problems else {}),
    }


def _charge(purchase: Purchase, amount: Decimal, retailer: Retailer, now: datetime) -> Charge:
    """Make the charge of a shopper; without a payment method it is `stuck`, so that an operator sees it."""
    account = retailer.accounts.get(purchase.shopper_id)
    methods = (account.payment_method, *account.other_payment_methods) if account else ("",)
    state: ChargeState = "matching" if methods[0] or not amount else "stuck"
    trouble = "no_payment_method" if state == "stuck" else ""
    charge = Charge(
        purchase.trip_id, purchase.shopper_id, amount, retailer.policy.currency, methods[0], state, now, trouble=trouble
    )
    return charge._replace(other_methods=methods[1:])


def _at_amazon(purchase: Purchase, total: Decimal, currency: str, state: ChargeState, now: datetime) -> Charge:
    """Make the charge of a trip that Amazon collects."""
    charge = Charge(purchase.trip_id, purchase.shopper_id, total, currency, "", state, now)
    return charge._replace(amazon_store=purchase.store_id)
