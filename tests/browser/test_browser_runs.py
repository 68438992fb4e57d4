"""The pages of certifications and load tests: real short runs, their cases and seconds live, and their reports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from conformance.mutants.gallery import connector_with
from tests.browser.conftest import STORE, Place, Tab
from tests.conftest import served

pytestmark = [pytest.mark.browser, pytest.mark.timeout(90)]
ENDS_WITHIN_MS = 45_000


@pytest.fixture(autouse=True)
def no_runs(place: Place) -> Iterator[None]:
    yield
    for run in place.api.get("/runs").json():
        place.api.delete(f"/runs/{run['id']}")


def test_certification_shows_each_case_and_its_report(tab: Tab) -> None:
    page = tab.open("/ui/certify")
    run_cases(page, STORE, "VIK-1.1 vik-3.4")

    expect(page.locator("#run-verdict strong")).to_have_text("Partial", timeout=ENDS_WITHIN_MS)
    expect(page.locator(".case-cell[data-id][data-verdict=pass]")).to_have_count(2)
    case = page.locator("details.case", has_text="VIK-3.4")
    case.locator("summary").first.click()
    expect(case).to_contain_text("An identityKey of more than 1000 characters is refused with 400.")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open the report").click()
    expect(opened.value.get_by_role("heading", level=1)).to_contain_text("Partial")
    tab.check_accessibility()


def test_failed_case_shows_its_exchange_and_runs_again(tab: Tab, place: Place) -> None:
    with served(connector_with("opens_for_an_unknown_key", ("STORE-002",))) as connector:
        setup = {"retailer": "r", "connector": {"url": connector, "auth": "none"}, "gates": ["B-GATE-1"]}
        place.api.put("/portal/stores/STORE-002", json=setup).raise_for_status()
        page = tab.open("/ui/certify")
        expect(page.locator("#run-store option")).to_have_count(2)
        run_cases(page, "STORE-002", "VIK-2 VIK-3.4")

        expect(page.locator("#run-verdict strong")).to_have_text("Failed", timeout=ENDS_WITHIN_MS)
        page.get_by_role("button", name="Failed 1").click()
        expect(page.locator("details.case")).to_have_count(1)
        page.locator("details.case > summary").click()
        page.locator("details.exchange > summary").first.click()
        expect(page.locator("details.exchange pre").first).to_contain_text('"keyChannel": "OPTICAL"')
        page.get_by_role("button", name="Run VIK-2 again").click()
        expect(page.locator("#earlier tbody tr")).to_have_count(2)
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#run-verdict strong")).to_have_text("Stopped")
    tab.check_accessibility()


def test_load_shows_each_second_and_the_verdict(tab: Tab) -> None:
    page = tab.open("/ui/load")
    page.locator("#run-scenario").select_option("gate_rush")
    page.get_by_label("Requests per second").fill("20")
    page.get_by_label("Seconds").fill("3")
    page.get_by_role("button", name="Start").click()

    expect(page.locator("#latency-chart .chart-limit-text")).to_have_text("limit 2 s")
    expect(page.locator("#latency-chart circle.chart-p50").first).to_be_attached(timeout=ENDS_WITHIN_MS)
    expect(page.get_by_role("link", name="Open the report")).to_be_visible(timeout=ENDS_WITHIN_MS)
    page.get_by_text("The figures as a table").click()
    expect(page.locator("#run-table tbody tr").first).to_contain_text("ms")
    tab.check_accessibility()


def run_cases(page: Page, store: str, ids: str) -> None:
    page.locator("#run-store").select_option(store)
    expect(page.locator("#run-about")).to_contain_text("Connector: http://127.0.0.1")
    page.get_by_label("Only these cases").fill(ids)
    page.get_by_role("button", name="Start", exact=True).click()
