"""A platform with a store, a correct connector and AWS, and pages of a real Chromium that must stay clean."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from moto.server import ThreadedMotoServer
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request

from conformance.mutants.gallery import connector_with
from conformance.mutants.gate import profile_of
from conformance.mutants.small_connector import STORES
from jwo.play_samples import ProfileSamples
from jwo.run_commands import Declared, JwoRuns
from simulator.app import create_app
from simulator.settings import PlatformSettings
from tests.conftest import served

STORE, GATE = "STORE-001", "STORE-001-GATE-1"
GATES = [f"{STORE}-GATE-{number}" for number in range(1, 9)]
_LOCAL = {"127.0.0.1", "localhost"}
_SERIOUS = {"serious", "critical"}
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


@dataclass
class Place:
    """The addresses of a running platform and its connector, and a client of the platform's API."""

    platform: str
    connector: str
    api: httpx.Client


@dataclass
class Tab:
    """A page of the browser, and what it must not do: console errors, page errors, calls to other machines."""

    page: Page
    platform: str
    faults: list[str] = field(default_factory=list)
    refusals: set[int] = field(default_factory=set)
    """Statuses of calls that the test expects to be refused; Chromium writes each of them to the console."""
    loses_connection: bool = False
    """Whether the test cuts the connection, so that Chromium writes each failed call to the console."""

    def open(self, path: str) -> Page:
        """Open a page of the platform, and wait until it has loaded and its event stream is live."""
        self.page.goto(self.platform + path)
        self.page.locator("#link-state[data-state=live]").wait_for()
        return self.page

    def check_accessibility(self) -> None:
        """Assert that axe-core finds no serious fault in the light and in the dark theme."""
        self.page.emulate_media(reduced_motion="reduce")  # colors on their way to others would be measured
        for theme in ("light", "dark"):
            self.page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
            found = [one for one in Axe().run(self.page).response["violations"] if one["impact"] in _SERIOUS]
            shown = [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"]]) for one in found]
            assert shown == [], f"in the {theme} theme"


def chromium_path() -> str:
    """Return the path of an installed Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "these tests drive a real browser: install chromium and put it on the path"
    return chromium


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One browser for all tests, with a camera that Chromium fakes."""
    browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """One platform for all tests of a module: a store of eight gates, whose connector accepts the sample keys."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    settings = PlatformSettings(base_url="http://127.0.0.1:1", aws_endpoint_url=f"http://{host}:{port}")
    with (
        served(connector_with("", STORES)) as connector,
        served(make_platform(settings, connector)) as platform,
        httpx.Client(base_url=platform, timeout=10) as api,
    ):
        set_up_store(api, connector, GATES)
        yield Place(platform, connector, api)
    moto.stop()


def make_platform(settings: PlatformSettings, connector: str) -> FastAPI:
    profile = profile_of(connector)
    runs = JwoRuns(settings, Declared(profile, None, ("core",)))
    return create_app(settings, samples=ProfileSamples(profile), run_commands=runs)


def set_up_store(api: httpx.Client, connector: str, gates: list[str], **more: Any) -> None:
    """Create the store with all ways in, or replace it."""
    store = {
        "retailer": "r",
        "connector": {"url": connector, "auth": "none"},
        "qrPattern": "",
        "gates": gates,
        "methods": ["app", "badge", "card", "palm"],
        "strategy": "amazon_recommendation",
        "loyalty": True,
        **more,
    }
    api.put(f"/portal/stores/{STORE}", json=store).raise_for_status()


@pytest.fixture
def open_tab(browser: Browser, place: Place) -> Iterator[Callable[..., Tab]]:
    """Open tabs of the platform; at the end of the test none of them may have a fault."""
    contexts: list[BrowserContext] = []
    tabs: list[Tab] = []

    def make(**options: Any) -> Tab:
        context = browser.new_context(
            **{"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce", **options}
        )
        contexts.append(context)
        tab = Tab(context.new_page(), place.platform)
        _watch(tab)
        tabs.append(tab)
        return tab

    yield make
    for context in contexts:
        context.close()
    assert [fault for tab in tabs for fault in tab.faults] == []


@pytest.fixture
def tab(open_tab: Callable[..., Tab]) -> Tab:
    """One tab of a desktop's size."""
    return open_tab()


def _watch(tab: Tab) -> None:
    def note_console(message: ConsoleMessage) -> None:
        is_expected = any(f"a status of {status}" in message.text for status in tab.refusals) or (
            tab.loses_connection and "net::ERR_" in message.text
        )
        if message.type in {"error", "warning"} and not is_expected:
            tab.faults.append(f"console {message.type}: {message.text} ({message.location})")

    def note_request(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in _LOCAL:
            tab.faults.append(f"a request left this machine: {request.url}")

    tab.page.on("console", note_console)
    tab.page.on("pageerror", lambda error: tab.faults.append(f"page error: {error}"))
    tab.page.on("request", note_request)
