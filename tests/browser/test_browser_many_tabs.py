"""Many tabs of one browser: they share one event stream, and another tab opens it when the first one closes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.conftest import GATE, Place

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]
_TABS = 8
_LIVE = "#link-state[data-state=live]"
_QUICK_BEATS = "const real = window.setInterval; window.setInterval = (work, ms) => real(work, ms / 20)"


@pytest.fixture(scope="module")
def tabs(browser: Browser, place: Place) -> Iterator[tuple[list[Page], list[str]]]:
    """Open tabs of one profile of the browser, all visible, and the addresses of their event streams."""
    context = browser.new_context()
    streams: list[str] = []

    def note(request: Request) -> None:
        if "/events?" in request.url:
            streams.append(request.url)

    context.on("request", note)
    pages = [context.new_page() for _ in range(_TABS)]
    for page in pages:
        page.goto(f"{place.platform}/ui/wire")
        page.locator(_LIVE).wait_for()
    yield pages, streams
    context.close()


def scan(place: Place) -> str:
    decision = place.api.post(f"/gates/{GATE}/scans", json={"text": "valid_shopper_key"}).raise_for_status().json()
    return str(decision["shoppingTripId"])


def test_each_of_eight_tabs_sees_an_event(tabs: tuple[list[Page], list[str]], place: Place) -> None:
    pages, _ = tabs
    trip = scan(place)
    for page in pages:
        expect(page.locator(".wire-row").first).to_contain_text(f"trip {trip[:8]}")


def test_another_tab_opens_the_stream_when_the_first_one_closes(
    tabs: tuple[list[Page], list[str]], place: Place
) -> None:
    pages, streams = tabs
    pages.pop(0).close()
    streams.clear()
    trip = scan(place)
    for page in pages:
        expect(page.locator(".wire-row").first).to_contain_text(f"trip {trip[:8]}")
    assert len(streams) == 1
    pages[0].goto(f"{place.platform}/ui/faults")
    place.api.post("/faults", json={"name": "cut", "where": {"store": "no such store"}}).raise_for_status()
    expect(pages[0].locator("#armed-count")).to_have_text("1")
    place.api.delete("/faults")
    expect(pages[0].locator("#armed-count")).to_have_text("0")


def test_another_tab_takes_the_stream_from_a_tab_that_hangs(browser: Browser, place: Place) -> None:
    context = browser.new_context()
    context.set_default_timeout(10_000)
    leader, follower, late = (context.new_page() for _ in range(3))
    late.add_init_script(_QUICK_BEATS)
    for page in (leader, follower):
        page.goto(f"{place.platform}/ui/wire")
        page.locator(_LIVE).wait_for()
    session = context.new_cdp_session(leader)
    session.send("Debugger.enable")
    session.send("Debugger.pause")  # it stops all scripts of this tab

    late.goto(f"{place.platform}/ui/wire")

    late.locator(_LIVE).wait_for()
    trip = scan(place)
    for page in (late, follower):
        expect(page.locator(".wire-row").first).to_contain_text(f"trip {trip[:8]}")
    session.send("Debugger.disable")
    trip = scan(place)
    for page in (late, follower, leader):
        expect(page.locator(".wire-row").first).to_contain_text(f"trip {trip[:8]}")
        expect(page.locator(".wire-row", has_text=f"trip {trip[:8]}")).to_have_count(1)
    context.close()


@pytest.mark.parametrize(
    ("change", "has_locks"),
    [
        ("delete Navigator.prototype.locks", False),
        ("LockManager.prototype.request = () => Promise.reject(new DOMException('', 'SecurityError'))", True),
    ],
    ids=["no locks", "denied locks"],
)
def test_tab_without_locks_has_its_own_stream(browser: Browser, place: Place, change: str, *, has_locks: bool) -> None:
    context = browser.new_context()
    context.set_default_timeout(10_000)
    context.add_init_script(change)
    page = context.new_page()
    page.goto(f"{place.platform}/ui/wire")
    page.locator(_LIVE).wait_for()
    assert page.evaluate("'locks' in navigator") is has_locks
    trip = scan(place)
    expect(page.locator(".wire-row").first).to_contain_text(f"trip {trip[:8]}")
    context.close()
