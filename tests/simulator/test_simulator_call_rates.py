"""The rate of each signed call: a call above it is answered 429, with the pause that the platform asks for."""

from __future__ import annotations

from typing import Any

import pytest

from jwo_contract.messages import document
from jwo_contract.register import register
from tests.simulator.in_process import STORE, in_process
from tests.simulator.payment_messages import BODIES, DATA, PATHS, VALID

LIMIT = {"rate_per_s": 0.001, "burst": 1, "retry_after_s": 77}
CALLS: dict[str, tuple[str, Any]] = {
    "ADJ-9": (PATHS["ADJ"][1], BODIES["ADJ"]),
    "CAP-13": (PATHS["CAP"][1], BODIES["CAP"]),
    "CAN-10": (PATHS["CAN"][1], BODIES["CAN"]),
    "REF-12": (PATHS["REF"][1], BODIES["REF"]),
    "CHK-CODES": ("/v1/checkout/carts", document("checkout_cart.request")["examples"][0]),
    "SID-11": ("/v1/identity/shopper", {"storeId": STORE, "shopperId": {"id": "shopper-001"}}),
    "Get Transactional Data": (DATA, VALID),
}


@pytest.mark.parametrize("row", CALLS)
def test_call_above_the_rate_is_answered_429(row: str) -> None:
    path, body = CALLS[row]
    with in_process(payment=LIMIT, checkout=LIMIT, shopper_identity=LIMIT) as platform:
        first, second = (platform.signed(path, body) for _ in range(2))
        assert first.is_success
        assert (second.status_code, second.headers["Retry-After"]) == (429, "77")
        assert set(second.json()) == {"errorMsg"}


def test_rows_about_the_rate_have_a_test() -> None:
    rows = {row.id for row in register().values() if row.tier == "outer" and "above the rate limit is" in row.text}
    assert rows <= CALLS.keys()
