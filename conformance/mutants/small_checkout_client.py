"""A small, correct checkout client. Each fault is a subclass that overrides the method that it breaks."""

from __future__ import annotations

import json
import os
import sys
from decimal import Decimal
from pathlib import Path

from conformance.mutants.small_client import Document, GaveUp, SmallClient

CHECKOUT = "/v1/checkout/carts"


class SmallCheckoutClient(SmallClient):
    """Sends each cart that is not empty, and reports the amounts of the orders."""

    prefix = "CHECKOUT"

    def __init__(self, environment: os._Environ[str]) -> None:
        super().__init__(environment)
        self.orders: dict[str, Decimal] = {}

    def run(self, job: Document) -> int:
        """Do the job and return the exit code: 1 if a cart was refused."""
        sent = [self.send_cart(cart) for cart in job["carts"] if self.is_sent(cart)]
        self.report()
        return int(not all(sent))

    def is_sent(self, cart: Document) -> bool:
        """Return whether a cart must be sent."""
        return bool(cart["lines"])

    def send_cart(self, cart: Document) -> bool:
        """Send one cart and return whether the platform accepted it."""
        try:
            self.check_out(cart)
        except GaveUp as error:
            print(error, file=sys.stderr)  # noqa: T201 - the client's output
            return False
        return True

    def check_out(self, cart: Document) -> None:
        """Send one cart. Raises GaveUp if the platform refuses it."""
        self.call(CHECKOUT, json.dumps(self.body(cart)).encode())
        self.orders[cart["shoppingTripId"]] = self.sum_of(cart, "price", "tax", "deposit") - self.promotions(cart)

    def body(self, cart: Document) -> Document:
        """Return the body of a call."""
        return {
            "idempotentShoppingTripId": cart["shoppingTripId"],
            "storeId": cart["storeId"],
            "lineItems": [self.line(line, cart["currency"]) for line in cart["lines"]],
            "orderTotals": self.totals(cart),
        }

    def line(self, line: Document, currency: str) -> Document:
        """Return one line; its amounts are of the whole line."""
        total = Decimal(line["price"]) + Decimal(line["tax"]) + Decimal(line["deposit"]) - Decimal(line["promotion"])
        price: Document = {
            "totalPrice": self.money(total, currency),
            "price": self.money(Decimal(line["price"]), currency),
            "salesTax": self.money(Decimal(line["tax"]), currency),
        }
        if Decimal(line["deposit"]):
            price["depositsAndFees"] = [{"depositAndFeeAmount": self.money(Decimal(line["deposit"]), currency)}]
        if Decimal(line["promotion"]):
            offer = self.money(Decimal(line["promotion"]), currency)
            price["promotions"] = [{"promotionAmount": offer, "promotionDescription": "offer"}]
        quantity = {"value": line["quantity"], "unit": line["unit"]}
        return {"productId": line["sku"], "type": "SKU", "quantity": quantity, "unitPrice": price}

    def totals(self, cart: Document) -> Document:
        """Return the totals of a cart."""
        currency = cart["currency"]
        subtotal, tax = self.sum_of(cart, "price", "deposit"), self.sum_of(cart, "tax")
        promotions = self.promotions(cart)
        return {
            "priceTotal": self.money(subtotal + tax - promotions, currency),
            "subTotal": self.money(subtotal, currency),
            "promotionsTotal": self.money(promotions, currency),
            "salesTaxTotal": self.money(tax, currency),
        }

    def sum_of(self, cart: Document, *names: str) -> Decimal:
        """Return the sum of some amounts of all lines."""
        return sum((Decimal(line[name]) for line in cart["lines"] for name in names), Decimal(0))

    def promotions(self, cart: Document) -> Decimal:
        """Return the sum of all promotions."""
        return self.sum_of(cart, "promotion")

    def money(self, amount: Decimal, currency: str) -> Document:
        """Return an amount as JSON."""
        return {"amount": f"{amount:.2f}", "currencyCode": currency}

    def report(self) -> None:
        """Write the amounts of the orders."""
        orders = {trip: f"{amount:.2f}" for trip, amount in self.orders.items()}
        report = {"orders": orders, "total": f"{sum(self.orders.values(), Decimal(0)):.2f}"}
        Path(self.environment["CHECKOUT_RESULT"]).write_text(json.dumps(report), encoding="utf-8")


def main(client: type[SmallCheckoutClient] = SmallCheckoutClient) -> int:
    """Do the job that the environment names, and return the exit code."""
    return client(os.environ).run(json.loads(Path(os.environ["CHECKOUT_JOB"]).read_text(encoding="utf-8")))


if __name__ == "__main__":
    sys.exit(main())
