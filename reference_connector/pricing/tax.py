"""Tax rates of a region, by the product's tax code; a rate of 0 is an exemption."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from reference_connector.pricing.goods import cents


class TaxRates(NamedTuple):
    """Rates as fractions, 0.07 for 7 %; a code that is not listed has the default rate."""

    default: Decimal
    codes: Mapping[str, Decimal]

    def on(self, amount: Decimal, tax_code: str) -> Decimal:
        """Return the tax on an amount from which promotions are already taken off."""
        return cents(amount * self.codes.get(tax_code, self.default))
