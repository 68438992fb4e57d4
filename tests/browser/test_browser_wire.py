"""The page of the wire: exchanges as they happen, their rules, filters in the address, and sending again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import Response
from playwright.sync_api import Page, expect

from jwo_contract.profile import load
from tests.browser import long_tasks
from tests.browser.conftest import GATE, GATES, STORE, Place, Tab, set_up_store
from tests.conftest import served

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]
HOSTILE = "<img src=x onerror=alert(1)><script>document.title='changed'</script>\u202e\u2066" + "\U0001f600" * 255
_MANY = 1_000


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A profile that the module's platform is started with."""
    path = tmp_path_factory.mktemp("profile") / "jwo.toml"
    path.write_text('# mine\n[connector]\nurl = "http://127.0.0.1:9"', "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JWO_PLATFORM_PROFILE_PATH", str(path))
        yield path


@pytest.fixture(scope="module")
def place(profile: Path, place: Place) -> Place:  # noqa: ARG001 - only their order matters
    """The usual platform, with a profile: it starts after `profile` has set the variable."""
    return place


@pytest.fixture(autouse=True)
def nothing_armed(place: Place) -> Iterator[None]:
    place.api.delete("/faults")
    yield
    place.api.delete("/faults")


def scan(place: Place, key: str = "valid_shopper_key") -> dict[str, Any]:
    decision = place.api.post(f"/gates/{GATE}/scans", json={"text": key}).raise_for_status().json()
    return dict(decision)


def newest(place: Place, kind: str = "exchange") -> dict[str, Any]:
    (entry,) = place.api.get("/journal", params={"kind": kind, "limit": 1}).json()
    return dict(entry)


def rule(page: Page, id_: str) -> Any:
    return page.locator(".rule", has=page.locator(".mono", has_text=id_))


def test_an_exchange_appears_and_shows_its_rules(tab: Tab, place: Place) -> None:
    page = tab.open("/ui/wire")
    before = page.locator(".wire-row").count()
    scan(place)
    page.locator(".wire-row").nth(before).wait_for()
    page.locator(".wire-row").first.click()

    expect(rule(page, "VIK-1.1")).to_contain_text("Kept")
    expect(rule(page, "VIK-9")).to_contain_text("of 2000 ms")
    expect(page.get_by_label("Request", exact=True)).to_contain_text('"identityKey": "***"')
    expect(page.get_by_label("Answer", exact=True)).to_contain_text("visitorDetails")
    tab.check_accessibility()


def test_a_late_answer_is_a_failure_with_its_fault(tab: Tab, place: Place) -> None:
    scan(place)
    place.api.post("/faults", json={"name": "error_answer", "amount": 503})
    scan(place)
    page = tab.open("/ui/wire?failures=1")

    expect(page.locator(".wire-row")).to_have_count(1)
    expect(page.locator(".wire-row")).to_contain_text("503")
    expect(page.get_by_role("switch", name="Only failures")).to_be_checked()
    page.locator(".wire-row").click()
    expect(page.get_by_label("Answer that a fault took away")).to_contain_text("visitorDetails")


def test_a_success_that_breaks_a_rule_has_a_red_light(tab: Tab, place: Place) -> None:
    scan(place)
    page = tab.open("/ui/wire")
    row = page.locator(".wire-row").first
    expect(row.locator(".badge")).to_have_attribute("data-kind", "good")
    place.api.post("/faults", json={"name": "clock_skew"}).raise_for_status()
    scan(place)
    row.locator(".wire-fault").wait_for()
    row.click()
    expect(page.locator("#detail")).to_contain_text("Timestamps and signature are wrong by this number of seconds.")
    with served(_connector_with_answer(b'{"visitor": "ada"}')) as other:
        set_up_store(place.api, other, GATES)
        scan(place)
        expect(row.locator(".badge")).to_have_attribute("data-kind", "bad")
        expect(row).to_contain_text("breaks VIK-1.1")
        row.click()
        expect(rule(page, "VIK-8")).to_contain_text(
            "does not have the published form: the gate follows the store default"
        )
        expect(page.locator("#detail > .facts")).to_contain_text("The answer does not have the published form")
    set_up_store(place.api, place.connector, GATES)


def _connector_with_answer(body: bytes) -> Any:
    app = FastAPI()

    @app.post("/v1/identity/identity-keys")
    async def identify() -> Response:
        return Response(body, media_type="application/json")

    return app


def test_filters_stay_in_the_address(tab: Tab, place: Place) -> None:
    trip = scan(place)["shoppingTripId"]
    place.api.post(f"/trips/{trip}/leave")
    page = tab.open("/ui/wire")
    page.get_by_label("Operation").select_option("Create Purchases")
    page.get_by_label("Text").fill(trip)
    page.locator(".wire-row").first.click()
    page.reload()

    expect(page.locator(".wire-row")).to_have_count(1)
    expect(page.get_by_label("Operation")).to_have_value("Create Purchases")
    expect(page.locator("#detail h2")).to_have_text("Create Purchases")
    page.get_by_label("Text").fill("no such text")
    expect(page.get_by_role("heading", name="No exchange fits the filter")).to_be_visible()


def test_an_edited_exchange_breaks_a_rule_or_keeps_it(tab: Tab, place: Place) -> None:
    scan(place)
    page = tab.open(f"/ui/wire?seq={newest(place)['seq']}")
    page.get_by_role("button", name="Edit and send").click()
    editor = page.get_by_role("textbox", name="Body")
    editor.fill("{")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#edited-problem")).to_contain_text("This is not JSON")
    body = {**newest(place)["request"]["body"], "authEvent": {"id": "x", "location": "ENTRY"}}
    editor.fill(json.dumps(body))
    page.get_by_role("button", name="Send", exact=True).click()

    expect(rule(page, "VIK-3.12")).to_contain_text("Kept")
    expect(page.get_by_label("Request", exact=True).locator(".body-problem").first).to_contain_text("authEvent")


def test_the_same_event_again_gets_the_first_answer(tab: Tab, place: Place) -> None:
    scan(place)
    page = tab.open(f"/ui/wire?seq={newest(place)['seq']}")
    page.get_by_role("button", name="Send again").click()

    expect(rule(page, "VIK-6")).to_contain_text("Kept")
    expect(page.get_by_text("Earlier exchanges of the same id")).to_be_visible()


def test_curl_command_is_copied(open_tab: Any, place: Place) -> None:
    scan(place)
    tab = open_tab(permissions=["clipboard-read", "clipboard-write"])
    page = tab.open(f"/ui/wire?seq={newest(place)['seq']}")
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.locator(".toast")).to_contain_text("The curl command is copied")

    assert page.evaluate("navigator.clipboard.readText()").startswith("curl -sS -X POST http://127.0.0.1")


def test_an_exchange_becomes_a_case_of_the_profile(open_tab: Any, place: Place) -> None:
    scan(place)
    tab = open_tab(permissions=["clipboard-read", "clipboard-write"])
    page = tab.open(f"/ui/wire?seq={newest(place)['seq']}")
    page.get_by_role("button", name="Save as a case").click()
    tab.refusals.add(400)
    page.get_by_label("Name").fill("<b>")
    expect(page.locator("#case-problem")).to_contain_text("is not a name of a case")
    page.get_by_label("Name").fill("shopper comes in")
    expect(page.locator("#case-toml")).to_contain_text('name = "shopper comes in"')
    expect(page.locator("#case-toml")).to_contain_text('"identityKey": "{key.shopper}"')
    page.get_by_role("checkbox", name="Expect visitorDetails.type").check()
    page.get_by_label("Value of visitorDetails.type").fill("ASSOCIATE")
    page.get_by_role("button", name="Add a member").click()
    page.get_by_label("Member of the answer").last.fill("visitorDetails.level")
    page.get_by_label("Value", exact=True).fill("3")
    expect(page.locator("#case-toml")).to_contain_text('"visitorDetails" = { "type" = "ASSOCIATE", "level" = 3 }')
    page.get_by_label("Member of the answer").last.fill("visitorDetails.type")
    expect(page.locator("#case-problem")).to_contain_text("is in the list twice")
    page.get_by_label("Member of the answer").last.fill("visitorDetails.level")
    expect(page.locator("#case-problem")).to_be_empty()
    tab.check_accessibility()
    page.get_by_role("button", name="Copy", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()

    assert download.value.path().read_text("utf-8").startswith("[[case]]\nname =")
    assert page.evaluate("navigator.clipboard.readText()").startswith("[[case]]")


def test_a_case_is_added_to_the_platforms_profile(open_tab: Any, place: Place, profile: Path) -> None:
    scan(place)
    page = open_tab().open(f"/ui/wire?seq={newest(place)['seq']}")
    page.get_by_role("button", name="Save as a case").click()
    page.get_by_label("Name").fill("added")
    page.get_by_role("button", name="Add to jwo.toml").click()
    expect(page.locator(".toast")).to_contain_text("The case is in jwo.toml")

    assert [each.name for each in load(profile).case] == ["added"]


def test_a_paused_list_waits(tab: Tab, place: Place) -> None:
    scan(place)
    page = tab.open("/ui/wire")
    page.locator(".wire-row").first.wait_for()
    page.get_by_role("button", name="Pause").click()
    before = page.locator(".wire-row").count()
    scan(place)
    expect(page.locator("#list-state")).to_contain_text("new while paused")
    assert page.locator(".wire-row").count() == before
    page.get_by_role("button", name="Resume").click()

    expect(page.locator(".wire-row")).to_have_count(before + 1)


def test_hostile_texts_have_no_effect(open_tab: Any, place: Place) -> None:
    trip = scan(place)["shoppingTripId"]
    place.api.post(f"/trips/{trip}/pick", json={"sku": HOSTILE[:255]}).raise_for_status()
    place.api.post(f"/trips/{trip}/leave")
    long = {"body": {"requestId": HOSTILE, "storeId": "x" * 100_000, HOSTILE: [HOSTILE] * 50}}
    place.api.post(f"/journal/{newest(place)['seq']}/resend", json=long).raise_for_status()
    tab = open_tab(viewport={"width": 360, "height": 800})
    page = tab.open(f"/ui/wire?seq={newest(place, 'resent')['seq']}&text={trip}")

    expect(page.get_by_label("Request", exact=True)).to_contain_text("<script>")
    expect(page.get_by_label("Request", exact=True)).to_contain_text("characters)")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert "changed" not in page.title()
    tab.check_accessibility()


def test_a_thousand_exchanges_do_not_slow_the_page(tab: Tab, place: Place) -> None:
    scan(place)
    seq = newest(place)["seq"]
    page = tab.open("/ui/wire")
    long_tasks.watch(page)
    longest = long_tasks.longest_tasks_ms(page, lambda: _resend(place, seq, page))
    last = newest(place, "resent")

    assert last["resent"] == seq
    assert page.locator(".wire-row").count() == 200
    assert longest[-1] < long_tasks.MOST_MS, longest


def _resend(place: Place, seq: int, page: Page) -> None:
    for _ in range(_MANY):
        place.api.post(f"/journal/{seq}/resend")
    page.locator(f".wire-row >> nth=0 >> text={STORE}").wait_for()
    expect(page.locator("#list-state")).to_contain_text("The newest 200")
