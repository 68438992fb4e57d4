"""Properties: drawn requests keep their schema, and a failing case is shrunk to the smallest one."""

from __future__ import annotations

import time

import pytest
from hypothesis import strategies as st

from conformance.errors import Finding, HarnessBroke
from conformance.mutants.gate import profile_of
from conformance.properties.messages import Change, broken_steps, valid_members
from conformance.properties.search import Effort, search
from conformance.requests import Requests
from conformance.run.configuration import utc_now
from jwo_contract.messages import message
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS, Operation

QUICK = Effort(60, 20.0)
REQUESTS = Requests(profile_of("http://127.0.0.1:1"), utc_now)


@pytest.mark.parametrize("operation", [VERIFY_IDENTITY_KEYS, CREATE_PURCHASES])
def test_drawn_members_keep_the_schema(operation: Operation) -> None:
    schema = message(operation.request)
    are_valid = []

    def attempt(changes: list[Change], _until: float) -> bool:
        draft = REQUESTS.valid_request(operation)
        for change in changes:
            draft = change.apply_to(draft)
        are_valid.append(schema.is_valid(draft.body))
        return True

    search(valid_members(REQUESTS.valid_request(operation), REQUESTS.profile.house), attempt, QUICK)

    assert len(are_valid) > 10
    assert sum(are_valid) > len(are_valid) * 0.9


@pytest.mark.parametrize("operation", [VERIFY_IDENTITY_KEYS, CREATE_PURCHASES])
def test_a_drawn_change_breaks_the_schema(operation: Operation) -> None:
    draft, schema = REQUESTS.valid_request(operation), message(operation.request)
    broken = []

    def attempt(change: Change, _until: float) -> bool:
        broken.append(not schema.is_valid(change.apply_to(draft).body))
        return True

    search(broken_steps(draft, REQUESTS.profile.house), attempt, QUICK)

    assert len(broken) > 10
    assert all(broken)


def test_a_finding_is_shrunk_to_the_smallest_case() -> None:
    def attempt(numbers: list[int], _until: float) -> bool:
        if sum(numbers) >= 10:
            raise Finding("a sum below 10", str(numbers))
        return True

    with pytest.raises(Finding) as found:
        search(st.lists(st.integers(0, 9)), attempt, Effort(500, 20.0))

    assert len(eval(found.value.got)) == 2  # noqa: S307 - a list that this test wrote


def test_a_search_without_time_finds_nothing() -> None:
    assert search(st.integers(), lambda _number, _until: True, Effort(100, 0.0)) == 0


def test_the_first_story_with_a_restart_has_no_time_limit() -> None:
    def attempt(_number: int, until: float) -> bool:
        while time.monotonic() < min(until, start + 0.3):
            time.sleep(0.01)
        return time.monotonic() < until

    start = time.monotonic()

    assert search(st.integers(), attempt, Effort(100, 0.1, ends_one=True)) == 1


def test_an_error_ends_the_search() -> None:
    tried: list[int] = []

    def attempt(number: int, _until: float) -> bool:
        tried.append(number)
        if len(tried) == 2:
            raise HarnessBroke("nothing answered after the restart")
        return True

    with pytest.raises(HarnessBroke, match="nothing answered"):
        search(st.integers(), attempt, Effort(100, 20.0))

    assert len(tried) == 2


def test_an_unfinished_attempt_does_not_count() -> None:
    assert search(st.integers(0, 9), lambda number, _until: number < 5, Effort(100, 20.0)) == 5
