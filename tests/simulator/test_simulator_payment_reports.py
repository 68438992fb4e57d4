"""Each published case of Report Payment Status whose row in the register says that the platform gives this answer."""

from __future__ import annotations

from typing import Any

import pytest

from jwo_contract.register import register

MISSING = object()
BAD, UNKNOWN = (400, {"errorMsg": "BadRequestException"}), (400, {"errorMsg": "UnknownShoppingTrip"})
ACCEPTED, REJECTED = (200, {"status": "Accepted"}), (200, {"status": "Rejected"})
STORES = ("store123", "STORE_456", "store-789")


def money(amount: float, code: str = "USD") -> dict[str, Any]:
    return {"amount": amount, "code": code}


def amounts(total: float, settled: float, code: str = "USD") -> dict[str, Any]:
    return {"totalAmount": money(total, code), "settledAmount": money(settled, code)}


CASES: dict[str, list[tuple[dict[str, Any], tuple[int, dict[str, str]]]]] = {
    "FB-TC001": [(amounts(25.5, 25.5), ACCEPTED)],
    "FB-TC002": [(amounts(25.5, 25.51), REJECTED)],
    "FB-TC003": [(amounts(25.5, 10), ACCEPTED)],
    "FB-TC004": [(amounts(0, 0), ACCEPTED)],
    "FB-TC005": [(amounts(5, 5, code), ACCEPTED) for code in ("USD", "EUR", "GBP", "JPY")],
    "FB-TC006": [({"storeId": store}, ACCEPTED) for store in STORES],
    "FB-TC007": [({}, ACCEPTED)],
    "FB-TC008": [(amounts(5, 5, "CAD"), ACCEPTED), (amounts(5, 5, "cad"), BAD), (amounts(5, 5, "CADS"), BAD)],
    "FB-TC009": [(amounts(total, total), ACCEPTED) for total in (1, 1.5, 1.55, 1.555)],
    "FB-TC010": [(amounts(999999.99, 999999.99), ACCEPTED), (amounts(0.01, 0.01), ACCEPTED), (amounts(-1, -1), BAD)],
    "FB-TC011": [({"storeId": MISSING}, BAD), ({"storeId": ""}, BAD)],
    "FB-TC012": [({"shoppingTripId": MISSING}, BAD)],
    "FB-TC013": [({"totalAmount": MISSING}, BAD), ({"totalAmount": {"amount": 1}}, BAD)],
    "FB-TC014": [({"settledAmount": MISSING}, BAD), ({"settledAmount": 1}, BAD)],
    "FB-7b.1": [(amounts(8, 8), ACCEPTED)],
    "FB-7b.2": [(amounts(8, 7.99), ACCEPTED)],
    "FB-7b.3": [(amounts(8, 0), ACCEPTED)],
    "FB-7b.4": [({"shoppingTripId": "no-such-trip"}, UNKNOWN)],
    "FB-7b.5": [({"paymentStatusTime": MISSING}, BAD)],
    "FB-7b.6": [({"fault": "error_500_retry"}, (500, {"errorMsg": "Internal Server Error. Retry."})), ({}, ACCEPTED)],
}


@pytest.fixture(scope="module")
def trips(catalog_host: Any) -> dict[str, str]:
    """Return a shopping trip of each store; a store without a connector follows its store default decision."""
    found = {}
    for store in STORES:
        setup = {"retailer": "corner-retail", "storeDefault": "open", "gates": [f"gate of {store}"]}
        assert catalog_host.http.put(f"/portal/stores/{store}", json=setup).status_code == 200
        found[store] = catalog_host.scan(gate=f"gate of {store}")["shoppingTripId"]
    return found


@pytest.mark.parametrize("row", CASES)
def test_platform_answers_as_the_case_says(catalog_host: Any, trips: dict[str, str], row: str) -> None:
    for changes, expected in CASES[row]:
        store = changes.get("storeId", STORES[0])
        base = {"storeId": STORES[0], "shoppingTripId": trips.get(store, trips[STORES[0]]), "paymentStatusTime": 1.5}
        body = {**base, **amounts(5, 5), **changes}
        if fault := body.pop("fault", ""):
            where = {"operation": "Report Payment Status"}
            assert catalog_host.http.post("/faults", json={"name": fault, "where": where}).is_success
        body = {name: value for name, value in body.items() if value is not MISSING}
        answer = catalog_host.signed("/v1/feedback/payment-status", body)
        assert (answer.status_code, answer.json()) == expected, changes


def test_register_names_the_proof_of_each_case() -> None:
    rows = register().values()
    named = {
        row.id for row in rows if row.api == "Report Payment Status" and "our own tests prove it" in row.not_tested
    }
    assert named == set(CASES)
