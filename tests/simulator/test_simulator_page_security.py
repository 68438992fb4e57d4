"""Foreign web pages, foreign host names and callers without the access token are refused; programs pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from simulator.app import create_app
from simulator.pages.security import CSP
from simulator.settings import PlatformSettings

TOKEN = "a-token-of-enough-length"
Start = Callable[..., httpx.Client]


@pytest.fixture
def start(serve: Callable[[Any], str]) -> Iterator[Start]:
    clients: list[httpx.Client] = []

    def make(**settings: Any) -> httpx.Client:
        given = {"base_url": "http://store.example:8443", "stores_alone": True, **settings}
        clients.append(httpx.Client(base_url=serve(create_app(PlatformSettings(**given))), timeout=10))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.mark.parametrize("host", ["attacker.example", "127.0.0.1.attacker.example", "localhost.attacker.example:80"])
def test_foreign_host_name_is_refused(start: Start, host: str) -> None:
    answer = start().get("/clock", headers={"Host": host})

    assert answer.status_code == 403
    assert "JWO_PLATFORM_ALLOWED_HOSTS" in answer.json()["errorMsg"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1:80", "localhost", "[::1]:8000", "192.0.2.7", "platform:8000", "store.example", "Proxy.Example."]
)
def test_own_host_name_is_accepted(start: Start, host: str) -> None:
    assert start(allowed_hosts=("proxy.example",)).get("/clock", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://attacker.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_change_by_a_foreign_page_is_refused(start: Start, headers: dict[str, str]) -> None:
    platform = start()

    assert platform.put("/clock", json={"speed": 0}, headers=headers).status_code == 403
    assert platform.get("/clock").json()["speed"] == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_change_by_a_page_of_another_port_is_refused(start: Start, host: str) -> None:
    platform = start(base_url=f"http://{host}:1")

    for foreign in ({"Origin": f"http://{host}:2"}, {"Origin": f"http://{host}:2", "Sec-Fetch-Site": "same-site"}):
        assert platform.put("/clock", json={"speed": 0}, headers=foreign).status_code == 403


def test_change_by_an_own_page_or_a_program_passes(start: Start) -> None:
    platform = start()
    own = f"http://{platform.base_url.netloc.decode()}"

    for headers in ({"Origin": own, "Sec-Fetch-Site": "same-origin"}, {"Origin": "https://store.example:8443"}, {}):
        assert platform.put("/clock", json={"speed": 1}, headers=headers).status_code == 200


def test_token_is_needed_for_everything_but_signed_calls(start: Start) -> None:
    platform = start(access_token=TOKEN)

    assert [platform.get(path).status_code for path in ("/clock", "/portal/stores", "/journal", "/events")] == [401] * 4
    assert platform.post("/gates/G/scans", json={"text": "x"}).status_code == 401
    assert platform.get("/ui/").headers["location"] == "/ui/sign-in"
    assert [platform.get(path).status_code for path in ("/healthz", "/ui/sign-in")] == [200, 200]
    assert platform.post("/portal/connectivity").status_code == 403  # for its signature
    for headers in ({"Authorization": f"Bearer {TOKEN}"}, {"X-Access-Token": TOKEN}):
        assert platform.get("/clock", headers=headers).status_code == 200


def test_browser_signs_in_with_a_cookie_that_scripts_cannot_read(start: Start) -> None:
    platform = start(access_token=TOKEN)

    assert platform.post("/ui/session", json={"token": "wrong"}).status_code == 403
    cookie = platform.post("/ui/session", json={"token": TOKEN}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert "Secure" not in cookie
    by_tls = {"Origin": "https://store.example:8443", "Sec-Fetch-Site": "same-origin"}
    assert "Secure" in platform.post("/ui/session", json={"token": TOKEN}, headers=by_tls).headers["set-cookie"]
    platform.post("/ui/session", json={"token": TOKEN})
    assert platform.get("/clock").status_code == 200
    platform.delete("/ui/session")
    assert platform.get("/clock").status_code == 401


def test_pages_have_a_strict_policy_and_the_api_stays_as_it_is(start: Start) -> None:
    platform = start()

    assert platform.get("/ui/").headers["content-security-policy"] == CSP
    assert "unsafe" not in CSP
    assert platform.get("/ui/static/js/dom.js").headers["content-security-policy"] == CSP
    assert "content-security-policy" not in platform.get("/clock").headers


def test_pages_have_no_inline_script_or_style(start: Start) -> None:
    for path in ("/ui/", "/ui/sign-in", "/docs"):
        page = start().get(path).text
        assert "<style" not in page
        assert " style=" not in page
        assert page.count("<script") == page.count("<script src=") + page.count('<script type="module" src=')


@pytest.mark.parametrize("token", ["short", "with spaces in the token", "naïve-token-of-length"])
def test_weak_token_stops_the_start(token: str) -> None:
    with pytest.raises(ValueError, match="16 or more visible ASCII"):
        PlatformSettings(base_url="http://store.example", stores_alone=True, access_token=token)
