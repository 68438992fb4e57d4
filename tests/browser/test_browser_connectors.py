"""The page of the connectors: stores, saved and unsaved configuration, the test in plain words, accounts and users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import GATES, STORE, Place, Tab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]
NOWHERE = "http://127.0.0.1:9"
HOSTILE = "<script>alert(1)</script>\u202ebackwards" + "\U0001f6d2" * 220
"""255 characters with markup, a mark that turns the text around, and emoji."""


@pytest.fixture(autouse=True)
def saved_store(place: Place) -> Iterator[None]:
    yield
    connector = {"url": place.connector, "auth": "none"}
    setup = {"retailer": "r", "connector": connector, "qrPattern": "", "gates": GATES}
    place.api.put(f"/portal/stores/{STORE}", json=setup).raise_for_status()
    for kind in ("identity", "ordering"):
        place.api.delete(f"/portal/stores/{STORE}/connectors/{kind}").raise_for_status()


@pytest.fixture
def page(tab: Tab) -> Page:
    page = tab.open("/ui/connectors")
    expect(page.locator("#store-title")).to_have_text(STORE)
    return page


def run_test(page: Page) -> None:
    page.get_by_role("button", name="Run the test").click()
    expect(page.get_by_role("button", name="Run the test")).to_be_enabled()


def test_stopped_connector_is_explained(page: Page, place: Place, tab: Tab) -> None:
    setup = {"retailer": "r", "connector": {"url": NOWHERE, "auth": "none"}, "gates": GATES}
    place.api.put(f"/portal/stores/{STORE}", json=setup).raise_for_status()
    expect(page.get_by_text(f"Calls go to {NOWHERE}")).to_be_visible()
    run_test(page)

    result = page.locator("#test-result")
    expect(result).to_contain_text("No program listens at 127.0.0.1:9")
    expect(result).to_contain_text("Start the connector")
    expect(result).to_contain_text("no answer (no connection)")
    result.get_by_text("What the platform sent").click()
    expect(result.get_by_role("region", name="What the platform sent")).to_contain_text("sample-store-id")
    expect(page.locator("#onboarding")).to_contain_text("Failed")
    place.api.put("/portal/stores/OTHER", json={"retailer": "other"}).raise_for_status()
    expect(page.locator("#store-list")).to_contain_text("OTHER")
    expect(result.get_by_role("region", name="What the platform sent")).to_be_visible()
    tab.check_accessibility()


def test_unsaved_address_is_named_and_not_called(page: Page, place: Place) -> None:
    page.get_by_label("Endpoint").fill(NOWHERE)
    expect(page.get_by_text("Not saved yet.")).to_be_visible()
    page.get_by_label("Store id in the message").fill(STORE)
    page.get_by_label("Code of your own").fill("dmFsaWRfc2hvcHBlcl9rZXk=")
    run_test(page)
    result = page.locator("#test-result")
    expect(result).to_contain_text("Passed")
    expect(result).to_contain_text(f"{place.connector}/v1/identity/identity-keys")
    expect(result).to_contain_text("the test never calls it")

    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Not saved yet.")).to_be_hidden()
    expect(result).to_contain_text("The connector was changed since this test")
    run_test(page)
    expect(result).to_contain_text("Failed")
    page.get_by_role("button", name="Use the store's connector").click()
    expect(page.get_by_label("Endpoint")).to_have_value("")


def test_ordering_probe_has_its_own_result(page: Page, place: Place) -> None:
    page.locator("#connector-panel").get_by_role("button", name="Ordering").click()
    page.get_by_label("SKU in the cart").fill("SKU-7")
    run_test(page)
    expect(page.locator("#test-result")).to_contain_text("/v1/order/purchases")
    (sent,) = place.api.get("/journal", params={"kind": "connectivity_test", "limit": 1}).json()
    assert sent["request"]["body"]["cartItems"][0]["id"] == "SKU-7"
    page.reload()
    page.locator("#connector-panel").get_by_role("button", name="Ordering").click()
    expect(page.locator("#test-result")).to_contain_text("/v1/order/purchases")


def test_store_is_edited_and_secrets_stay_hidden(page: Page, place: Place) -> None:
    page.get_by_role("button", name="Edit the store").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Store default").select_option("open")
    dialog.get_by_label("Loyalty card").check()
    dialog.get_by_label("Authentication").select_option("headers")
    dialog.get_by_role("button", name="Add a header").click()
    dialog.get_by_label("Header", exact=True).fill("X-Api-Key")
    dialog.get_by_label("Value").fill("very-secret")
    dialog.get_by_role("button", name="Save the store").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#store-facts")).to_contain_text("loyalty card")

    page.get_by_role("button", name="Edit the store").click()
    expect(dialog.get_by_label("Value")).to_have_value("")
    dialog.get_by_label("Store default").select_option("closed")
    dialog.get_by_role("button", name="Save the store").click()
    expect(dialog).to_be_hidden()
    shown = place.api.get(f"/portal/stores/{STORE}").json()
    assert (shown["storeDefault"], shown["connector"]["headers"]) == ("closed", ["X-Api-Key"])
    assert "very-secret" not in page.content()


def test_refused_store_is_explained_and_the_form_stays(page: Page, tab: Tab) -> None:
    page.get_by_role("button", name="Add a store").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Store id").fill("STORE-TAKEN")
    dialog.get_by_label("Retailer", exact=True).fill("r")
    dialog.get_by_label("Gates").fill(GATES[0])
    tab.refusals.add(409)
    dialog.get_by_role("button", name="Save the store").click()
    expect(page.locator(".toast")).to_contain_text(f"gate {GATES[0]} belongs to store {STORE}")
    expect(dialog).to_be_visible()
    tab.check_accessibility()


def test_hostile_names_have_no_effect(open_tab: Any, place: Place) -> None:
    tab = open_tab(viewport={"width": 360, "height": 800})
    page = tab.open("/ui/connectors")
    page.get_by_role("button", name="Add a store").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Store id").fill(HOSTILE)
    dialog.get_by_label("Retailer", exact=True).fill(HOSTILE)
    dialog.get_by_label("Gates").fill(HOSTILE)
    dialog.get_by_role("button", name="Save the store").click()

    expect(page.locator("#store-title")).to_have_text(HOSTILE)
    expect(page.locator("#onboarding-of bdi")).to_have_text(HOSTILE)
    assert "\u202e" not in page.locator("#onboarding").inner_text(), "the sentences keep their direction"
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert HOSTILE in {store["storeId"] for store in place.api.get("/portal/stores").json()}
    tab.check_accessibility()


def test_first_user_closes_the_portal_and_this_tab_stays_signed_in(page: Page, place: Place, open_tab: Any) -> None:
    token = "token-of-the-first-user"
    page.get_by_role("button", name="Add a user").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("User id").fill("admin")
    dialog.get_by_label("Token").fill(token)
    dialog.get_by_role("button", name="Save the user").click()
    expect(page.locator("#users")).to_contain_text("admin")
    assert place.api.get("/portal/users").status_code == 401

    other = open_tab()
    other.refusals.add(401)
    stranger = other.open("/ui/connectors")
    expect(stranger.get_by_role("heading", name="Sign in to the portal")).to_be_visible()
    other.check_accessibility()
    stranger.get_by_label("Token of a user").fill(token)
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger.locator("#store-title")).to_be_visible()

    page.get_by_role("button", name="Remove the user admin").click()
    expect(page.get_by_role("heading", name="The portal has no users")).to_be_visible()
    assert place.api.get("/portal/users").json() == []


def test_account_is_allow_listed_without_showing_its_secret(page: Page, place: Place) -> None:
    page.get_by_role("button", name="Allow-list an account", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Account id").fill("210987654321")
    dialog.get_by_label("Retailer", exact=True).fill("r")
    dialog.get_by_label("Access key id").fill("AKIA-BROWSER")
    dialog.get_by_label("Secret access key").fill("account-secret")
    dialog.get_by_role("button", name="Allow-list the account").click()
    expect(page.locator("#accounts")).to_contain_text("210987654321")
    assert place.api.get("/portal/accounts/210987654321").json()["retailer"] == "r"
    assert "account-secret" not in page.content()


def test_onboarding_leads_to_the_test_of_each_connector(page: Page, place: Place, tab: Tab) -> None:
    setup = {"retailer": "r", "connector": {"url": NOWHERE, "auth": "none"}, "gates": GATES}
    place.api.put(f"/portal/stores/{STORE}", json=setup).raise_for_status()
    page.get_by_role("button", name=f"Go to the test: connectivity test of {STORE} ordering").click()

    expect(page.locator("#connector-panel [aria-pressed=true]")).to_contain_text("Ordering")
    assert "POST /portal" not in page.locator("#onboarding").inner_text()
    expect(page.get_by_role("link", name="Upload a catalog")).to_have_attribute("href", "/ui/catalog")
    tab.check_accessibility()
