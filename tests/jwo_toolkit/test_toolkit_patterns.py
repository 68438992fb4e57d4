"""Patterns that users set: any text is matched in a bounded number of steps, and an unusable pattern is refused."""

from __future__ import annotations

import logging

import pytest

from jwo_contract.errors import BadSettings
from jwo_contract.house import DEFAULT, House, Ordering
from jwo_contract.messages import MessageSchema
from jwo_contract.settings import read
from jwo_toolkit.patterns import BadPattern, checked_pattern, matches
from simulator.settings import PlatformSettings

PATIENT = "^(?:(?!z)(?:ab)+)+$"
"""A pattern that takes too many steps on a text that no probe resembles."""


@pytest.mark.parametrize("pattern", ["(a+)+", "(a|a)*", "(a|aa)+", "(.*a){12}", "([a-zA-Z]+)*", r"(\w+\s?)*"])
def test_nested_repetition_takes_linear_time(pattern: str) -> None:
    assert checked_pattern(pattern) == pattern
    assert not matches(pattern, "a" * 30_000 + "!", whole=True)


@pytest.mark.parametrize(
    "pattern", ["^(?:(?=a)a+)+$", "JWO(?:(?=a)a+)+", r"(?:(a+)\1*)+", r"^((?!x)(\d+))+$", r"(?:(?<!A)[a-z]+)+!"]
)
def test_pattern_that_takes_too_many_steps_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern, match="takes more than 100,000 steps on a text of 250 characters; do not repeat"):
        checked_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "missing \\), unterminated subpattern at position 0"),
        ("a)|(b", "unbalanced parenthesis at position 1"),
        ("a{99999999999}", "the repetition number is too large"),
        ("(((a{900}){900}){900})", "is too large"),
        ("(" * 5_000 + ")" * 5_000, "recursion"),
        ("(?P<n>a)(?P=n)", r"write it for ECMA-262 \(JavaScript\)"),
        (r"JWO\Z", r"\$ instead of"),
        ("(?x)a # all", "write it for ECMA-262"),
        ("(?<n>a)", "unknown extension"),
        (r"\<JWO\>", "write < or > without a backslash"),
        ("\ud800", "ECMA-262"),
    ],
    ids=lambda value: value[:20].encode("ascii", "replace").decode(),
)
def test_unusable_pattern_is_refused_with_its_reason(pattern: str, why: str) -> None:
    with pytest.raises(BadPattern, match=why):
        checked_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("(?!TEST).*", "JWO1", True),
        ("(?!TEST).*", "TEST1", False),
        (r"(?=.*\d)[A-Z]{3}.{3,}", "JWO-12", True),
        (r"(\w)\1+", "aaa", True),
        (r".+(?<!-test)", "key-test", False),
        ("a|b", "ab", False),
        ("(?i)jwo.*", "JWOx", True),
        ("^JWO$", "JWO\n", False),
        (r"\d+", "\u0661", False),
        (r"\\<JWO>", r"\<JWO>", True),
        ("[[:alpha:]]", "a]", True),
        ("[a&&b]+", "&a&", True),
        (".*", "half \ud800", False),
    ],
)
def test_whole_text_is_matched(pattern: str, text: str, expected: bool) -> None:  # noqa: FBT001 - an example
    assert matches(checked_pattern(pattern), text, whole=True) is expected


def test_text_that_takes_too_many_steps_does_not_match_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not matches(PATIENT, "ab" * 2_000 + "!")
    assert "takes more than 100000 steps" in caplog.text
    assert matches(PATIENT, "ababab")


def test_both_engines_refuse_an_event_id_that_takes_too_many_steps() -> None:
    house = House(ordering=Ordering(auth_event_id_pattern=PATIENT))
    schema = MessageSchema("create_purchases.request", house)
    event = {"id": "ab" * 120 + "!", "timestamp": "2026-01-01T00:00:00Z", "location": "ENTRY"}
    cart = {"shoppingTrip": {"authEvents": [event]}}
    assert "pattern" in {one.keyword for one in schema.violations(cart)}
    assert not schema.is_valid(cart)


@pytest.mark.parametrize("name", ["GATE__QR_PATTERN", "ORDERING__AUTH_EVENT_ID_PATTERN", "RESOLVE_SCAN__VALUE_PATTERN"])
def test_setting_with_an_unusable_pattern_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"JWO_PLATFORM_{name}", "^(?:(?=a)a+)+$")
    with pytest.raises(BadSettings, match=f"JWO_PLATFORM_{name}: takes more than 100,000 steps"):
        read(PlatformSettings, base_url="http://h", aws_endpoint_url="http://h")


def test_shipped_patterns_are_usable() -> None:
    for pattern in (DEFAULT.ordering.auth_event_id_pattern, DEFAULT.resolve_scan.value_pattern):
        assert checked_pattern(pattern) == pattern
