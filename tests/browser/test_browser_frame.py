"""The frame that all pages share: navigation, clock, theme, documentation without a network, a blocked foreign page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from simulator.app import create_app
from simulator.pages.menu import PAGES, PREFIX
from simulator.settings import PlatformSettings
from tests.browser.conftest import Place, Tab
from tests.conftest import served

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]


@pytest.mark.parametrize("path", [page.path for page in PAGES])
def test_page_has_no_serious_accessibility_fault(tab: Tab, path: str) -> None:
    tab.open(f"{PREFIX}{path}")
    tab.check_accessibility()


def test_entrance_leads_to_the_floor(tab: Tab) -> None:
    page = tab.open("/")

    assert page.url.endswith(f"{PREFIX}/")
    assert page.locator(".menu [aria-current=page]").inner_text() == "Floor"


def test_header_follows_the_platforms_clock(tab: Tab, place: Place) -> None:
    page = tab.open(f"{PREFIX}/")
    place.api.put("/clock", json={"speed": 60}).raise_for_status()

    page.locator("#platform-speed", has_text="60").wait_for()
    place.api.put("/clock", json={"speed": 1}).raise_for_status()
    page.locator("#platform-speed").wait_for(state="hidden")


def test_chosen_theme_stays_after_a_reload(tab: Tab) -> None:
    page = tab.open(f"{PREFIX}/")
    page.get_by_role("button", name="Switch between light and dark").click()
    chosen = page.locator("html").get_attribute("data-theme")
    page.reload()

    assert chosen in {"light", "dark"}
    assert page.locator("html").get_attribute("data-theme") == chosen


def test_documentation_of_the_api_needs_no_network(tab: Tab) -> None:
    page = tab.page
    page.goto(f"{tab.platform}/docs")

    page.get_by_text("Show the platform's time, speed and seed").wait_for()


def test_portal_with_users_asks_for_a_token_once(tab: Tab, place: Place) -> None:
    token = "a-token-of-a-portal-user"
    everything = {"permissions": ["view", "stores", "accounts", "tests", "users"], "token": token}
    place.api.put("/portal/users/admin", json=everything).raise_for_status()
    try:
        page = tab.open(f"{PREFIX}/")
        page.evaluate(
            "() => { window.asked = import('/ui/static/js/api.js').then(({ get }) => get('/portal/stores')); }"
        )
        page.get_by_label("Token of a user").fill(token)
        page.get_by_role("button", name="Sign in").click()
        shown = page.evaluate("window.asked")
        again = page.evaluate("import('/ui/static/js/api.js').then(({ get }) => get('/portal/stores'))")
    finally:
        place.api.delete("/portal/users/admin", headers={"Authorization": f"Bearer {token}"}).raise_for_status()

    assert [store["storeId"] for store in shown] == ["STORE-001"]
    assert again == shown
    tab.faults = [fault for fault in tab.faults if "401" not in fault]  # the console names the first, refused call


def test_platform_with_an_access_token_asks_for_it(open_tab: Callable[..., Tab]) -> None:
    settings = PlatformSettings(
        base_url="http://127.0.0.1:1", stores_alone=True, access_token="a-token-of-enough-length"
    )
    with served(create_app(settings)) as platform:
        tab = open_tab()
        page = tab.page
        page.goto(f"{platform}{PREFIX}/")
        tab.check_accessibility()
        page.get_by_label("Access token").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("alert").get_by_text("the access token is wrong").wait_for()
        tab.faults.clear()  # the console names the refused call
        page.get_by_label("Access token").fill("a-token-of-enough-length")
        page.get_by_role("button", name="Sign in").click()

        page.locator("#link-state[data-state=live]").wait_for()
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        page.get_by_role("button", name="Sign out of the platform").click()
        page.wait_for_url("**/ui/sign-in")
        page.goto(f"{platform}{PREFIX}/wire")
        assert page.url.endswith("/ui/sign-in")
        assert page.context.cookies() == []
        page.context.close()


def test_page_is_live_again_after_a_lost_connection(tab: Tab) -> None:
    page = tab.open(f"{PREFIX}/")
    _cut_connection(tab)
    page.context.set_offline(False)

    page.locator("#link-state[data-state=live]").wait_for()


@pytest.mark.parametrize(
    ("path", "shown"), [("wire", "#list"), ("", ".log"), ("faults", "#armed"), ("connectors", "#store-facts")]
)
def test_page_shows_the_new_state_after_a_restart_of_the_platform(
    open_tab: Callable[..., Tab], path: str, shown: str
) -> None:
    start = datetime(
        2026, 2, 5, tzinfo=UTC
    )  # with a stopped clock the new entries have the numbers and times of the old
    settings = PlatformSettings(base_url="http://127.0.0.1:1", stores_alone=True, clock_start=start, clock_speed=0)
    tab = open_tab()
    page = tab.page
    with served(create_app(settings)) as platform:
        _use_gate("G-OLD", platform)
        page.goto(f"{platform}{PREFIX}/{path}")
        expect(page.locator(shown)).to_contain_text("G-OLD")
        _cut_connection(tab)
    with served(create_app(settings), port=urlsplit(platform).port or 0):
        _use_gate("G-NEW", platform)
        page.context.set_offline(False)

        expect(page.locator(shown)).to_contain_text("G-NEW")
        expect(page.locator(shown)).not_to_contain_text("G-OLD")
        page.context.close()


def _cut_connection(tab: Tab) -> None:
    tab.loses_connection = True
    page = tab.page
    page.context.set_offline(True)
    page.evaluate("() => window.dispatchEvent(new Event('pagehide'))")
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    page.locator("#link-state[data-state=lost]").wait_for()


def _use_gate(gate: str, platform: str) -> None:
    """Scan a code at a gate of a new store, and arm a fault there."""
    store = {"retailer": "r", "connector": {"url": "http://127.0.0.1:9", "auth": "none"}, "gates": [gate]}
    httpx.put(f"{platform}/portal/stores/S", json=store).raise_for_status()
    httpx.post(f"{platform}/gates/{gate}/scans", json={"text": "a-code"}).raise_for_status()
    httpx.post(f"{platform}/faults", json={"name": "delay", "where": {"gate": gate}}).raise_for_status()
