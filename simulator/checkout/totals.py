"""The check that lines, promotions, taxes and totals of a checkout agree, with exact decimals.

Amazon says that they must agree, but not what `unitPrice` refers to, nor what the subtotal holds. So several readings
are accepted (`checkout.readings`, `checkout.subtotals`), and the whole cart must follow one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from jwo_contract.house_retailer_calls import Checkout, CheckoutReading, CheckoutSubtotal
from jwo_contract.money import Money
from jwo_toolkit.json_types import JsonObject

ZERO, CENT = Decimal(0), Decimal("0.01")


class Line(NamedTuple):
    """One line: its quantity and the amounts of its `unitPrice`."""

    quantity: Decimal
    total: Decimal
    price: Decimal
    tax: Decimal
    fees: Decimal
    promotions: Decimal


class Sums(NamedTuple):
    """The sums of all lines under one reading; `slack` is the rounding that the reading allows in each sum."""

    prices: Decimal
    fees: Decimal
    tax: Decimal
    promotions: Decimal
    slack: Decimal


def disagreement(cart: JsonObject, rules: Checkout) -> str:
    """Return what does not agree in a cart of the right shape; an empty text if all agrees."""
    currencies = {member["currencyCode"] for member in _amounts(cart)}
    if len(currencies) > 1:
        return f"the cart has several currencies: {', '.join(sorted(currencies))}"
    lines = [_line(item) for item in cart["lineItems"]]
    problems = [_broken_reading(cart, lines, reading, rules) for reading in rules.readings]
    return "" if "" in problems else problems[0]


def total_of(cart: JsonObject) -> Money:
    """Return what the shopper pays."""
    member = cart["orderTotals"]["priceTotal"]
    return Money(Decimal(member["amount"]), member["currencyCode"])


def _broken_reading(cart: JsonObject, lines: list[Line], reading: CheckoutReading, rules: Checkout) -> str:
    """Return the first disagreement under a reading of `unitPrice`."""
    for number, line in enumerate(lines):
        price = _cents(line.price * line.quantity) if reading == "price_of_unit" else line.price
        expected = price + line.fees + line.tax - line.promotions
        if line.total != expected:
            return f"lineItems[{number}].unitPrice.totalPrice is {line.total}, and its parts make {expected}"
    return _broken_totals(cart["orderTotals"], _summed(lines, reading, rules), rules)


def _broken_totals(totals: JsonObject, sums: Sums, rules: Checkout) -> str:
    subtotal, tax, pays = (_amount(totals[name]) for name in ("subTotal", "salesTaxTotal", "priceTotal"))
    promotions = abs(_amount(totals["promotionsTotal"]))
    if abs(tax - sums.tax) > sums.slack:
        return f"orderTotals.salesTaxTotal is {tax}, and the lines make {sums.tax}"
    if abs(promotions - sums.promotions) > sums.slack:
        return f"orderTotals.promotionsTotal is {promotions}, and the lines make {sums.promotions}"
    accepted = {name: _subtotal(sums, name) for name in rules.subtotals}
    fitting = [name for name, amount in accepted.items() if abs(subtotal - amount) <= sums.slack]
    if not fitting:
        return f"orderTotals.subTotal is {subtotal}, and the lines make {_either(accepted.values())}"
    expected = {subtotal + tax + _open(name, sums.fees, promotions) for name in fitting}
    return (
        "" if pays in expected else f"orderTotals.priceTotal is {pays}, and the other totals make {_either(expected)}"
    )


def _subtotal(sums: Sums, name: CheckoutSubtotal) -> Decimal:
    fees = sums.fees if "fees" in name else ZERO
    promotions = sums.promotions if "less_promotions" in name else ZERO
    return sums.prices + fees - promotions


def _open(name: CheckoutSubtotal, fees: Decimal, promotions: Decimal) -> Decimal:
    """Return what the subtotal does not hold of fees and promotions."""
    open_fees = ZERO if "fees" in name else fees
    open_promotions = ZERO if "less_promotions" in name else promotions
    return open_fees - open_promotions


def _either(amounts: Iterable[Decimal]) -> str:
    return " or ".join(sorted(set(map(str, amounts))))


def _summed(lines: list[Line], reading: CheckoutReading, rules: Checkout) -> Sums:
    rounded = sum(1 for line in lines if line.quantity != 1) if reading != "line" else 0
    slack = CENT * rules.rounding_cents * rounded
    prices = sum((_cents(line.price * (1 if reading == "line" else line.quantity)) for line in lines), ZERO)
    parts = {
        name: sum((_cents(getattr(line, name) * (line.quantity if reading == "unit" else 1)) for line in lines), ZERO)
        for name in ("fees", "tax", "promotions")
    }
    return Sums(prices, slack=slack, **parts)


def _line(item: JsonObject) -> Line:
    price = item["unitPrice"]
    fees, promotions = price.get("depositsAndFees", ()), price.get("promotions", ())
    fee_tax = sum((_amount(fee["salesTax"]) for fee in fees if "salesTax" in fee), ZERO)
    return Line(
        quantity=Decimal(item["quantity"]["value"]),
        total=_amount(price["totalPrice"]),
        price=_amount(price["price"]),
        tax=_amount(price["salesTax"]) + fee_tax,
        fees=sum((_amount(fee["depositAndFeeAmount"]) for fee in fees), ZERO),
        promotions=sum((abs(_amount(one["promotionAmount"])) for one in promotions), ZERO),
    )


def _amounts(value: object) -> Iterator[JsonObject]:
    """Yield every member of a cart that is an amount of money."""
    if isinstance(value, dict) and "currencyCode" in value and "amount" in value:
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _amounts(inner)


def _amount(member: JsonObject) -> Decimal:
    return Decimal(member["amount"])


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
