"""The store floor in Chromium: every way to a gate, the cause of each decision, shopping, many gates, hostile names."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import qrcode
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import GATE, GATES, Place, Tab, set_up_store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]
FLOOR = "/ui/"
HOSTILE = (
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "\u202egate\u2066 of\u2069 strangers\u200f",
    "\U0001f6d2" * 255,
    "\"'><svg/onload=window.hacked=1>",
)

_GIVE_PICTURE = """([name, bytes]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], "code.png", { type: "image/png" }));
  const event = name === "drop"
    ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
    : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
  document.querySelector(".drop-zone").dispatchEvent(event);
}"""
KNOWN, REFUSED = "The connector knows this visitor", "The connector refuses this code"
AUTHORIZED, DENIED = "The retailer authorizes this means of payment", "The retailer denies this means of payment"
DECISIONS = {
    "Associate": ("Open", KNOWN),
    "Stranger": ("Closed", REFUSED),
    "Badge": ("Open", KNOWN),
    "Expired code": ("Closed", REFUSED),
    "Good card": ("Open", AUTHORIZED),
    "Fraud risk": ("Closed", DENIED),
    "Palm": ("Open", AUTHORIZED),
    "Used code": ("Closed", REFUSED),
    "Member": ("Open", "The connector accepts this loyalty card"),
}
"""By the label of a visitor, the word beside the light and the cause; neighbours differ, so each shows a change."""


@pytest.fixture(autouse=True)
def fresh_store(place: Place) -> Iterator[None]:
    yield
    place.api.delete("/faults")
    set_up_store(place.api, place.connector, GATES)
    for trip in place.api.get("/trips").json()["tripIds"]:
        place.api.post(f"/trips/{trip}/leave")


@pytest.fixture
def floor(tab: Tab) -> Page:
    return open_floor(tab)


def open_floor(tab: Tab) -> Page:
    page = tab.open(FLOOR)
    page.get_by_role("button", name="Shopper", exact=True).wait_for()
    return page


def show(page: Page, label: str) -> None:
    page.locator(".sample").get_by_text(label, exact=True).click()


def expect_decision(page: Page, word: str, cause: str) -> None:
    expect(page.locator(".light-word")).to_have_text(word)
    expect(page.locator(".gate-cause")).to_contain_text(cause)


def test_shopper_opens_the_gate_shops_and_walks_out(floor: Page, place: Place) -> None:
    show(floor, "Shopper")
    expect_decision(floor, "Open", "The connector knows this visitor")
    expect(floor.locator(".gate-who")).to_contain_text("shopper-uuid-001")
    floor.locator(".goods", has_text="SKU-001").click()
    floor.locator(".cart-lines .amount").get_by_text("1").wait_for()
    floor.get_by_role("button", name="Pick SKU-001").click()
    expect(floor.locator(".cart-lines .amount")).to_contain_text("2")
    floor.get_by_role("button", name="Put back SKU-001").click()
    expect(floor.locator(".cart-lines .amount")).to_contain_text("1")
    (trip,) = place.api.get("/trips").json()["tripIds"]
    floor.get_by_role("button", name="Walk out", exact=True).click()

    expect(floor.locator(".people .person")).to_have_count(0)
    cart = place.api.get(f"/trips/{trip}").json()
    assert (cart["state"], [line["id"] for line in cart["cartItems"]]) == ("left", ["SKU-001"])


def test_gate_says_why_for_each_kind_of_visitor(floor: Page) -> None:
    for label, (word, cause) in DECISIONS.items():
        show(floor, label)
        expect(floor.locator(".light-word")).not_to_have_text("Waiting")
        expect_decision(floor, word, cause)


def test_same_event_again_gets_the_same_answer(floor: Page) -> None:
    show(floor, "Shopper")
    expect_decision(floor, "Open", "The connector knows this visitor")
    floor.get_by_role("button", name="The same event again").click()

    expect(floor.locator(".gate-extra")).to_contain_text("The same answer again")


def test_typed_code_opens_the_gate(floor: Page) -> None:
    floor.get_by_role("tab", name="Type").click()
    floor.get_by_label("Text").fill("valid_shopper_key")
    floor.get_by_role("button", name="Show it at the gate").click()

    expect_decision(floor, "Open", "The connector knows this visitor")


def test_chosen_picture_opens_the_gate_and_a_blank_one_is_unreadable(floor: Page, tmp_path: Path) -> None:
    code, blank = tmp_path / "code.png", tmp_path / "blank.png"
    qrcode.make("valid_shopper_key").save(str(code))
    Image.new("RGB", (200, 200), "white").save(blank)
    floor.get_by_role("tab", name="Picture").click()
    floor.locator("#picture-file").set_input_files(code)
    expect_decision(floor, "Open", "The connector knows this visitor")
    floor.locator("#picture-file").set_input_files(blank)

    expect_decision(floor, "Unreadable", "The reader finds no code in the picture")


def test_dropped_and_pasted_pictures_open_the_gate(floor: Page, place: Place) -> None:
    picture = io.BytesIO()
    qrcode.make("valid_shopper_key").save(picture)
    floor.get_by_role("tab", name="Picture").click()
    for entered, event in enumerate(("drop", "paste"), start=1):
        floor.evaluate(_GIVE_PICTURE, [event, list(picture.getvalue())])
        expect(floor.locator(".people .person")).to_have_count(entered)

    assert place.api.get("/trips").json()["inside"] == 2


@pytest.mark.parametrize(("default", "word"), [("open", "Open"), ("closed", "Closed")])
def test_late_answer_follows_the_store_default_and_the_page_says_why(
    floor: Page, place: Place, default: str, word: str
) -> None:
    set_up_store(place.api, place.connector, GATES, storeDefault=default)
    late = {"name": "slow_body", "amount": 2.5, "where": {"gate": GATE}}
    place.api.post("/faults", json=late).raise_for_status()
    show(floor, "Shopper")
    expect(floor.locator(".light-word")).to_have_text("Waiting")

    expect_decision(floor, word, f"did not answer within the limit, so the store default applies: {default}")
    expect(floor.locator(".gate-cause")).to_contain_text("Decided by the store default")
    expect(floor.locator(".watch-bar")).to_have_attribute("data-level", "over")


def test_eight_gates_open_at_once_and_all_walk_out(floor: Page, place: Place) -> None:
    floor.get_by_role("button", name="Eight gates at once").click()
    expect(floor.locator(".toast")).to_contain_text("8 of 8 gates opened")
    expect(floor.locator('.tile[data-light="green"]')).to_have_count(8)
    expect(floor.locator(".people .person")).to_have_count(8)
    floor.get_by_role("button", name="Walk out all").click()

    expect(floor.locator(".people .person")).to_have_count(0)
    assert place.api.get("/trips").json()["inside"] == 0


def test_gate_locks_again_and_shows_visits_of_others(floor: Page, place: Place) -> None:
    place.api.post(f"/gates/{GATE}/scans", json={"text": "valid_shopper_key"}).raise_for_status()
    expect(floor.locator(".gate-head .badge")).to_have_text("Unlocked")
    expect(floor.locator(".log .log-row").first).to_contain_text("shopper-uuid-001")
    place.api.put("/clock", json={"advanceS": 6}).raise_for_status()

    expect(floor.locator(".gate-head .badge")).to_have_text("Locked")


def test_gate_without_a_connector_says_that_it_could_not_be_reached(floor: Page, place: Place) -> None:
    set_up_store(place.api, "http://127.0.0.1:1", GATES)
    show(floor, "Shopper")

    expect_decision(floor, "Closed", "The connector could not be reached, so the store default applies: closed")


def test_keyboard_alone_opens_a_gate(floor: Page) -> None:
    floor.get_by_role("tab", name="People").focus()
    floor.keyboard.press("ArrowRight")
    expect(floor.get_by_role("tab", name="Type")).to_be_focused()
    floor.keyboard.press("ArrowLeft")
    floor.keyboard.press("Tab")
    expect(floor.get_by_role("button", name="Shopper", exact=True)).to_be_focused()
    floor.keyboard.press("Enter")

    expect_decision(floor, "Open", "The connector knows this visitor")


def test_hostile_names_have_no_effect(open_tab: Callable[..., Tab], place: Place) -> None:
    gates = [name[:255] for name in HOSTILE]
    set_up_store(place.api, place.connector, gates)
    tab = open_tab(viewport={"width": 360, "height": 780})
    page = open_floor(tab)
    for gate in gates[:3]:
        page.locator(".tile", has_text=gate).click()
        show(page, "Shopper")
        expect_decision(page, "Open", "The connector knows this visitor")
    page.get_by_label("Another SKU").fill(HOSTILE[1])
    page.get_by_role("button", name="Pick it").click()
    expect(page.locator(".cart-lines li")).to_contain_text(HOSTILE[1])

    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_busy_floor_has_no_serious_accessibility_fault(tab: Tab) -> None:
    page = open_floor(tab)
    show(page, "Shopper")
    expect_decision(page, "Open", "The connector knows this visitor")
    page.locator(".goods").first.click()
    page.locator(".cart-lines li").first.wait_for()

    for name in ("People", "Type", "Picture", "Camera"):
        page.get_by_role("tab", name=name).click()
        tab.check_accessibility()
