"""A source of keys that cannot be used is an error of the profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.drivers.keys import KeySource
from conformance.errors import ProfileBroke
from conformance.mutants.gate import profile_of
from conformance.mutants.small_connector import SmallConnector
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import run
from conformance.verdicts import CaseResult, Verdict
from jwo_contract.profile import KeysTable, for_url
from jwo_contract.scan_key import to_identity_key


@pytest.mark.parametrize(
    "source",
    [
        {"url": "http://.example.com/{type}"},
        {"url": "http://127.0.0.1:99999/{type}"},
        {"url": "http://127.0.0.1:9/{type}"},
        {"command": "/no/such/program {type}"},
    ],
)
def test_source_of_keys_that_is_not_usable_is_named(source: dict[str, str]) -> None:
    profile = for_url("http://127.0.0.1:9").model_copy(update={"keys": KeysTable.model_validate(source)})
    with pytest.raises(ProfileBroke, match=r"^\[keys\] "):
        KeySource(profile).take("shopper")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo first >&2; echo no such shopper >&2; exit 2", "exit code 2: no such shopper"),
        ("exit 3", "exit code 3: it printed no error"),
    ],
)
def test_command_that_fails_is_reported_with_its_last_error_and_without_its_words(script: str, reason: str) -> None:
    keys = KeysTable(command=f"sh -c '{script}' {{type}}", minted=("shopper",))
    profile = for_url("http://127.0.0.1:9").model_copy(update={"keys": keys})
    with pytest.raises(ProfileBroke, match=rf"^\[keys\] command failed for shopper: {reason}$"):
        KeySource(profile).take("shopper")


FIXED = to_identity_key("valid_shopper_key")


@pytest.mark.parametrize(
    ("fixed", "verdict", "reason"),
    [
        (FIXED, Verdict.PASS, ""),
        ("", Verdict.NOT_APPLICABLE, "declare a fixed [keys] shopper too"),
        (to_identity_key("a key that nobody has"), Verdict.NOT_APPLICABLE, "does not open the gate: 401"),
    ],
)
def test_other_writings_are_tried_with_the_fixed_key_beside_fresh_ones(
    serve: Callable[[Any], str], tmp_path: Any, fixed: str, verdict: Verdict, reason: str
) -> None:
    mint = tmp_path / "mint"
    mint.write_text(f"#!/bin/sh\necho {FIXED}\n", "utf-8")
    mint.chmod(0o755)

    result = _judged(serve(SmallConnector()), KeysTable(shopper=fixed, command=f"{mint} {{type}}", minted=("shopper",)))

    assert (result.verdict, reason in result.reason) == (verdict, True), result.reason


def _judged(url: str, keys: KeysTable) -> CaseResult:
    profile = profile_of(url).model_copy(update={"keys": keys})
    return run(RunConfiguration(profile, Selection(only=("VIK-X.69",)))).results["VIK-X.69"]
