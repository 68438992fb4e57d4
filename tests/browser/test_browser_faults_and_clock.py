"""The pages of the faults and of the clock: a switch arms a fault, the form limits it, and the clock moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import GATE, STORE, Place, Tab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]
HOSTILE = "<img src=x onerror=alert(1)>\u202e" + "\U0001f6d2" * 60


@pytest.fixture(autouse=True)
def nothing_armed(place: Place) -> Iterator[None]:
    place.api.delete("/faults")
    yield
    place.api.delete("/faults")
    place.api.put("/clock", json={"speed": 1})


def test_switch_arms_a_fault_until_it_has_applied(tab: Tab, place: Place) -> None:
    page = tab.open("/ui/faults")
    switch = page.get_by_role("switch", name="Arm drop_before once")
    switch.check()
    expect(page.locator("#armed-count")).to_have_text("1")
    place.api.post(f"/gates/{GATE}/scans", json={"text": "valid_shopper_key"}).raise_for_status()

    expect(switch).not_to_be_checked()
    expect(page.get_by_role("heading", name="No fault is armed")).to_be_visible()
    used = page.locator("#used tr").first
    expect(used).to_contain_text("drop_before")
    expect(used).to_contain_text(f"Verify Identity Keys, store {STORE}, gate {GATE}, trip")
    tab.check_accessibility()


def test_form_arms_a_fault_with_its_details(tab: Tab, place: Place) -> None:
    page = tab.open("/ui/faults")
    page.get_by_role("button", name="Arm late_answer with details").click()
    page.get_by_label("Amount").fill("4")
    page.get_by_label("How many times").fill("3")
    page.get_by_label("Gate").fill(HOSTILE)
    page.get_by_role("button", name="Arm the fault").click()

    expect(page.locator("#armed td.how-often")).to_have_text("3 times")
    expect(page.locator("#armed td.mono")).to_have_text("late_answer = 4 s")
    (armed,) = place.api.get("/faults").json()
    assert (armed["amount"], armed["where"]) == (4, {"gate": HOSTILE})
    tab.check_accessibility()


def test_each_kind_of_fault_has_a_switch(tab: Tab, place: Place) -> None:
    page = tab.open("/ui/faults")
    kinds = place.api.get("/faults/kinds").json()

    for kind in kinds:
        expect(page.get_by_role("switch", name=f"Arm {kind['name']} once")).to_have_count(1)


def test_refused_fault_is_explained_and_the_form_stays(tab: Tab) -> None:
    page = tab.open("/ui/faults")
    page.get_by_role("button", name="Arm error_answer with details").click()
    page.get_by_label("Amount").fill("200")
    tab.refusals.add(400)
    page.get_by_role("button", name="Arm the fault").click()

    expect(page.locator(".toast")).to_contain_text("give an amount from 400 to 599")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_clock_stops_and_moves_forward(tab: Tab, place: Place) -> None:
    page = tab.open("/ui/clock")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#clock-state")).to_have_text("The clock is stopped.")
    before = place.api.get("/clock").json()["now"]
    page.get_by_role("button", name="1 hour").click()
    page.get_by_label("Minutes").fill("30")
    page.get_by_role("button", name="Move forward").click()

    expect(page.locator("#clock-time")).to_have_text(_later(before))
    expect(page.get_by_role("button", name="Stop")).to_have_attribute("aria-pressed", "true")


def _later(instant: str) -> str:
    hour, minute, second = (int(part) for part in instant[11:19].split(":"))
    total = hour * 60 + minute + 90
    return f"{total // 60 % 24:02}:{total % 60:02}:{second:02}"
