"""Exact JSON: every number keeps its digits, and a number of an extreme size is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from jwo_contract.errors import MalformedBody
from jwo_contract.exact_json import dump_exact, parse_exact
from jwo_contract.money import ISO_4217, Money, decimal_places


def test_numbers_keep_their_digits() -> None:
    body = b'{"amount":0.10,"sum":12345678901234567890.12,"whole":7,"none":null,"list":[0.3]}'
    parsed = parse_exact(body)
    assert parsed == {
        "amount": Decimal("0.10"),
        "sum": Decimal("12345678901234567890.12"),
        "whole": Decimal(7),
        "list": [Decimal("0.3")],
    }
    assert dump_exact(parsed) == b'{"amount":0.10,"sum":12345678901234567890.12,"whole":7,"list":[0.3]}'


@pytest.mark.parametrize("number", ["1E-999999999", "0E-999999999", "1e-99999999999999999999", "1E-401"])
def test_number_of_an_extreme_size_is_refused(number: str) -> None:
    with pytest.raises(MalformedBody, match="out of range"):
        parse_exact(b'{"amount":%s}' % number.encode())


def test_other_values_are_not_json() -> None:
    with pytest.raises(TypeError, match="not JSON serializable: set"):
        dump_exact({"amount": {1}})


@pytest.mark.parametrize(
    ("amount", "places"), [("1", 0), ("1.50", 1), ("1.25", 2), ("1.250", 2), ("100", 0), ("1E+3", 0), ("0.00", 0)]
)
def test_decimals_are_counted_without_zeros_at_the_end(amount: str, places: int) -> None:
    assert decimal_places(Decimal(amount)) == places


def test_money_is_written_in_both_forms() -> None:
    money = Money.of({"amount": Decimal("-0.0"), "code": "EUR", "more": 1})
    assert money.to_json() == {"amount": 0, "code": "EUR"}
    assert money.to_texts() == {"amount": "0.0", "code": "EUR"}
    assert Money(Decimal("1E+2"), "USD").to_texts()["amount"] == "100"


def test_currencies_are_three_capital_letters_once() -> None:
    assert len(set(ISO_4217)) == len(ISO_4217) > 150
    assert all(len(code) == 3 and code.isupper() for code in ISO_4217)
