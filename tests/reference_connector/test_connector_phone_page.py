"""The phone page in a real Chromium: the code on the screen opens a gate, renews itself, and receipts are shown.

Needs a `chromium` on the path, so it is run by `make test-browser` and not by `make test`.
"""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import zxingcpp
from moto.server import ThreadedMotoServer
from PIL import Image
from playwright.sync_api import Page, Playwright

from jwo_contract.house import ScanKeyRules
from jwo_contract.scan_key import decode, to_identity_key
from reference_connector.payments.simulated import effects
from reference_connector.settings import SAMPLE_RETAILER
from simulator.app import create_app as create_platform
from simulator.settings import PlatformSettings
from tests.reference_connector.conftest import PINS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
GATE = "STORE-001-GATE-1"
# Most of the code's life is over; what does the page show in the moment in which its symbol changes?
_NEXT_CHANGE = """
  () => new Promise((resolve, reject) => {
    const symbol = document.getElementById("symbol"), left = document.getElementById("left");
    const note = () => resolve({ stale: symbol.hasAttribute("data-stale"), left: left.textContent });
    new MutationObserver(note).observe(symbol, { childList: true, attributes: true });
    setTimeout(() => reject(new Error("the code was not renewed")), 20000);
    endsAt = performance.now() + 5200;
  })
"""


@pytest.fixture(scope="module")
def phone(playwright: Playwright) -> Iterator[Page]:
    """A page of a phone's size."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "these tests drive a real browser: install chromium and put it on the path"
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
    yield browser.new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2)
    browser.close()


@pytest.fixture
def gate(serve: Callable[[Any], str]) -> Iterator[Callable[[str, bytes], dict[str, Any]]]:
    """Show a picture to a simulated gate of a store that is connected to a connector."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    settings = PlatformSettings(base_url="http://127.0.0.1:1", aws_endpoint_url=f"http://{host}:{port}")
    with httpx.Client(base_url=serve(create_platform(settings)), timeout=10) as http:

        def show(connector_url: str, picture: bytes) -> dict[str, Any]:
            store = {"retailer": "r", "connector": {"url": connector_url, "auth": "none"}, "gates": [GATE]}
            assert http.put("/portal/stores/STORE-001", json=store).is_success
            answer = http.post(f"/gates/{GATE}/scans", content=picture, headers={"Content-Type": "image/png"})
            return dict(answer.json())

        yield show
    moto.stop()


@pytest.fixture
def storage(tmp_path: Path) -> dict[str, Any]:
    """One database is enough here."""
    return {"store": {"path": tmp_path / "connector.sqlite3"}}


def _read(picture: bytes) -> str:
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    return found[0].text if found else ""


def _sign_in(phone: Page, connector: Any, who: str = "ada", pin: str = "") -> None:
    phone.context.clear_cookies()
    phone.goto(f"{connector.url}/app")
    phone.fill("#shopper", who)
    phone.fill("#pin", pin or PINS[who])
    phone.click("button")


def _open(phone: Page, connector: Any) -> bytes:
    _sign_in(phone, connector)
    phone.wait_for_selector("#symbol svg")
    return phone.screenshot()


def test_the_code_on_the_screen_opens_a_gate_and_opens_it_once(phone: Page, start: Any, gate: Any) -> None:
    connector = start(scan_key={"max_age_s": 90})
    connector.clock.now = datetime.now(UTC)  # the simulated gate goes by the real clock
    picture = _open(phone, connector)
    assert decode(_read(picture), ScanKeyRules()).prefix == "JWOIMAG"
    first = gate(connector.url, picture)
    assert (first["opens"], first["cause"], first["visitor"]) == (True, "200", {"id": "ada", "type": "SHOPPER"})
    assert gate(connector.url, picture)["opens"] is False, "a photographed code is of no use to anybody else"


def test_the_code_is_replaced_before_it_expires(phone: Page, start: Any) -> None:
    connector = start(scan_key={"max_age_s": 30})
    first = _read(_open(phone, connector))
    assert phone.evaluate(_NEXT_CHANGE) == {"stale": False, "left": "30 s"}
    assert _read(phone.screenshot()) not in {first, ""}


def test_refused_shopper_sees_the_reason(phone: Page, start: Any) -> None:
    connector = start()
    _sign_in(phone, connector, "cleo")
    phone.wait_for_selector("#trouble:not([hidden])")
    assert phone.inner_text("#trouble") == "The payment card is expired; ask the store to change it"
    assert phone.query_selector("#symbol svg") is None


def test_reason_of_a_refused_scan_is_shown_after_a_restart(phone: Page, start: Any, a_scan: Any) -> None:
    connector = start(app_test_keys=True)
    key = connector.http.get("/app/mint/expired").json()["identityKey"]
    assert connector.identify(a_scan(identityKey=key)).status_code == 401
    _open(phone, start())
    phone.wait_for_selector("#entry[data-state=closed]")
    assert "That code was too old." in phone.inner_text("#entry")


def test_receipts_are_shown_and_hostile_names_are_text(phone: Page, start: Any, a_cart: Any, a_line: Any) -> None:
    connector = start()
    connector.purchase(a_cart(cartItems=[a_line("SKU-002", "2"), a_line("<img src=x onerror=alert(1)>")]))
    connector.purchase(a_cart(trip="trip-2", cartItems=[a_line("SKU-002", "2")]))
    _open(phone, connector)
    phone.wait_for_selector("#list li")
    assert phone.locator("#list li").count() == 2
    phone.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    text = phone.inner_text("#list")
    assert "9.61 USD" in text  # 2 x 4.99 less a tenth, with 7 % tax
    assert "<img src=x" in text
    assert re.search(r"12:00\sPM UTC", text), "the date and time of the purchase, with the time zone"
    assert phone.query_selector("#list img") is None


def test_badge_is_shown_opens_a_gate_and_is_reported_lost(phone: Page, start: Any, gate: Any) -> None:
    connector = start()
    connector.clock.now = datetime.now(UTC)
    _open(phone, connector)
    phone.wait_for_selector("#badge-list li")
    assert phone.locator("#badge-list li").count() == 2  # one of them is revoked
    assert phone.locator("#badge-list li", has_text="revoked").locator("button").count() == 0
    phone.locator("#badge-list li", has_text="opens the gate").locator("summary").click()
    phone.wait_for_selector("#badge-list svg")
    picture = phone.locator("#badge-list svg").screenshot()
    assert _read(picture) == "badge-ada-0001"
    assert gate(connector.url, picture)["visitor"] == {"id": "ada", "type": "SHOPPER"}
    phone.click("#badge-list button")
    phone.wait_for_selector("#badge-list li:has-text('reported lost')")
    assert gate(connector.url, picture)["opens"] is False
    phone.click("#out")
    phone.wait_for_selector("#who:not([hidden])")
    assert (phone.query_selector("#badge-list li"), phone.is_hidden("#badges")) == (None, True)


def test_wrong_pin_shows_an_error_and_no_data(phone: Page, start: Any) -> None:
    connector = start()
    _sign_in(phone, connector, pin="0")
    phone.wait_for_selector("#refused:not([hidden])")
    assert phone.inner_text("#refused") == "The account or its PIN is wrong"
    assert phone.is_hidden("#code")
    phone.fill("#pin", PINS["ada"])
    phone.click("button")
    phone.wait_for_selector("#symbol svg")


def test_session_survives_a_reload_and_sign_out_removes_all_data(phone: Page, start: Any, a_cart: Any) -> None:
    connector = start()
    connector.purchase(a_cart())
    _open(phone, connector)
    phone.reload()
    phone.wait_for_selector("#symbol svg")
    phone.wait_for_selector("#list li")
    phone.click("#out")
    phone.wait_for_selector("#who:not([hidden])")
    assert (phone.query_selector("#symbol svg"), phone.query_selector("#list li")) == (None, None)
    phone.reload()
    phone.wait_for_selector("#who:not([hidden])")


def test_a_debt_is_shown_and_paid(
    phone: Page, start: Any, a_scan: Any, a_cart: Any, a_line: Any, tmp_path: Path
) -> None:
    hal = '[[shopper]]\nid = "hal"\npin = "1"\npayment_method = "tok_declined_at_adjust"\n'
    (tmp_path / "hal.toml").write_text(hal, "utf-8")
    connector = start(retailer_files=[SAMPLE_RETAILER, tmp_path / "hal.toml"], payments={"poll_s": 0.05})
    _sign_in(phone, connector, "hal", "1")
    phone.wait_for_selector("#symbol svg")
    key = to_identity_key(_read(phone.screenshot()))
    assert connector.identify(a_scan(identityKey=key)).status_code == 200
    cart = a_cart(cartItems=[a_line("SKU-002", "5")])
    event = cart["shoppingTrip"]["authEvents"][0]
    event |= {"id": a_scan()["authEvent"]["id"], "scanResult": {"id": "hal", "type": "SHOPPER"}}
    connector.purchase(cart)
    phone.wait_for_selector("#debts li")
    assert "4.02 USD of a visit is not paid" in phone.inner_text("#debts")
    phone.click("#debts button")
    phone.wait_for_selector("#owed[hidden]", state="attached")
    kinds = [effect.kind for effect in effects(tmp_path / "connector-payments.sqlite3")]
    assert kinds == ["authorise", "capture", "collect"]
