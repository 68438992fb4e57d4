"""The price index gives the same result as pricing the cart line by line."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_connector.accelerated import price_index
from reference_connector.accelerated.price_index import PriceIndex, PriceIndexes
from reference_connector.cart import Cart
from reference_connector.pricing.bill import Bill, CodedLine, PriceList, bill_of
from reference_connector.pricing.goods import Product
from reference_connector.pricing.promotions import Promotion
from reference_connector.pricing.tax import TaxRates
from reference_connector.pricing.units import POUND
from reference_connector.retailer import CurrentRetailer
from reference_connector.retailer_files import load_retailer
from reference_connector.sales import PriceCart, Sales
from reference_connector.sales import price_cart as plain_price_cart
from reference_connector.settings import SAMPLE_RETAILER

PRODUCTS = {
    "A": Product("A", "Soap", Decimal("1.99")),
    "B": Product("B", "Nuts", Decimal("12.345"), "food", POUND),
    "C": Product("C", "Milk", Decimal("0.05"), "food"),
}
PROMOTIONS = {
    "A": (Promotion("bogo", Decimal(1)), Promotion("percentage", Decimal(10), stacks=False)),
    "C": (Promotion("fixed", Decimal("0.20"), most_off=Decimal("0.10")),),
}
RATES = TaxRates(Decimal("0.07"), {"food": Decimal("0.0")})


def _find(kind: str, code: str) -> Product | None:
    return PRODUCTS.get(code if kind == "SKU" else code.lstrip("0"))


PRICES = PriceList(_find, lambda sku: PROMOTIONS.get(sku, ()), RATES)


def _read(bill: Bill) -> dict[str, object]:
    read: dict[str, object] = orjson.loads(orjson.dumps(bill.json))
    return read | {"of": [str(bill.total), bill.problems]}


def _line_by_line(cart: list[CodedLine]) -> dict[str, object]:
    return _read(bill_of(PRICES, cart))


def _looked_up(index: PriceIndex, cart: list[CodedLine]) -> dict[str, object]:
    return _read(index.bill(cart))


LINES = st.tuples(
    st.sampled_from(["SKU", "SCANCODE"]),
    st.sampled_from(["A", "B", "C", "00A", "0C", "ghost"]),
    st.sampled_from(["1.0", "1", "2.0", "0", "0.75", "0.333"]),
    st.sampled_from(["unit", "each", "lb", "LB", "g", "kg", "oz", "pack", "lb+1", ""]),
)
INDEX = PriceIndex(PRICES)


@given(st.lists(st.lists(LINES, max_size=6), min_size=1, max_size=4))
def test_indexed_price_equals_the_price_line_by_line(carts: list[list[CodedLine]]) -> None:
    for cart in carts + carts:
        assert _looked_up(INDEX, cart) == _line_by_line(cart)


def test_lines_of_one_product_are_added_up_and_kept_once() -> None:
    cart = [("SKU", "C", "1.0", "unit")] * 200
    index = PriceIndex(PRICES)
    assert [_looked_up(index, cart) for _ in range(2)] == [_line_by_line(cart)] * 2
    assert list(index._lines) == [("C", Decimal(200))]  # noqa: SLF001 - what is kept can be seen nowhere else


def test_equal_weights_in_other_forms_have_one_line() -> None:
    index = PriceIndex(PRICES)
    carts = [[("SKU", "B", quantity, unit)] for quantity, unit in (("2", "lb"), ("2.00", "lb"), ("907.18474", "g"))]
    assert [_looked_up(index, cart) for cart in carts] == [_line_by_line(cart) for cart in carts]
    assert len(index._lines) == 1  # noqa: SLF001 - as above


def test_full_index_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_index, "_MOST", 3)
    index = PriceIndex(PRICES)
    carts = [[("SKU", "A", f"{number}.0", "unit")] for number in range(10)]
    assert [_looked_up(index, cart) for cart in carts] == [_line_by_line(cart) for cart in carts]
    assert len(index._lines) <= 3  # noqa: SLF001 - as above


def test_a_line_is_priced_once() -> None:
    asked = []

    def promotions_on(sku: str) -> tuple[Promotion, ...]:
        asked.append(sku)
        return ()

    index = PriceIndex(PriceList(_find, promotions_on, RATES))
    for _ in range(5):
        index.bill([("SKU", "A", "1.0", "unit"), ("SCANCODE", "00A", "1.0", "each")])
    assert asked == ["A"]


@pytest.mark.parametrize("price_cart", [plain_price_cart, PriceIndexes().price_cart], ids=["plain", "accelerated"])
def test_a_new_price_holds_for_the_next_cart(price_cart: PriceCart) -> None:
    retailer = CurrentRetailer(load_retailer([SAMPLE_RETAILER], []))
    sales = Sales(retailer, lambda: datetime(2026, 2, 9, tzinfo=UTC), lambda trip: f"of {trip}", price_cart)
    item = {"id": "SKU-001", "type": "SKU", "quantity": {"value": "1.0", "unit": "unit"}}
    cart = Cart("r", "t", "STORE-001", "", "platform", [item], b"", [])
    before = orjson.loads(sales.price(cart).purchase.receipt)["lines"][0]["unitPrice"]
    changed = load_retailer([SAMPLE_RETAILER], [])
    product = changed.assortment.by_sku("STORE-001", "SKU-001")
    assert product is not None
    changed.assortment.add("STORE-001", product._replace(unit_price=Decimal("77.00")), "")
    retailer.current = changed
    after = orjson.loads(sales.price(cart).purchase.receipt)["lines"][0]["unitPrice"]
    assert (before != after, after) == (True, "77.00")
