"""The page of the catalog: an upload by drag and drop, its rejected rows and report, bad files, and the search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from simulator.app import create_app
from simulator.settings import PlatformSettings
from tests.browser.conftest import STORE, Place, Tab
from tests.conftest import served

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]
ACCOUNT = "123456789012"
HEADER = "item_sku,external_product_id,item_name,store_id\n"
HOSTILE = "<script>alert(1)</script>\u202ebackwards" + "\U0001f6d2" * 220
DROP = """([name, text]) => {
    const files = new DataTransfer();
    files.items.add(new File([text], name));
    const target = document.querySelector(".drop");
    for (const type of ["dragenter", "dragover", "drop"])
        target.dispatchEvent(new DragEvent(type, { dataTransfer: files, bubbles: true, cancelable: true }));
}"""


@pytest.fixture(scope="module", autouse=True)
def account(place: Place) -> None:
    setup = {"retailer": "r", "accessKeyId": "AKIA-CATALOG", "secretAccessKey": "s"}
    place.api.put(f"/portal/accounts/{ACCOUNT}", json=setup).raise_for_status()
    place.api.put("/clock", json={"speed": 5}).raise_for_status()  # an ingestion takes 2 platform seconds


@pytest.fixture
def page(tab: Tab) -> Page:
    page = tab.open("/ui/catalog")
    expect(page.get_by_label("As the account")).to_have_value(ACCOUNT)
    return page


def drop(page: Page, text: str, name: str = "items.csv") -> None:
    page.evaluate(DROP, [name, text])


def choose(page: Page, content: bytes, name: str = "items.csv") -> None:
    page.locator("#upload-file").set_input_files(FilePayload(name=name, mimeType="text/csv", buffer=content))


def test_dropped_file_is_ingested_and_its_rejected_rows_are_explained(page: Page, place: Place, tab: Tab) -> None:
    drop(page, f"{HEADER}DROP-1,4501,Milk,{STORE}\nDROP-2,123456789019,Bread,{STORE}\n")
    panel = page.locator("#ingestion")
    expect(panel.get_by_role("list", name="States")).to_contain_text("Done")
    expect(panel.locator(".counts")).to_have_text("Rows2Accepted1Rejected1")
    expect(page.locator("#rejected")).to_contain_text("CHECK_DIGIT_INVALID")
    expect(page.locator("#rejected")).to_contain_text("DROP-2")
    expect(page.locator("#history tbody tr").first).to_contain_text("upload, portal")
    expect(page.locator("#link-left")).to_contain_text("Valid for 59:")
    tab.check_accessibility()

    with page.context.expect_page() as opened:
        page.locator("#report-link").click()
    expect(opened.value.locator("body")).to_contain_text('"DROP-2"')
    (entry,) = place.api.get("/journal", params={"kind": "portal_upload", "outcome": "accepted", "limit": 1}).json()
    assert (entry["account"], entry["file"]) == (ACCOUNT, "items.csv")


def test_link_expires_by_the_platforms_clock_and_is_renewed(page: Page, place: Place) -> None:
    choose(page, f"{HEADER}LINK-1,4502,Milk,{STORE}\n".encode())
    expect(page.locator("#link-left")).to_contain_text("Valid for 59:")
    place.api.put("/clock", json={"advanceS": 3601}).raise_for_status()
    expect(page.locator("#link-left")).to_have_text("The link has expired. Make a new one.")
    page.get_by_role("button", name="Make a new link").click()
    expect(page.locator("#link-left")).to_contain_text("Valid for 59:")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{not json", "not valid JSON"),
        (f"{HEADER}A,4503,K\xe4se,{STORE}\n".encode("latin-1"), "save it again as UTF-8"),
        (f"{HEADER}A,4503,Milk,NOWHERE\n".encode(), "line 2: NOWHERE is not a store of this retailer"),
        ((HEADER + f"A,4503,Milk,{STORE}\n" * 10_001).encode(), "10001 items in one request; at most 10000"),
    ],
    ids=["not json", "wrong encoding", "wrong store", "too many items"],
)
def test_bad_file_is_explained(page: Page, tab: Tab, content: bytes, words: str) -> None:
    tab.refusals.add(400)
    choose(page, content)
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.get_by_role("alert")).to_contain_text("items.csv")


def test_file_of_sixty_megabytes_is_not_sent(page: Page, place: Place, tmp_path: Path) -> None:
    before = len(place.api.get("/journal", params={"kind": "portal_upload"}).json())
    large = tmp_path / "large.csv"
    large.write_bytes(b" " * 60_000_000)
    page.locator("#upload-file").set_input_files(large)
    expect(page.get_by_role("alert")).to_contain_text("The file has 60 MB; at most 20 MB are allowed")
    assert len(place.api.get("/journal", params={"kind": "portal_upload"}).json()) == before


def test_items_are_found_by_barcode_sku_and_name(page: Page) -> None:
    choose(page, f"{HEADER}FIND-1,4511,Oat milk,{STORE}\nFIND-2,4512,Rye bread,{STORE}\n".encode())
    expect(page.locator("#ingestion")).to_contain_text("Every row was accepted.")
    rows = page.get_by_role("region", name="Items").locator("tbody tr")
    for text, sku in (("4511", "FIND-1"), ("find-2", "FIND-2"), ("OAT", "FIND-1")):
        page.get_by_label("Search").fill(text)
        expect(page.locator("#items-count")).to_contain_text("1 of")
        expect(rows).to_contain_text([sku])
    page.get_by_label("Search").fill("nothing like this")
    expect(page.get_by_role("heading", name="No item matches")).to_be_visible()


def test_uploads_by_the_api_appear_in_the_history(page: Page, place: Place) -> None:
    before = page.locator("#history tbody tr").count()
    path = f"/portal/accounts/{ACCOUNT}/catalog-uploads"
    place.api.post(path, content=f"{HEADER}SEEN-1,4521,Milk,{STORE}\n".encode()).raise_for_status()
    expect(page.locator("#history tbody tr")).to_have_count(before + 1)
    page.locator("#history tbody tr").first.get_by_role("button").click()
    expect(page.locator("#ingestion")).to_contain_text("Every row was accepted.")


def test_hostile_names_have_no_effect(open_tab: Any) -> None:
    tab = open_tab(viewport={"width": 360, "height": 800})
    phone = tab.open("/ui/catalog")
    rows = f'"{HOSTILE}",4531,"{HOSTILE}",{STORE}\n"bad {HOSTILE[:200]}",1,"{HOSTILE}",{STORE}\n'
    choose(phone, (HEADER + rows).encode(), name=f"<img src=x onerror=alert(1)>{HOSTILE[9:60].replace('/', '')}.csv")
    expect(phone.locator("#rejected")).to_contain_text(f"bad {HOSTILE[:200]}")
    phone.get_by_label("Search").fill("4531")
    expect(phone.get_by_role("region", name="Items").locator("tbody tr")).to_contain_text([HOSTILE])
    assert phone.evaluate("document.documentElement.scrollWidth") == 360
    tab.check_accessibility()


def test_platform_without_aws_explains_what_is_missing(tab: Tab) -> None:
    alone = PlatformSettings(base_url="http://127.0.0.1:1", stores_alone=True)
    with served(create_app(alone)) as url:
        tab.page.goto(f"{url}/ui/catalog")
        expect(tab.page.get_by_role("heading", name="No catalogs here")).to_be_visible()
        expect(tab.page.locator("main")).to_contain_text("JWO_PLATFORM_STORES_ALONE")
        expect(tab.page.locator("main")).to_contain_text("jwo play")
        tab.check_accessibility()
        tab.page.goto("about:blank")
