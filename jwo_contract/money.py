"""Amounts of money as exact decimals, and the currencies of ISO 4217."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP
MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR
SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND
VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
ISO_4217 = tuple(_CODES.split())
"""The codes of the currencies in use in 2026, without metals, funds and test codes."""


class Money(NamedTuple):
    """An amount in a currency."""

    amount: Decimal
    code: str

    @classmethod
    def of(cls, member: Mapping[str, Any]) -> Money:
        """Read a member of a payment call, of which `jwo_contract.exact_json` has read the number."""
        return cls(member["amount"] + 0, member["code"])

    def to_json(self) -> dict[str, Decimal | str]:
        """Return the format of the payment calls; `jwo_contract.exact_json` writes the amount as a number."""
        return {"amount": self.amount, "code": self.code}

    def to_texts(self) -> dict[str, str]:
        """Return the amount as text, for the journal and for events."""
        return {"amount": f"{self.amount:f}", "code": self.code}


def decimal_places(amount: Decimal) -> int:
    """Return how many decimals an amount has, without zeros at the end: 2 for 1.250."""
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
