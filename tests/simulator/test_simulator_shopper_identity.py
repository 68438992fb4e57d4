"""Get Shopper Identity: each published case, and no e-mail address in the journal."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jwo_contract.register import register
from tests.simulator.in_process import MISSING, STORE, InProcess, changed, in_process

NAME, PATH = "Get Shopper Identity", "/v1/identity/shopper"
SHOPPER, EMAIL = "shopper-001", "shopper@example.com"
ANY_CHARACTER = f"{string.ascii_letters}{string.digits}_.-"
BODY: dict[str, Any] = {"storeId": STORE, "shopperId": {"id": SHOPPER}}
BAD = (400, {"errorMsg": "BadRequestException"})
Case = list[tuple[dict[str, Any], tuple[int, Any]]]


def each(member: str, *values: object) -> Case:
    return [({member: value}, BAD) for value in values]


CASES: dict[str, Case] = {
    "SID-1": [({}, (200, {"shopperEmail": EMAIL})), ({"storeId": "VALID_STORE_ID"}, (200, {"shopperEmail": EMAIL}))],
    "SID-2": each("storeId", "no-such-store"),
    "SID-3": [*each("storeId", MISSING), *each("shopperId", MISSING)],
    "SID-4": each("shopperId", MISSING),
    "SID-5": [*each("shopperId.id", MISSING), *each("shopperId", {})],
    "SID-6": [*each("storeId", 7), *each("shopperId", "shopper-001"), *each("shopperId.id", 7)],
    "SID-7": each("storeId", "has a blank", "a/b"),
    "SID-8": each("shopperId.id", "has a blank", "a@b", "a/b"),
    "SID-9": each("storeId", "x" * 256),
    "SID-10": each("shopperId.id", "x" * 256),
    "SID-11": [({"fault": "throttle"}, (429, {"errorMsg": "Too Many Requests"}))],
    "SID-12": [({"fault": "error_500_retry"}, (500, {"errorMsg": "Internal Server Error. Retry."}))],
    "SID-13": [({"fault": "error_503"}, (503, {"errorMsg": "Service Unavailable"}))],
    "SID-14": [*each("storeId", ""), *each("shopperId.id", "")],
    "SID-15": [*each("storeId", None), *each("shopperId", None), *each("shopperId.id", None)],
    "SID-16": [*each("storeId", "   "), *each("shopperId.id", "   ", "\t")],
    "SID-17": [({"shopperId.id": ANY_CHARACTER}, (200, {"shopperEmail": "any@example.com"}))],
    "SID-18": [({"shopperId.id": "no-such-shopper"}, (200, {}))],
    "SID-RESP": [({}, (200, {"shopperEmail": EMAIL})), ({"shopperId.id": "x" * 255}, (200, {}))],
    "PLAN-CCD-6": [({}, (200, {"shopperEmail": EMAIL}))],
}


@pytest.fixture(scope="module")
def platform() -> Iterator[InProcess]:
    with in_process(shopper_identity={"burst": 100_000}) as running:
        for shopper, email in ((SHOPPER, EMAIL), (ANY_CHARACTER, "any@example.com")):
            assert running.call("PUT", f"/shoppers/{shopper}/email", {"email": email}).status_code == 204
        yield running


@pytest.mark.parametrize("row", CASES)
def test_platform_answers_as_the_case_says(platform: InProcess, row: str) -> None:
    for given, (status, expected) in CASES[row]:
        changes = {member: value for member, value in given.items() if member != "fault"}
        if fault := given.get("fault"):
            platform.post("/faults", {"name": fault, "where": {"operation": NAME}})
        answer = platform.signed(PATH, changed(BODY, changes))
        assert (answer.status_code, answer.json()) == (status, expected), given
        assert ("Retry-After" in answer.headers) == (status in {429, 500, 503})


def test_register_names_the_proof_of_each_case() -> None:
    rows = [row for row in register().values() if row.api == NAME]
    assert {row.id for row in rows if "our own tests prove it" in row.not_tested} == set(CASES)


def test_journal_hides_the_address(platform: InProcess) -> None:
    platform.signed(PATH, BODY)
    (entry,) = platform.get("/journal?kind=retailer_call&limit=1")
    assert (entry["operation"], entry["outcome"]) == (NAME, "accepted")
    assert EMAIL not in str(entry)


def test_address_must_be_one(platform: InProcess) -> None:
    assert platform.call("PUT", f"/shoppers/{SHOPPER}/email", {"email": "nowhere"}).status_code == 400


def test_answer_for_an_unknown_shopper_is_a_switch_and_addresses_survive(tmp_path: Path) -> None:
    path = str(tmp_path / "platform.sqlite3")
    with in_process(database_path=path) as platform:
        platform.call("PUT", f"/shoppers/{SHOPPER}/email", {"email": EMAIL})
    with in_process(database_path=path, shopper_identity={"unknown_shopper": "empty_email"}) as platform:
        assert platform.signed(PATH, BODY).json() == {"shopperEmail": EMAIL}
        assert platform.signed(PATH, changed(BODY, {"shopperId.id": "another"})).json() == {"shopperEmail": ""}


def test_unsigned_call_is_refused(platform: InProcess) -> None:
    assert platform.call("POST", PATH, BODY).status_code == 403
