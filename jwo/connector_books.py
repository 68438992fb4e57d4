"""Reads the books of the reference connector for a reconciliation, from its operators' API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

import httpx

from simulator.announcements import Place
from simulator.reconciliation.books import KIND_OF
from simulator.reconciliation.records import ConnectorBooks, ShownBook, ShownPosting, ShownPurchase, Total

_NO_PAYMENTS = "the retailer charges all shoppers; --store-kind card, mixed or checkout lets Amazon charge them"
_WITHIN_S = 30.0
_PAGE = 500
OWN, FILES, FEED = "connector", "connector's files", "connector's feed"
_FOREIGN = ConnectorBooks(missing={OWN: "a connector of your own shows no books here"})
_Sale = dict[str, Any]


def read_books(url: str, token: str, *, with_feeds: bool = True) -> ConnectorBooks:
    """Read all sales of a reference connector. A connector that does not answer has no books, with the reason."""
    try:
        sales = list(_sales(url, token))
    except (httpx.HTTPError, ValueError) as error:
        return ConnectorBooks(missing={OWN: f"its sales cannot be read: {_first_line(error)}"})
    books = [ShownBook(name=OWN, postings=tuple(_own(sales)))]
    if with_feeds:
        books += [_reported(FILES, "files", sales), _reported(FEED, "feed", sales)]
    return ConnectorBooks(books=tuple(books), purchases=tuple(_purchases(sales)))


async def foreign_books() -> ConnectorBooks:
    """Return what is known of a connector that does not have the operators' API of this kit."""
    return _FOREIGN


def orders_of(url: str, token: str) -> Callable[[], Awaitable[ConnectorBooks]]:
    """Return a function that reads the orders alone, for a day in which the retailer charges all shoppers."""

    async def ask() -> ConnectorBooks:
        found = await asyncio.to_thread(read_books, url, token, with_feeds=False)
        orders = [
            ShownBook(name=one.name, kinds=("order",), postings=tuple(p for p in one.postings if p.kind == "order"))
            for one in found.books
        ]
        return ConnectorBooks(books=tuple(orders), missing={**found.missing, "payments": _NO_PAYMENTS})

    return ask


def open_payments(url: str, token: str) -> int:
    """Return how many charges and refunds still wait for a call, by the connector's metrics."""
    with _client(url, token) as http:
        for line in http.get("/metrics").raise_for_status().text.splitlines():
            if line.startswith("jwo_connector_outbox_depth"):
                return int(float(line.rpartition(" ")[2]))
    raise ValueError("the connector's metrics have no jwo_connector_outbox_depth")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _sales(url: str, token: str) -> Iterator[_Sale]:
    after = ""
    with _client(url, token) as http:
        while True:
            page = http.get("/ops/sales", params={"after": after, "limit": _PAGE}).raise_for_status().json()
            yield from page["sales"]
            if not (after := page["next"]):
                return


def _client(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=_WITHIN_S, trust_env=False)


def _own(sales: Iterable[_Sale]) -> Iterator[ShownPosting]:
    """Yield what the connector did: its purchases, and its calls to the platform."""
    for sale in sales:
        trip, purchase, charge = sale["shoppingTripId"], sale["purchase"], sale["charge"]
        if purchase:
            yield ShownPosting(tripId=trip, kind="order", ref=purchase["purchaseId"])
        if charge and charge["isAtAmazon"]:
            if charge["state"] == "captured" or Decimal(charge["captured"]):  # Checkout Cart also charges nothing
                yield ShownPosting(tripId=trip, kind="capture", money=_total(charge, "captured"))
            if charge["state"] == "released":
                yield ShownPosting(tripId=trip, kind="cancel")
        hold = sale["hold"]
        if hold and hold["state"] == "released" and not hold["trouble"]:  # the trouble is that there was none
            yield ShownPosting(tripId=trip, kind="cancel")
        for refund in sale["refunds"]:
            if refund["isAtAmazon"] and refund["state"] == "done":
                money = _total(refund, "amount")
                yield ShownPosting(tripId=trip, kind="refund", money=money, ref=refund["refundRequestId"])


def _purchases(sales: Iterable[_Sale]) -> Iterator[ShownPurchase]:
    for sale in sales:
        purchase, charge = sale["purchase"], sale["charge"]
        if purchase:
            yield ShownPurchase(
                tripId=sale["shoppingTripId"],
                purchaseId=purchase["purchaseId"],
                total=_total(charge, "amount") if charge else None,
                elsewhere=_elsewhere(charge) if charge else Decimal(0),
                owed=Decimal(charge["owed"]) if charge else Decimal(0),
            )


def _elsewhere(charge: dict[str, Any]) -> Decimal:
    """Return what the retailer collected itself; a settled debt was paid to it in another way."""
    captured = Decimal(charge["captured"])
    if charge["state"] == "settled":
        return Decimal(charge["amount"]) - (captured if charge["isAtAmazon"] else 0)
    return Decimal(0) if charge["isAtAmazon"] else captured


def _reported(name: str, reads: Place, sales: Iterable[_Sale]) -> ShownBook:
    """Return what the connector has read in the files or in the feed."""
    member = "files" if reads == "files" else "events"
    postings = (_report(sale["shoppingTripId"], one) for sale in sales for one in sale[member])
    return ShownBook(name=name, reads=reads, postings=tuple(one for one in postings if one))


def _report(trip: str, record: dict[str, Any]) -> ShownPosting | None:
    facts = record["facts"]
    if record["kind"] == "order":
        return ShownPosting(tripId=trip, kind="order", ref=facts.get("purchaseId", ""))
    if record["kind"] != "charge":
        return None
    kind = KIND_OF[facts["operation"]]
    money = Total(amount=Decimal(facts["amount"]), code=facts["currency"]) if "amount" in facts else None
    ref = record["recordId"].rpartition(":")[2] if kind == "refund" else ""
    return ShownPosting(tripId=trip, kind=kind, money=money, ref=ref)


def _total(member: dict[str, Any], name: str) -> Total:
    return Total(amount=Decimal(member[name]), code=member["currency"])
