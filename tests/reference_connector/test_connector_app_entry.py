"""What the phone learns of an entry, and the sample accounts of a demonstration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jwo_contract.scan_key import to_identity_key


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
    assert (found["opened"], "was declined" in found["closed"]) == (False, True)


@pytest.mark.parametrize("body", [{}, {"codes": "x"}, {"codes": ["x"]}, {"codes": ["x"] * 5}])
def test_codes_that_are_not_valid_are_refused(direct: Any, body: dict[str, Any]) -> None:
    direct.sign_in()
    assert direct.http.post("/app/shoppers/ada/entry", json=body).status_code == 400


def test_sample_accounts_are_named_with_test_keys_only(direct: Any, start: Callable[..., Any]) -> None:
    about = {each["id"]: each["about"] for each in direct.http.get("/app/samples").json()["accounts"]}
    assert about["gus"] == "has a card that is declined: the gate stays closed"
    assert about["erin"] == "works in the store"
    assert start().http.get("/app/samples").status_code == 404
