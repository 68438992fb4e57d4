"""A floor of 200 gates with 100 events a second: the page stays quick, and its memory stays flat."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import Page

from tests.browser import long_tasks
from tests.browser.conftest import STORE, Place, Tab, set_up_store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]
GATES = [f"{STORE}-GATE-{number}" for number in range(1, 201)]
EVENTS_A_SECOND, AT_ONCE = 100, 10
PLATFORM_S, SPEED = 600, 120
"""Ten minutes of platform time in five real seconds."""
MOST_GROWTH = 1.3


@contextmanager
def events(place: Place) -> Iterator[list[int]]:
    """Let 100 shoppers and strangers a second scan at all gates in turn; yields the number of decisions so far."""
    stop, done = threading.Event(), [0]

    def send() -> None:
        with httpx.Client(base_url=place.platform, timeout=10) as api:
            number, started = 0, time.monotonic()
            while not stop.is_set():
                codes = [{"gate": GATES[(number + n) % 200], "text": _text(number + n)} for n in range(AT_ONCE)]
                decisions = api.post("/scans", json={"scans": codes}).json()
                for trip in (one["shoppingTripId"] for one in decisions if one["opens"]):
                    api.post(f"/trips/{trip}/leave")
                number += AT_ONCE
                done[0] = number
                stop.wait(max(0.0, started + number / EVENTS_A_SECOND - time.monotonic()))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join(10)


def _text(number: int) -> str:
    return "valid_shopper_key" if number % 10 == 0 else f"stranger {number}"


def heap_bytes(page: Page) -> float:
    """Return the size of the page's objects after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return float(used)


def test_busy_floor_has_no_long_task_and_keeps_no_memory(tab: Tab, place: Place) -> None:
    set_up_store(place.api, place.connector, GATES)
    page = tab.open("/ui/")
    page.locator(".tile").nth(199).wait_for()
    long_tasks.watch(page)
    place.api.put("/clock", json={"speed": SPEED}).raise_for_status()
    with events(place) as done:
        page.wait_for_timeout(2000)
        before, counted = heap_bytes(page), done[0]
        longest = long_tasks.longest_tasks_ms(page, lambda: page.wait_for_timeout(PLATFORM_S / SPEED * 1000))
        sent = done[0] - counted
        after = heap_bytes(page)
    place.api.put("/clock", json={"speed": 1}).raise_for_status()

    assert sent >= 0.8 * EVENTS_A_SECOND * PLATFORM_S / SPEED * len(longest)
    assert longest[-1] < long_tasks.MOST_MS, longest
    assert after < MOST_GROWTH * before, f"{before / 1e6:.1f} MB grew to {after / 1e6:.1f} MB"
    page.locator(".log .log-row").nth(11).wait_for()
