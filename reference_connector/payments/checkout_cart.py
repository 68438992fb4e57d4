"""Writes the body of Checkout Cart from a receipt, so that the platform gets the totals that the shopper gets.

Amazon does not publish what the amounts of `unitPrice` refer to. In the reading `line` all of them are of the whole
line, so lines and totals agree exactly, whatever was rounded. In the reading `price_of_unit`, `price` is of one unit.
Amounts of one unit throughout would not add up to the cent, for three pieces at 1.00 with 0.10 off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import orjson

from jwo_toolkit.json_types import Json, JsonObject
from reference_connector.pricing.goods import ZERO, as_text, cents
from reference_connector.pricing.units import PIECE

CheckoutPrices = Literal["line", "price_of_unit"]
_LONGEST_QUANTITY = 10
_PIECES = "each"
"""The unit of pieces in Checkout Cart. In Create Purchases it is `unit`."""


def checkout_cart(receipt: Mapping[str, Json], prices: CheckoutPrices) -> bytes:
    """Return the body for a receipt of `sales`; its amounts are texts with two decimals."""
    currency = str(receipt["currency"])
    lines: Sequence[Mapping[str, str]] = receipt["lines"]
    totals = {
        "priceTotal": receipt["total"],
        "subTotal": receipt["subtotal"],
        "promotionsTotal": receipt["promotions"],
        "salesTaxTotal": receipt["tax"],
    }
    return orjson.dumps(
        {
            "idempotentShoppingTripId": receipt["shoppingTripId"],
            "storeId": receipt["storeId"],
            "lineItems": [_line(line, currency, prices) for line in lines],
            "orderTotals": {name: _money(str(amount), currency) for name, amount in totals.items()},
        }
    )


def _line(line: Mapping[str, str], currency: str, prices: CheckoutPrices) -> JsonObject:
    quantity = _quantity(Decimal(line["quantity"]))
    tax, promotion = Decimal(line["tax"]), Decimal(line["promotion"])
    gross = price = Decimal(line["total"]) - tax + promotion
    if prices == "price_of_unit":
        price = Decimal(line["unitPrice"])
        gross = cents(price * Decimal(quantity))
    amounts: JsonObject = {"totalPrice": gross - promotion + tax, "price": price, "salesTax": tax}
    unit_price: JsonObject = {name: _money(as_text(amount), currency) for name, amount in amounts.items()}
    if promotion != ZERO:
        off = {"promotionAmount": _money(as_text(promotion), currency), "promotionDescription": "Promotion"}
        unit_price["promotions"] = [off]
    unit = _PIECES if line["unit"] == PIECE.name else line["unit"]
    return {
        "productId": line["sku"],
        "type": "SKU",
        "quantity": {"value": quantity, "unit": unit},
        "unitPrice": unit_price,
    }


def _quantity(quantity: Decimal) -> str:
    """Write a quantity in the characters that the call allows: with fewer decimals if it is long."""
    text = f"{quantity:f}"
    decimals = max(0, _LONGEST_QUANTITY - len(text.partition(".")[0]) - 1)
    if len(text) <= _LONGEST_QUANTITY:
        return text
    return f"{quantity.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):f}"


def _money(amount: str, currency: str) -> JsonObject:
    return {"amount": amount, "currencyCode": currency}
