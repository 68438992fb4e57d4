"""Sign-in to the app: each shopper sees their own codes and receipts, until the session ends."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from itsdangerous import URLSafeSerializer

from reference_connector.errors import NotSignedIn, TooManyTries
from reference_connector.mobile_app.sign_in import SignIn, _Tries
from reference_connector.retailer import CurrentRetailer
from reference_connector.retailer_files import load_retailer
from reference_connector.settings import SAMPLE_RETAILER, SignInRules
from tests.reference_connector.conftest import PINS

OWN = (("POST", "scan-key"), ("POST", "scan-key.png"), ("POST", "scan-key.svg"), ("GET", "receipts"))
ADA = {"shopper": "ada", "pin": PINS["ada"]}


def _ask(http: Any, shopper: str = "ada") -> set[int]:
    sent = {"POST": http.post, "GET": http.get}
    return {sent[method](f"/app/shoppers/{shopper}/{what}").status_code for method, what in OWN}


def _cookie(answer: httpx.Response) -> str:
    return answer.headers["set-cookie"].partition(";")[0]


@pytest.fixture
def storage(tmp_path: Path) -> dict[str, Any]:
    """Sessions are not stored, so one database is enough here."""
    return {"store": {"path": tmp_path / "connector.sqlite3"}}


def test_without_a_session_every_route_is_401(direct: Any, a_cart: Any) -> None:
    direct.purchase(a_cart())
    assert _ask(direct.http) == {401}
    assert direct.http.get("/app/session").status_code == 401
    assert direct.http.get("/app/receipts/trip-1").status_code == 404


def test_shopper_sees_only_own_codes_and_receipts(direct: Any, a_cart: Any) -> None:
    direct.purchase(a_cart())
    direct.sign_in("ada")
    assert direct.http.get("/app/session").json() == {"shopper": "ada"}
    assert len(direct.http.get("/app/shoppers/ada/receipts").json()["receipts"]) == 1
    assert _ask(direct.http, "ada") == {200, 201}
    assert _ask(direct.http, "ben") == {403}
    direct.sign_in("ben")
    assert _ask(direct.http, "ada") == {403}


@pytest.mark.parametrize("pin", ["", "0", PINS["ben"], PINS["ada"] + "0"])
def test_wrong_pin_and_unknown_account_get_the_same_answer(direct: Any, pin: str) -> None:
    wrong, unknown = (direct.http.post("/app/session", json={"shopper": who, "pin": pin}) for who in ("ada", "nobody"))
    assert (wrong.status_code, wrong.content) == (unknown.status_code, unknown.content)
    assert wrong.status_code == 401
    assert "set-cookie" not in wrong.headers
    assert _ask(direct.http) == {401}


def test_account_without_a_pin_allows_no_sign_in(start: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "more.toml").write_text('[[shopper]]\nid = "hal"\n', "utf-8")
    http = start(retailer_files=[SAMPLE_RETAILER, tmp_path / "more.toml"]).http
    assert http.post("/app/session", json={"shopper": "hal", "pin": ""}).status_code == 401


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"{}", b'{"shopper": "ada"}', b'{"shopper": 1, "pin": 2}'])
def test_a_broken_sign_in_is_400(direct: Any, body: bytes) -> None:
    assert direct.http.post("/app/session", content=body).status_code == 400


def test_too_large_body_of_the_app_is_400(direct: Any) -> None:
    padded = b'{"shopper": "ada", "pin": "%s"%%s}' % PINS["ada"].encode()
    answers = [direct.http.post("/app/session", content=padded % (b" " * size)) for size in (4000, 4096, 4_000_000)]
    assert [answer.status_code for answer in answers] == [204, 400, 400]
    assert answers[2].json() == {"errorMsg": "the body is larger than 4096 bytes"}
    for path in ("scan-key", "scan-key.png", "scan-key.svg"):
        given = b'{"issuedAt": "2026-02-09T12:00:00Z"%s}' % (b" " * 4096)
        assert direct.http.post(f"/app/shoppers/ada/{path}", content=given).status_code == 400


def test_wrong_pins_lock_that_account_only(start: Callable[..., Any]) -> None:
    connector = start(sign_in={"wrong_pins": 3, "pause_s": 60})
    tries = [connector.http.post("/app/session", json=ADA | {"pin": "0"}).status_code for _ in range(4)]
    assert tries == [401, 401, 401, 429]
    assert connector.http.post("/app/session", json=ADA).status_code == 429, "the right one too, or guessing goes on"
    connector.sign_in("ben")
    connector.clock.advance(seconds=60)
    connector.sign_in("ada")
    assert connector.http.post("/app/session", json=ADA | {"pin": "0"}).status_code == 401


def test_locked_sign_in_does_not_show_which_accounts_exist(start: Callable[..., Any]) -> None:
    connector = start(sign_in={"wrong_pins": 2, "pause_s": 60, "forget_h": 1})

    def tries(who: str) -> list[tuple[int, bytes]]:
        answers = [connector.http.post("/app/session", json={"shopper": who, "pin": "0"}) for _ in range(3)]
        return [(answer.status_code, answer.content) for answer in answers]

    def statuses(who: str) -> list[int]:
        return [status for status, _ in tries(who)]

    assert tries("ada") == tries("nobody") == tries("nobody-either")
    connector.clock.advance(seconds=60)
    assert statuses("ada") == statuses("nobody") == [401, 429, 429], "one more try after each pause"
    connector.clock.advance(hours=1)
    assert statuses("ada") == statuses("nobody") == [401, 401, 429]


def test_flood_of_unknown_ids_unlocks_no_id_and_needs_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reference_connector.mobile_app.sign_in._SLOTS", 1000)
    tries = _Tries(SignInRules(wrong_pins=2))
    now = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
    for who in ["ada", "ada", *(f"stranger-{number}" for number in range(20_000))]:
        tries.count(who, now)
    with pytest.raises(TooManyTries):
        tries.check("ada", now)
    assert len(tries._wrong) <= 1000  # noqa: SLF001 - memory has no other sign


@pytest.mark.parametrize("step", ["sign-in", "cookie"])
def test_account_and_unknown_id_cost_the_same_hashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    (tmp_path / "hal.toml").write_text('[[shopper]]\nid = "hal"\n', "utf-8")
    retailer = CurrentRetailer(load_retailer([SAMPLE_RETAILER, tmp_path / "hal.toml"], []))
    hashed: list[int] = []
    for module, name in ((hmac, "digest"), (hmac, "new"), (hashlib, "blake2b")):
        real = getattr(module, name)

        def counted(*given: Any, real: Any = real, **named: Any) -> Any:
            hashed.append(1)
            return real(*given, **named)

        monkeypatch.setattr(module, name, counted)

    def cost(who: str) -> tuple[int, str]:
        sign_in = SignIn(retailer, SignInRules(), b"key", lambda: datetime(2026, 2, 9, 12, 0, tzinfo=UTC))
        forged = URLSafeSerializer("another key").dumps([2**40, who])
        hashed.clear()
        ask = partial(sign_in.shopper_of, str(forged)) if step == "cookie" else partial(sign_in.open, who, "wrong")
        with pytest.raises(NotSignedIn) as refused:
            ask()
        return len(hashed), str(refused.value)

    of_account = cost("ada")
    assert of_account[0] > 0
    assert cost("hal") == cost("no-such-id") == of_account


def test_scripts_and_other_sites_cannot_use_the_cookie(start: Callable[..., Any]) -> None:
    http = start(sign_in={"session_h": 1}).http
    flags = set(http.post("/app/session", json=ADA).headers["set-cookie"].lower().split("; ")[1:])
    assert flags == {"httponly", "samesite=strict", "path=/app", "max-age=3600"}
    assert "secure" in http.post(
        "/app/session", json=ADA, headers={"X-Forwarded-Proto": "https"}
    ).headers["set-cookie"].lower().split("; ")  # fmt: skip


def test_session_ends_after_its_lifetime_and_at_sign_out(start: Callable[..., Any]) -> None:
    connector = start(sign_in={"session_h": 1})
    connector.sign_in()
    connector.clock.advance(minutes=59)
    assert _ask(connector.http) == {200, 201}
    connector.clock.advance(minutes=1)
    assert _ask(connector.http) == {401}
    connector.sign_in()
    assert connector.http.delete("/app/session").status_code == 204
    assert _ask(connector.http) == {401}


def test_changed_cookie_is_not_a_session(direct: Any) -> None:
    name, _, cookie = _cookie(direct.http.post("/app/session", json=ADA)).partition("=")
    direct.http.delete("/app/session")
    for forged in ("", "x", "..", cookie.replace(".", ""), cookie.partition(".")[0] + ".", "\u00ff.\u00ff"):
        answer = direct.http.get("/app/shoppers/ada/receipts", headers={"Cookie": f"{name}={forged}".encode()})
        assert answer.status_code == 401
    for at in range(0, len(cookie) - 1, 3):
        forged = cookie[:at] + ("A" if cookie[at] != "A" else "Q") + cookie[at + 1 :]
        answer = direct.http.get("/app/shoppers/ada/receipts", headers={"Cookie": f"{name}={forged}"})
        assert answer.status_code == 401, at
    assert direct.http.get("/app/shoppers/ada/receipts", headers={"Cookie": f"{name}={cookie}"}).status_code == 200


def test_workers_with_one_key_share_sessions_and_others_do_not(start: Callable[..., Any]) -> None:
    first, second, stranger = (start(sign_in={"key": key}) for key in ("k", "k", ""))
    cookie = {"Cookie": _cookie(first.http.post("/app/session", json=ADA))}
    answers = [each.http.get("/app/session", headers=cookie).status_code for each in (second, stranger)]
    assert answers == [200, 401]


def test_a_new_pin_ends_the_sessions_of_the_old_one(start: Callable[..., Any], tmp_path: Path) -> None:
    def with_pin(pin: str) -> Any:
        (tmp_path / "hal.toml").write_text(f'[[shopper]]\nid = "hal"\npin = "{pin}"\n', "utf-8")
        return start(retailer_files=[SAMPLE_RETAILER, tmp_path / "hal.toml"], sign_in={"key": "k"}).http

    cookie = {"Cookie": _cookie(with_pin("1").post("/app/session", json={"shopper": "hal", "pin": "1"}))}
    assert with_pin("1").get("/app/session", headers=cookie).status_code == 200
    assert with_pin("2").get("/app/session", headers=cookie).status_code == 401


def test_no_pin_is_in_the_log_or_in_a_repr(direct: Any) -> None:
    direct.sign_in()
    direct.http.post("/app/session", json=ADA | {"pin": "987654"})
    accounts = load_retailer([SAMPLE_RETAILER], []).accounts
    assert not any(pin in direct.log.getvalue() + repr(accounts) for pin in (PINS["ada"], "987654"))
