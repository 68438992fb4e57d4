"""A key is found in an answer, and masked in a report, in every form of JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from conformance.drivers.exchange import Answer, Exchange
from conformance.drivers.masks import mask, masked_text
from conformance.errors import Finding
from conformance.mutants.gate import profile_of
from conformance.steps.privacy import no_key
from jwo_contract.operations import VERIFY_IDENTITY_KEYS

KEY = "c2hvcHBlcg+/7=="
WRITTEN = (KEY, KEY.replace("/", r"\/"), KEY.replace("+", r"\u002B").replace("=", r"\u003d"), rf"\u0063{KEY[1:]}")
PROFILE = profile_of("http://127.0.0.1:1")


def scan(text: str) -> Exchange:
    body = json.dumps({"identityKey": KEY}).encode()
    answer = Answer(200, {}, f'{{"text": "{text}"}}'.encode())
    at = datetime(2026, 2, 5, tzinfo=UTC)
    return Exchange(VERIFY_IDENTITY_KEYS, "POST", "http://127.0.0.1:1", {}, body, at, 0.1, answer)


@pytest.mark.parametrize("written", WRITTEN)
def test_a_key_is_found_in_every_form(written: str) -> None:
    with pytest.raises(Finding, match="identityKey"):
        no_key([scan(written)], PROFILE)


@pytest.mark.parametrize("written", WRITTEN)
def test_a_key_is_masked_in_every_form(written: str) -> None:
    assert scan(written).in_short() == f'200 {{"text": "{mask(KEY)}"}}'


@pytest.mark.parametrize("text", ["nothing", r"\\u", r"\u12", r"a\\/b", "c2hvcHBlcg-_7=="])
def test_other_text_stays_unchanged(text: str) -> None:
    no_key([scan(text)], PROFILE)

    assert masked_text(text.encode(), [KEY]) == text
