"""What the phone learns of an entry, and the sample accounts of a demonstration."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from jwo_contract.scan_key import to_identity_key
from reference_connector.mobile_app import closed_gate
from reference_connector.scan_keys import Refusal

_NOW = "2026-02-09T12:00:00Z"


def _code(direct: Any, who: str) -> str:
    return str(direct.http.post(f"/app/shoppers/{who}/scan-key").json()["code"])


def _entry(direct: Any, who: str, codes: list[str]) -> dict[str, Any]:
    return dict(direct.http.post(f"/app/shoppers/{who}/entry", json={"codes": codes}).json())


def test_phone_learns_that_its_code_opened_the_gate(direct: Any, a_scan: Any) -> None:
    direct.sign_in()
    code = _code(direct, "ada")
    assert _entry(direct, "ada", [code]) == {"opened": False, "closed": ""}
    assert direct.identify(a_scan(identityKey=to_identity_key(code))).status_code == 200
    assert _entry(direct, "ada", [code]) == {"opened": True, "closed": ""}
    assert direct.http.post("/app/shoppers/ben/entry", json={"codes": [code]}).status_code in {401, 403}


def test_phone_learns_that_the_means_of_payment_was_declined(direct: Any, a_scan: Any) -> None:
    direct.sign_in("gus")
    code = _code(direct, "gus")
    assert direct.identify(a_scan(identityKey=to_identity_key(code))).status_code == 401
    found = _entry(direct, "gus", [code])
    assert (found["opened"], "was declined" in found["closed"], found["closedAt"]) == (False, True, _NOW)


_STORE = {"storeId": "another-retailers-store"}
_PHONE_SHOWS: list[tuple[str, str, dict[str, Any], str]] = [
    ("ada", "expired", {}, "too old"),
    ("ada", "used", {}, "used before"),
    ("ada", "shopper", _STORE, "does not belong to this app"),
    ("ada", "revoked_badge", {}, "not valid any more"),
    ("ada", "lost_badge", {}, "reported lost"),
    ("ada", "expired_badge", {}, "is expired"),
    ("ben", "refused", {}, "Ask the store"),
    ("gus", "declined_payment", {}, "was declined"),
]


@pytest.mark.parametrize(("who", "kind", "members", "words"), _PHONE_SHOWS)
def test_phone_shows_why_the_gate_refused_a_scan(
    direct: Any, a_scan: Any, who: str, kind: str, members: dict[str, Any], words: str
) -> None:
    key = direct.http.get(f"/app/mint/{kind}").json()["identityKey"]
    assert direct.identify(a_scan(identityKey=key, **members)).status_code in {400, 401}
    direct.sign_in(who)
    assert words in _entry(direct, who, [])["closed"]


def test_reason_is_the_same_on_each_node_and_after_a_restart(start: Callable[..., Any], a_scan: Any) -> None:
    first, other = start(app_test_keys=True), start()
    key = first.http.get("/app/mint/expired").json()["identityKey"]
    assert first.identify(a_scan(identityKey=key)).status_code == 401
    other.sign_in()
    assert "too old" in _entry(other, "ada", [])["closed"]
    other.clock.advance(hours=1, seconds=1)
    assert _entry(other, "ada", []) == {"opened": False, "closed": ""}


def test_reason_disappears_when_the_gate_opens(direct: Any, a_scan: Any) -> None:
    direct.sign_in()
    expired = direct.http.get("/app/mint/expired").json()["identityKey"]
    assert direct.identify(a_scan(identityKey=expired)).status_code == 401
    code = _code(direct, "ada")
    scan = a_scan(identityKey=to_identity_key(code), event_id="22222222-2222-3333-4444-555555555555")
    assert direct.identify(scan).status_code == 200
    assert _entry(direct, "ada", [code]) == {"opened": True, "closed": ""}


def test_phone_says_that_the_gate_is_busy(start: Callable[..., Any], a_scan: Any) -> None:
    connector = start(limits={"calls_per_second": 1})
    connector.sign_in()
    statuses = [connector.identify(a_scan(event_id=str(uuid4()))).status_code for _ in range(4)]
    assert 429 in statuses
    end = time.monotonic() + 5
    while "very busy" not in _entry(connector, "ada", [])["closed"]:
        assert time.monotonic() < end, "the phone does not learn of the rate limit"
    connector.clock.advance(seconds=16)
    assert _entry(connector, "ada", [])["closed"] == ""


def test_each_reason_of_a_key_with_an_owner_has_words() -> None:
    assert set(Refusal) - set(closed_gate.WORDS) == {Refusal.UNKNOWN_KEY}


@pytest.mark.parametrize("body", [{}, {"codes": "x"}, {"codes": ["x"]}, {"codes": ["x"] * 5}])
def test_codes_that_are_not_valid_are_refused(direct: Any, body: dict[str, Any]) -> None:
    direct.sign_in()
    assert direct.http.post("/app/shoppers/ada/entry", json=body).status_code == 400


def test_sample_accounts_are_named_with_test_keys_only(direct: Any, start: Callable[..., Any]) -> None:
    about = {each["id"]: each["about"] for each in direct.http.get("/app/samples").json()["accounts"]}
    assert about["gus"] == "has a card that is declined: the gate stays closed"
    assert about["erin"] == "works in the store"
    assert start().http.get("/app/samples").status_code == 404
