"""The payment calls answer as each published case says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jwo_contract.register import register
from tests.simulator import test_simulator_payment_calls as payment_calls
from tests.simulator.in_process import MISSING, InProcess, changed, in_process
from tests.simulator.payment_messages import BAD, BODIES, PATHS

REASONS = ("DAMAGED_ITEM", "EXPIRED_ITEM", "UNWANTED_ITEM", "JWO_TECH_ERROR", "OTHER")
UNKNOWN = (400, {"errorMsg": "UnknownShoppingTrip"})
EMPTY = (200, None)
TOO_LONG = "x" * 256
Expected = tuple[int, Any]
Case = list[tuple[dict[str, Any], Expected]]


def answered(status: str, amount: float) -> Expected:
    return 200, {"status": status, "authorizedAmount": {"amount": amount, "code": "USD"}}


def each(member: str, *values: object) -> Case:
    return [({member: value}, BAD) for value in values]


STORE_FORMAT = each("storeId", "has a blank", "a.b", "a/b")
TRIP_FORMAT = each("shoppingTripId", "has a blank", "a.b", "")
LENGTH = [*each("storeId", TOO_LONG), *each("shoppingTripId", TOO_LONG)]
UNKNOWN_TRIPS: Case = [({"shoppingTripId": trip}, UNKNOWN) for trip in ("invalid-shopping-trip-uuid", "no-such-trip")]
RATE: Case = [({"fault": "throttle"}, (429, {"errorMsg": "Too Many Requests"}))]
ERROR: Case = [({"fault": "error_500_retry"}, (500, {"errorMsg": "Internal Server Error. Retry."}))]
OUTAGE: Case = [({"fault": "error_503"}, (503, {"errorMsg": "Service Unavailable"}))]

CASES: dict[str, Case] = {
    "ADJ-1": [({}, answered("APPROVED", 25.5))],
    "ADJ-2": [
        (
            {"shoppingTripId": "declined-payment-trip-uuid", "amount.amount": 999999.99},
            answered("DECLINED", 0),
        )
    ],
    "ADJ-3": [({"shoppingTripId": "pending-processing-trip-uuid"}, answered("PENDING", 25.5))],
    "ADJ-4": UNKNOWN_TRIPS,
    "ADJ-5": each("storeId", "no-such-store"),
    "ADJ-6": [*each("storeId", MISSING), *each("shoppingTripId", MISSING), *each("amount", MISSING)],
    "ADJ-7": [*each("storeId", 7), *each("amount", "25.50"), *each("amount.amount", "25.50", [7])],
    "ADJ-8": each("amount.code", "XXQ", "usd", "US", "DOLLARS"),
    "ADJ-9": RATE,
    "ADJ-10": ERROR,
    "ADJ-11": OUTAGE,
    "ADJ-12": STORE_FORMAT,
    "ADJ-13": TRIP_FORMAT,
    "ADJ-14": LENGTH,
    "CAP-1": [({}, EMPTY)],
    "CAP-2": UNKNOWN_TRIPS,
    "CAP-3": each("storeId", "no-such-store"),
    "CAP-4": [*each("storeId", MISSING), *each("amount.code", MISSING), *each("amount.amount", MISSING)],
    "CAP-5": each("shoppingTripId", MISSING),
    "CAP-6": each("amount", MISSING),
    "CAP-7": each("amount.amount", "25.50", [], {}),
    "CAP-8": each("amount.code", "usd", "U$D", "12"),
    "CAP-9": each("amount.code", "USDX"),
    "CAP-10": STORE_FORMAT,
    "CAP-11": TRIP_FORMAT,
    "CAP-12": LENGTH,
    "CAP-13": RATE,
    "CAP-14": ERROR,
    "CAP-15": OUTAGE,
    "CAP-16": each("amount.amount", 0, 0.0),
    "CAP-17": each("amount.amount", -0.01, -25.5),
    "CAP-18": [*each("storeId", ""), *each("shoppingTripId", ""), *each("amount.code", "")],
    "CAP-19": [*each("storeId", None), *each("shoppingTripId", None), *each("amount.amount", None)],
    "CAN-1": [({}, EMPTY)],
    "CAN-2": UNKNOWN_TRIPS,
    "CAN-3": each("storeId", "no-such-store"),
    "CAN-4": each("storeId", MISSING),
    "CAN-5": each("shoppingTripId", MISSING),
    "CAN-6": [*each("storeId", 7, []), *each("shoppingTripId", 7, {})],
    "CAN-7": STORE_FORMAT,
    "CAN-8": TRIP_FORMAT,
    "CAN-9": LENGTH,
    "CAN-10": RATE,
    "CAN-11": ERROR,
    "CAN-12": OUTAGE,
    "CAN-13": [*each("storeId", ""), *each("shoppingTripId", "")],
    "CAN-14": [*each("storeId", None), *each("shoppingTripId", None)],
    "CAN-15": [*each("storeId", "   "), *each("shoppingTripId", "\t ")],
    "REF-1": [({}, EMPTY)],
    "REF-2": UNKNOWN_TRIPS,
    "REF-3": each("storeId", "no-such-store"),
    "REF-4": [case for member in BODIES["REF"] for case in each(member, MISSING)],
    "REF-5": each("amount.amount", "25.50", None, []),
    "REF-6": each("amount.code", "XXQ", "usd", ""),
    "REF-7": each("refundRequestId", "not a uuid!", "3B241101-E2BB-4255-8CAF-4136C566A962", ""),
    "REF-8": each("refundReasonCode", "BORED", "", "other"),
    "REF-9": STORE_FORMAT,
    "REF-10": TRIP_FORMAT,
    "REF-11": [*LENGTH, *each("refundRequestId", TOO_LONG)],
    "REF-12": RATE,
    "REF-13": ERROR,
    "REF-14": OUTAGE,
    "REF-EDGE": [
        ({"amount.amount": 0.01}, EMPTY),
        ({"amount.amount": 25}, EMPTY),
        ({"amount.amount": 25.505}, BAD),
        ({"amount.amount": 0}, BAD),
        ({"amount.amount": -1}, BAD),
    ],
    "PLAN-APP-7.6": [({}, EMPTY)],
    "PLAN-APP-7.7": [({"refundReasonCode": reason}, EMPTY) for reason in REASONS],
    "PLAN-APP-7.10": UNKNOWN_TRIPS,
    "PLAN-APP-7.11": RATE,
    "PLAN-APP-7.13": [({"shoppingTripId": "declined-payment-trip-uuid"}, answered("DECLINED", 0))],
}
ELSEWHERE = {
    "PLAN-APP-7.8": payment_calls.test_repeated_calls_have_no_further_effect,
    "PLAN-APP-7.9": payment_calls.test_refund_window_is_a_switch,
    "PLAN-CCD-5": payment_calls.test_transactional_data_belong_to_the_trip,
}
"""The test of each row that is proven in another file."""
TOGETHER = {"PLAN-CCD-1": "ADJ-", "PLAN-CCD-2": "CAN-", "PLAN-CCD-3": "CAP-", "PLAN-CCD-4": "REF-"}
"""Rows that ask for all cases of a call."""


@pytest.fixture(scope="module")
def platform() -> Iterator[InProcess]:
    with in_process(payment={"burst": 100_000}) as running:
        yield running


def call_of(row: str) -> str:
    return {"PLAN-APP-7.13": "ADJ"}.get(row, "REF" if row.startswith("PLAN") else row[:3])


@pytest.mark.parametrize("row", CASES)
def test_platform_answers_as_the_case_says(platform: InProcess, row: str) -> None:
    name, path = PATHS[call_of(row)]
    for given, (status, expected) in CASES[row]:
        changes = {member: value for member, value in given.items() if member != "fault"}
        if fault := given.get("fault"):
            platform.post("/faults", {"name": fault, "where": {"operation": name}})
        answer = platform.signed(path, changed(BODIES[call_of(row)], changes))
        assert answer.status_code == status, changes
        assert (answer.json() if answer.content else None) == expected, changes
        if status == 429:
            assert answer.headers["Retry-After"] == "600"


def test_register_names_the_proof_of_each_case() -> None:
    apis = {*(name for name, _ in PATHS.values()), "Get Transactional Data"}
    proven = {row.id for row in register().values() if row.api in apis and "our own tests prove it" in row.not_tested}
    assert proven == {*CASES, *ELSEWHERE, *TOGETHER}
    for row, prefix in TOGETHER.items():
        assert {other for other in register() if other.startswith(prefix)} <= CASES.keys(), row
