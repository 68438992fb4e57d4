"""The page of the trips: a cart as it fills, its deliveries on a time line, the same trip again, and dead letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import GATE, GATES, Place, Tab, set_up_store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]
HOSTILE = "<img src=x onerror=alert(1)>\u202e\u2066" + "\U0001f600" * 100


@pytest.fixture(autouse=True)
def nothing_armed(place: Place) -> Iterator[None]:
    place.api.delete("/faults")
    yield
    place.api.delete("/faults")
    place.api.put("/clock", json={"speed": 1})


def enter(place: Place) -> str:
    decision = place.api.post(f"/gates/{GATE}/scans", json={"text": "valid_shopper_key"}).raise_for_status().json()
    return str(decision["shoppingTripId"])


def pick(place: Place, trip: str, sku: str) -> None:
    place.api.post(f"/trips/{trip}/pick", json={"sku": sku}).raise_for_status()


def time_line(page: Page) -> list[str]:
    return page.get_by_label("Time line").locator("li").all_inner_texts()


def test_a_cart_fills_and_becomes_a_purchase(tab: Tab, place: Place) -> None:
    trip = enter(place)
    page = tab.open("/ui/trips")
    page.locator(".trip-row").first.click()
    expect(page.get_by_text("Pick goods on the floor")).to_be_visible()
    pick(place, trip, "SKU-1")
    expect(page.get_by_role("cell", name="SKU-1")).to_be_visible()
    page.get_by_role("button", name="Walk out", exact=True).click()

    expect(page.locator("#detail .badge").first).to_have_text("Delivered")
    expect(page.get_by_label("Purchase")).to_contain_text("201 in")
    words = " ".join(time_line(page))
    assert all(
        each in words for each in ("Verify Identity Keys", "The gate opened", "Walked out", "Delivery: delivered")
    )
    tab.check_accessibility()


def test_the_same_trip_again_and_two_at_once_are_one_purchase(tab: Tab, place: Place) -> None:
    trip = enter(place)
    pick(place, trip, "SKU-1")
    page = tab.open(f"/ui/trips?trip={trip}")
    page.get_by_role("button", name="Walk out, copies at once").click()
    expect(page.locator("#detail .badge").first).to_have_text("Delivered")
    page.get_by_role("button", name="The same trip again").click()
    expect(page.locator(".toast").last).to_contain_text("The purchase is the same")
    page.get_by_role("button", name="Two at once").click()
    expect(page.locator(".toast").last).to_contain_text("The answer is 201 and 201")

    expect(page.get_by_label("Time line").locator("li", has_text="Sent again")).to_have_count(3)
    assert sum("concurrent_duplicates" in each.replace(" ", "_") for each in time_line(page)) >= 2


def test_a_dead_letter_is_sent_again(tab: Tab, place: Place) -> None:
    trip = enter(place)
    pick(place, trip, "SKU-1")
    place.api.post("/faults", json={"name": "error_answer", "amount": 400, "where": {"trip": trip}}).raise_for_status()
    page = tab.open(f"/ui/trips?trip={trip}")
    page.get_by_role("button", name="Walk out", exact=True).click()
    expect(page.locator("#detail .badge").first).to_have_text("Dead letter")
    page.locator("#states").get_by_role("button", name="Dead letter").click()
    expect(page.locator(".trip-row")).to_have_count(1)
    page.get_by_role("button", name="Send the dead letter again").click()

    expect(page.locator("#detail .badge").first).to_have_text("Delivered")
    expect(page.get_by_role("heading", name="No trip here")).to_be_visible()
    expect(page.get_by_role("button", name="Send dead letters again")).to_be_disabled()


def test_an_event_on_the_time_line_leads_to_the_wire(tab: Tab, place: Place) -> None:
    trip = enter(place)
    page = tab.open(f"/ui/trips?trip={trip}")
    page.get_by_role("link", name="Verify Identity Keys").click()

    expect(page.locator("#detail h2")).to_have_text("Verify Identity Keys")
    page.get_by_role("link", name=trip).click()
    expect(page.locator("#detail")).to_contain_text(trip)


def test_an_unknown_trip_is_explained(tab: Tab) -> None:
    tab.refusals.add(404)
    page = tab.open("/ui/trips?trip=no-such-trip")

    expect(page.get_by_role("heading", name="The platform does not know this trip")).to_be_visible()


def test_hostile_items_have_no_effect(open_tab: Callable[..., Tab], place: Place) -> None:
    trip = enter(place)
    pick(place, trip, HOSTILE)
    for number in range(250):
        pick(place, trip, f"{'long' * 40}{number}")
    tab = open_tab(viewport={"width": 360, "height": 800})
    page = tab.open(f"/ui/trips?trip={trip}")

    expect(page.get_by_role("cell", name="<img src=x")).to_be_visible()
    expect(page.get_by_role("heading", name="Cart of 251 lines")).to_be_visible()
    expect(page.get_by_text("The first 200 lines are here")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    tab.check_accessibility()


def test_the_days_money_names_a_trip_without_its_capture(tab: Tab, place: Place) -> None:
    set_up_store(place.api, place.connector, GATES, paymentProcessor="amazon", strategy="none")
    card = place.api.post(f"/gates/{GATE}/cards", json={"instrument": "card-1"}).raise_for_status().json()
    trip = str(card["shoppingTripId"])
    pick(place, trip, "SKU-1")
    page = tab.open("/ui/trips")
    place.api.post(f"/trips/{trip}/leave").raise_for_status()

    expect(page.locator("#money-badge")).to_have_text("Difference 0.00, 1 disagreement")
    money = page.get_by_role("region", name="The day's money")
    expect(money).to_contain_text("the cart is delivered, and no capture ends its charge")
    expect(money).to_contain_text("Not compared: feed, no retailer has a queue for the event feed")
    money.get_by_role("button", name=f"Trip {trip[:8]}").click()
    expect(page.locator("#detail")).to_contain_text(trip)
    tab.check_accessibility()
    set_up_store(place.api, place.connector, GATES)
