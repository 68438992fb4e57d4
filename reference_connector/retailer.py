"""The retailer's data: stores, shoppers, keys, products, promotions and tax."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from pydantic import SecretStr

from reference_connector.payments.payer import PaymentModel
from reference_connector.pricing.goods import Product
from reference_connector.pricing.promotions import Promotion
from reference_connector.pricing.tax import TaxRates
from reference_connector.store import Badge

VisitorType = Literal["SHOPPER", "ASSOCIATE", "CASH_SHOPPER"]
ScanType = Literal["SHOPPER", "ASSOCIATE", "CASH", "LOYALTY"]
BADGE_OWNERS: tuple[VisitorType, ...] = ("SHOPPER", "ASSOCIATE")
"""The types of accounts that may have a badge. A cash shopper has no means of payment behind it."""
EVERY_STORE = ""
_PRINTED = (10, 12, 13, 14)
"""The lengths of barcodes that are printed with hyphens, such as 978-3-16-148410-0."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Visitor(NamedTuple):
    """The owner of a key, as the gate gets it."""

    id: str
    type: VisitorType


class Account(NamedTuple):
    """A shopper's account; the card is valid until the end of `card_expires`, a year and a month.

    `payment_method` is the provider's token for the card, or empty. `other_payment_methods` are tokens of other means,
    which pay what the card does not. `pin` signs in to the app; with an empty one, no shopper can sign in.
    """

    visitor: Visitor
    flagged: bool
    card_expires: tuple[int, int]
    fraud_score: int
    open_balance: Decimal
    payment_method: str
    pin: SecretStr
    other_payment_methods: tuple[str, ...] = ()


class CardShopper(NamedTuple):
    """The retailer's record of a shopper that enters with a card; `id` is the platform's id of that card.

    `always` overrides the platform's recommendation. `adjust_to` changes the pre-authorised amount. `account` is the
    app's account of the same person, or empty. `debt` are the charges of that person that were declined.
    """

    id: str
    card_valid: bool
    card_expires: tuple[int, int]
    flagged: bool
    fraud_score: int
    open_balance: Decimal
    always: Literal["accept", "deny", ""]
    adjust_to: Decimal | None
    account: str = ""
    debt: Decimal = Decimal(0)


class Member(NamedTuple):
    """A member of a loyalty scheme: the code on the card, and the data for Get Scan Details."""

    id: str
    code: str
    type: ScanType
    provider: str
    promotion_ids: tuple[str, ...]


class Policy(NamedTuple):
    """The retailer's own limits; amounts are in `currency`.

    `max_open_balance` is for what the retailer's file says and the declined charges since, `max_debt` for those alone.
    """

    currency: str = "USD"
    max_open_balance: Decimal = Decimal(0)
    max_debt: Decimal = Decimal(0)
    max_fraud_score: int = 100
    loyalty_provider: str = "Retailer"


class Assortment:
    """The products, by store and by SKU or barcode; what every store sells is under EVERY_STORE."""

    def __init__(self) -> None:
        self._products: dict[str, dict[str, Product]] = {EVERY_STORE: {}}
        self._skus: dict[str, dict[str, str]] = {EVERY_STORE: {}}

    def add(self, store_id: str, product: Product, barcode: str) -> None:
        """Add a product. The caller has checked that its SKU and its barcode are new in this store."""
        self._products.setdefault(store_id, {})[product.sku] = product
        if barcode:
            self._skus.setdefault(store_id, {})[bare_barcode(barcode)] = product.sku

    def find(self, store_id: str, kind: str, code: str) -> Product | None:
        """Find what a store sells under a code of a kind, SKU or SCANCODE."""
        return self.by_sku(store_id, code) if kind == "SKU" else self.by_barcode(store_id, code)

    def by_sku(self, store_id: str, sku: str) -> Product | None:
        """Find what a store sells under a SKU."""
        return self._products.get(store_id, _NOTHING).get(sku) or self._products[EVERY_STORE].get(sku)

    def by_barcode(self, store_id: str, barcode: str) -> Product | None:
        """Find what a store sells under a scanned code; padding with zeros does not matter."""
        bare = bare_barcode(barcode)
        sku = self._skus.get(store_id, _NOTHING).get(bare) or self._skus[EVERY_STORE].get(bare)
        return self.by_sku(store_id, sku) if sku else None

    def by_store(self) -> Mapping[str, Mapping[str, Product]]:
        """Return the products by store and SKU."""
        return self._products

    def barcodes_by_store(self) -> Mapping[str, Mapping[str, str]]:
        """Return the SKUs by store and by barcode without its zeros."""
        return self._skus


class Retailer(NamedTuple):
    """All data of the retailer. `stores` has the payment model of each store.

    `fixture_keys` are by store and by the text that the key decodes to; `tax` is by store.

    `promotions` are by SKU, in the order in which they apply. `digests` are the SHA-256 of the files by path, `notes`
    are remarks about the files.
    """

    policy: Policy
    stores: Mapping[str, PaymentModel]
    accounts: Mapping[str, Account]
    fixture_keys: Mapping[tuple[str, str], Visitor]
    assortment: Assortment
    promotions: Mapping[str, Sequence[Promotion]]
    tax: Mapping[str, TaxRates]
    card_shoppers: Mapping[str, CardShopper]
    members: Mapping[str, Member]
    digests: Mapping[str, str] = MappingProxyType({})
    notes: Sequence[str] = ()
    badges: Mapping[str, Badge] = MappingProxyType({})
    """The badges of the retailer files, by id. The store has those that were issued or changed at run time."""
    time_zones: Mapping[str, str] = MappingProxyType({})
    """The name of the time zone by store, for the times on receipts."""


class CurrentRetailer:
    """Holds the retailer's current data. Handlers read `current` at each call, as a changed file replaces it."""

    def __init__(self, retailer: Retailer) -> None:
        self.current = retailer


def bare_barcode(barcode: str) -> str:
    """Return a barcode without the zeros that pad it, and without the hyphens that are printed in it."""
    if "-" in barcode and len(bare := barcode.replace("-", "")) in _PRINTED and bare.removesuffix("X").isdigit():
        barcode = bare
    return barcode.lstrip("0") or barcode
