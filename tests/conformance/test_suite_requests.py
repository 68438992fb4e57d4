"""The registry of valid requests: complete, valid by the schemas, and in step with the contract's operations."""

from __future__ import annotations

import math

import pytest

from conformance.errors import NotDeclared
from conformance.mutants.gate import profile_of
from conformance.requests import REGISTRY, Requests, is_answered, needs_answering
from conformance.run.configuration import utc_now
from jwo_contract.house import House
from jwo_contract.messages import message
from jwo_contract.operations import (
    CREATE_PURCHASES,
    GET_SCAN_DETAILS,
    OPERATIONS,
    RESOLVE_SCAN,
    VERIFY_IDENTITY_KEYS,
    Operation,
    operation_named,
)
from jwo_contract.profile import Profile, for_url

DECLARED, BARE = profile_of("http://127.0.0.1:9"), for_url("http://127.0.0.1:9")


def test_the_registry_holds_every_call_of_the_platform() -> None:
    assert set(REGISTRY) == {operation for operation in OPERATIONS if operation.called_by == "platform"}


@pytest.mark.parametrize("operation", REGISTRY, ids=lambda operation: operation.name)
@pytest.mark.parametrize("profile", [DECLARED, BARE], ids=["declared", "bare"])
def test_a_valid_request_keeps_its_schema_and_is_new_each_time(operation: Operation, profile: Profile) -> None:
    requests = Requests(profile, utc_now)
    first, second = requests.valid_request(operation), requests.valid_request(operation)

    assert first.operation is operation
    assert message(operation.request).is_valid(first.body)
    if operation.tier == "core":
        assert first.body != second.body


@pytest.mark.parametrize("operation", REGISTRY, ids=lambda operation: operation.name)
def test_the_needs_of_a_request_are_read_from_the_profile(operation: Operation) -> None:
    needs = REGISTRY[operation].needs.values()

    assert all(declared(DECLARED) for declared in needs)
    assert not any(declared(BARE) for declared in needs)


def test_only_declared_calls_beyond_the_core_are_answered() -> None:
    assert {operation for operation in REGISTRY if is_answered(operation, BARE)} == {
        VERIFY_IDENTITY_KEYS,
        CREATE_PURCHASES,
    }
    assert all(is_answered(operation, DECLARED) for operation in REGISTRY)
    with pytest.raises(NotDeclared, match=r"\[tiers\] resolve_scan"):
        needs_answering(RESOLVE_SCAN, BARE)


def test_a_published_budget_can_only_become_stricter() -> None:
    strict = House().model_copy(update={"gate": House().gate.model_copy(update={"timeout_s": 1.0})})

    assert VERIFY_IDENTITY_KEYS.answer_budget_s(House()) == 2.0
    assert VERIFY_IDENTITY_KEYS.answer_budget_s(strict) == 1.0
    assert RESOLVE_SCAN.answer_budget_s(House()) == 2.0
    assert GET_SCAN_DETAILS.answer_budget_s(House()) == math.inf


def test_an_operation_is_found_by_its_name() -> None:
    assert operation_named("Create Purchases") is CREATE_PURCHASES
    assert operation_named("End to end") is None
