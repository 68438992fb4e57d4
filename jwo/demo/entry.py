"""Declares the cards and loyalty cards of the demonstration for the profile."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from jwo_contract.profile import ScansTable, ShopperIdentitiesTable, TiersTable

RETAILER_FILE = Path(__file__).with_name("entry.toml")
FIXED_KEY = "dmFsaWQtc2hvcHBlci1vZi10aGUtZGVtbw=="
"""The identityKey of the fixed key in `RETAILER_FILE`."""
_UNKNOWN_CARD = "a-card-of-another-shop"


def tables() -> dict[str, Any]:
    """Return the profile's tables for the entry tier."""
    return {
        "tiers": TiersTable(shopper_authorization=True, resolve_scan=True),
        "shopper_identities": ShopperIdentitiesTable(
            low_risk="demo-card-good",
            high_risk="demo-card-flagged",
            adjusted="demo-card-small",
            invalid_card="demo-card-invalid",
            expired_card="demo-card-expired",
            outstanding_balance="demo-card-in-debt",
        ),
        "scans": ScansTable(accepted=_scanned("demo-loyalty-card"), rejected=_scanned(_UNKNOWN_CARD)),
    }


def _scanned(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
