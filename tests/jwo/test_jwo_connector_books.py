"""The books of the reference connector, as a reconciliation reads them from its export of sales."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from jwo import connector_books
from jwo.connector_books import read_books

CANCELLED = {"state": "released", "trouble": ""}


def a_sale(state: str, amount: str, captured: str, *, at_amazon: bool = True, hold: Any = None) -> dict[str, Any]:
    money = {"amount": amount, "captured": captured, "owed": "0.00", "currency": "USD"}
    purchase = {"purchaseId": "p-1", "storeId": "STORE-001", "status": "priced", "payer": "platform"}
    charge = {**money, "state": state, "isAtAmazon": at_amazon, "trouble": ""}
    return {
        "shoppingTripId": "trip-1", "purchase": purchase, "charge": charge, "hold": hold, "refunds": [], "files": [],
        "events": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("sale", "kinds", "elsewhere"),
    [
        (a_sale("captured", "1.50", "1.50"), ["capture"], "0"),
        (a_sale("captured", "0.00", "0.00"), ["capture"], "0"),  # a free cart of a checkout store
        (a_sale("read_at_amazon", "1.50", "1.50"), ["capture"], "0"),
        (a_sale("released", "0.00", "0.00"), ["cancel"], "0"),
        (a_sale("stuck", "1.50", "0.00"), [], "0"),
        (a_sale("settled", "1.50", "0.00"), [], "1.50"),
        (a_sale("captured", "1.50", "1.50", at_amazon=False), [], "1.50"),
        (a_sale("released", "0.00", "0.00", at_amazon=False), [], "0"),
        (a_sale("settled", "1.50", "0.00", hold=CANCELLED), ["cancel"], "1.50"),
        (a_sale("settled", "1.50", "0.00", hold={"state": "stuck", "trouble": "no_answer"}), [], "1.50"),
        (a_sale("settled", "1.50", "0.00", hold=CANCELLED | {"trouble": "refused_400"}), [], "1.50"),
        (a_sale("captured", "1.50", "1.50", at_amazon=False, hold=CANCELLED), ["cancel"], "1.50"),
    ],
)
def test_book_has_what_the_connector_did_at_the_platform(
    monkeypatch: pytest.MonkeyPatch, sale: dict[str, Any], kinds: list[str], elsewhere: str
) -> None:
    monkeypatch.setattr(connector_books, "_sales", lambda *_: iter([sale]))
    books = read_books("http://connector", "token", with_feeds=False)
    assert [one.kind for one in books.books[0].postings] == ["order", *kinds]
    assert books.purchases is not None
    assert books.purchases[0].elsewhere == Decimal(elsewhere)
