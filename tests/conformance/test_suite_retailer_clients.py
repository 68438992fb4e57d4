"""The suite judges payment, checkout and feed clients: correct ones in another language, and ones that do nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conformance.completeness import completeness
from conformance.mutants.gallery import CLIENTS
from conformance.mutants.gate import platform_for_clients
from conformance.retailer_clients.addresses import Addresses
from conformance.retailer_clients.clients import OF_SOME_STORES, TABLES
from conformance.retailer_clients.files import compare_amounts
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import run
from conformance.summary import effective_settings
from conformance.verdicts import CaseResult, Verdict
from jwo_contract.profile import Profile
from jwo_contract.profile_connector import ConnectorTable
from jwo_contract.register import register
from tests.foreign.running import FOLDER, NODE

APIS = sorted(OF_SOME_STORES)
SCRIPTS = {
    "Payment client": ("payment.mjs", "{job}", "{result}"),
    "Checkout client": ("checkout.mjs", "{job}", "{result}"),
    "Feed consumer": ("feed.mjs", "{state}", "{result}"),
}


@pytest.fixture(scope="module")
def addresses() -> Iterator[Addresses]:
    with platform_for_clients() as found:
        yield found


def ids_of(api: str) -> tuple[str, ...]:
    return tuple(row.id for row in register().values() if row.api == api)


def profile_with(**tables: Any) -> Profile:
    return Profile.model_validate({"connector": ConnectorTable(url="http://127.0.0.1:9"), **tables})


def certified(addresses: Addresses | None, api: str, command: str = "") -> Mapping[str, CaseResult]:
    profile = profile_with(**{TABLES[api]: {"command": command, "limit_s": 30}})
    configuration = RunConfiguration(profile, Selection(("core",), ids_of(api)), catalog_platform=addresses)
    return run(configuration).results


@pytest.mark.timeout(120)
@pytest.mark.parametrize("api", APIS)
def test_a_correct_client_in_another_language_gets_no_finding(addresses: Addresses, api: str) -> None:
    script, *arguments = SCRIPTS[api]
    command = f"{shlex.join([NODE, str(FOLDER / 'node_clients' / script)])} {' '.join(arguments)}"

    results = certified(addresses, api, command)

    details = {each: (result.expected, result.got, result.reason) for each, result in results.items()}
    assert {each: result.verdict for each, result in results.items()} == dict.fromkeys(ids_of(api), Verdict.PASS), (
        details
    )


@pytest.mark.parametrize("api", APIS)
def test_an_undeclared_client_is_not_applicable_and_its_cases_name_the_setting(api: str) -> None:
    results = certified(None, api)

    assert {result.verdict for result in results.values()} == {Verdict.NOT_APPLICABLE}
    assert all(f"[{TABLES[api]}] command is not declared" in result.reason for result in results.values())


@pytest.mark.timeout(120)
@pytest.mark.parametrize("api", APIS)
def test_a_client_that_does_nothing_passes_no_case(addresses: Addresses, api: str) -> None:
    results = certified(addresses, api, "true")

    assert Verdict.PASS not in {result.verdict for result in results.values()}, results


@pytest.mark.parametrize("api", APIS)
def test_every_case_of_a_client_has_a_fault(api: str) -> None:
    assert {each for fault in CLIENTS for each in fault.found_by if each in ids_of(api)} == set(ids_of(api))


@pytest.mark.parametrize("api", APIS)
def test_only_a_declared_client_counts_for_a_complete_run(api: str) -> None:
    missing = {row.id for row in completeness({}, Selection(), profile_with()).not_judged}
    declared = profile_with(**{TABLES[api]: {"command": "charge {job}"}})

    assert not missing & set(ids_of(api))
    assert {row.id for row in completeness({}, Selection(), declared).not_judged} & set(ids_of(api))


@pytest.mark.parametrize("api", APIS)
def test_reports_hide_the_environment_of_each_client(api: str) -> None:
    table = {"command": "pay", "environment": {"SHOP_PIN": "hunter-2"}}

    assert "hunter-2" not in str(effective_settings(profile_with(**{TABLES[api]: table})))


@pytest.mark.parametrize(
    ("got", "problem"),
    [
        ({"trip-1": "12.30"}, ""),
        ({"trip-1": "12.30", "trip-2": "0.00"}, ""),
        ({"trip-1": "12.3"}, "trip-1 is '12.3' instead of '12.30'"),
        ({"trip-1": 12.30}, "trip-1 is 12.3 instead of '12.30'"),
        ({"trip-1": "12.31"}, "trip-1 is '12.31' instead of '12.30'"),
        ({"trip-1": "NaN"}, "trip-1 is 'NaN' instead of '12.30'"),
        ({"trip-1": "12.30", "trip-2": "0.01"}, "trip-2 is '0.01' instead of 'absent'"),
        ({}, "trip-1 is None instead of '12.30'"),
        ("12.30", "trip-1 is None instead of '12.30'"),
    ],
)
def test_amounts_of_a_report_are_compared_to_the_cent(got: object, problem: str) -> None:
    mismatch = compare_amounts("captured", {"trip-1": Decimal("12.30")}, got)

    assert (mismatch.got if mismatch else "") == problem


@pytest.mark.parametrize("script", sorted((FOLDER / "node_clients").glob("*.mjs")), ids=lambda path: path.name)
def test_the_foreign_clients_use_only_the_standard_library(script: Path) -> None:
    imported = re.findall(r'from "([^"]+)"', script.read_text("utf-8"))

    assert imported
    assert all(name.startswith("node:") or name == "./signed.mjs" for name in imported)
