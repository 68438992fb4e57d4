from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwo_contract.errors import BadValue
from jwo_contract.gate import GateAction, NoAnswer, StoreDefault, action_for, decide
from jwo_contract.house import DEFAULT
from jwo_contract.values import format_instant, parse_instant


@pytest.mark.parametrize(
    ("outcome", "in_closed_store", "in_open_store"),
    [
        (200, True, True),
        (400, False, False),
        (401, False, False),
        (429, False, False),
        (500, False, True),
        (201, False, True),
        (302, False, True),
        (403, False, True),
        (404, False, True),
        (503, False, True),
        (NoAnswer.TIMED_OUT, False, True),
        (NoAnswer.NO_CONNECTION, False, True),
        (NoAnswer.MALFORMED_ANSWER, False, True),
    ],
)
def test_a_row_of_the_gate_table(outcome: int | NoAnswer, *, in_closed_store: bool, in_open_store: bool) -> None:
    expected: dict[StoreDefault, bool] = {"closed": in_closed_store, "open": in_open_store}
    assert {default: decide(outcome, default).opens for default in expected} == expected
    assert decide(outcome).opens is in_closed_store


def test_a_decision_names_its_row_and_its_cause() -> None:
    assert decide(401, "open") == (False, GateAction.STAY_CLOSED, "401")
    assert decide(NoAnswer.TIMED_OUT, "open") == (True, GateAction.STORE_DEFAULT, "timed_out")


@given(st.integers(100, 599))
def test_only_a_200_opens_a_store_that_is_closed_by_default(status: int) -> None:
    assert decide(status, "closed").opens is (status == 200)
    assert (action_for(status) is GateAction.STAY_CLOSED) is (status in (400, 401, 429))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-02-09T17:53:57Z", datetime(2024, 2, 9, 17, 53, 57, tzinfo=UTC)),
        ("2024-02-09t17:53:57z", datetime(2024, 2, 9, 17, 53, 57, tzinfo=UTC)),
        ("2024-02-09T17:53:57.25Z", datetime(2024, 2, 9, 17, 53, 57, 250000, tzinfo=UTC)),
        ("2024-02-09T17:53:57.123456789Z", datetime(2024, 2, 9, 17, 53, 57, 123456, tzinfo=UTC)),
        ("2024-02-09T23:53:57+06:00", datetime(2024, 2, 9, 17, 53, 57, tzinfo=UTC)),
        ("2024-02-29T00:00:00-00:30", datetime(2024, 2, 29, 0, 30, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_in_utc(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2024-02-09",
        "2024-02-09T17:53:57",
        "2024-02-09T17:53Z",
        "2024-02-09 17:53:57Z",
        "20240209T175357Z",
        "2024-02-09T17:53:57Z\n",
        "2024-02-09T17:53:57+0100",
        "2024-02-09T17:53:57+24:00",
        "2024-02-09T17:53:57+01:60",
        "2024-02-09T17:53:57-00:75",
        "2024-02-09T17:53:57+01:99",
        "2024-02-30T17:53:57Z",
        "2024-02-09T24:00:00Z",
        "2016-12-31T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
        "\u0662024-02-09T17:53:57Z",
        "1707501237",
    ],
)
def test_an_invalid_instant_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        parse_instant(text)


@given(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(timezone(timedelta(hours=-8)))))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_a_written_instant_is_read_back_to_the_second(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant.replace(microsecond=0)


def test_an_unknown_house_setting_is_an_error() -> None:
    assert DEFAULT.value("ordering.answer_budget_s") == 2.0
    for name in ("ordering.nothing", "nothing.at_all", "ordering", "value", "model_fields.x", ""):
        with pytest.raises(KeyError):
            DEFAULT.value(name)
