"""The pages that `certify`, `load` and `shop` write, in a real Chromium: accessible, readable at 360 px and on paper.

Needs a `chromium` on the path, so it is run by `make test-browser` and not by `make test`.
"""

from __future__ import annotations

import io
import itertools
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright

from conformance.report.html import render_html
from load.report.html import html as load_page
from simulator.reconciliation.comparison import Reconciliation, Row, Sum
from simulator.shop.page import Title
from simulator.shop.page import page as shop_page
from simulator.shop.results import Decider, Results
from tests.conformance.report import conftest as reports
from tests.conformance.report.reading import model
from tests.load.test_load_reports import a_document

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
HOSTILE = "<script>document.title='changed'</script>\u202e\u2066" + "\U0001f600" * 255 + " שלום " + "x" * 10_000
IDS = [f"VIK-3.{number}" for number in range(1, 31)]
PHONE_PX, DESK_PX = 360, 1440
EXAMPLE = "a ASSOCIATE was answered as SHOPPER, to Verify Identity Keys 00b578e7-cbbf-4000-a000-000001500000"
_LABELS = """
  () => [...document.querySelectorAll("svg[role=img]")].map(svg =>
    [...svg.querySelectorAll("text")].filter(one => one.getClientRects().length).map(one => {
      const box = one.getBoundingClientRect();
      return { below: one.classList.contains("below"), left: box.left, right: box.right, height: box.height };
    }))
"""
_HEIGHTS = """
  () => Math.max(...[...document.querySelectorAll(".id, .uuid, time")]
    .filter(one => one.getClientRects().length).map(one => {
    const range = document.createRange();
    range.selectNodeContents(one);
    const middles = [...range.getClientRects()].map(box => (box.top + box.bottom) / 2);
    return Math.max(...middles) - Math.min(...middles);
  }))
"""


def certified() -> str:
    return render_html(model(reports.a_full_report.__wrapped__()))


def refused() -> str:
    exchange = reports.an_exchange.__wrapped__()(body={"errorMsg": HOSTILE})
    build = reports.a_case.__wrapped__()
    cases = [
        build(each, "fail", title=HOSTILE, api=f"API {number % 9}", got=HOSTILE, exchanges=[exchange])
        for number, each in enumerate(IDS)
    ]
    cases += [build(f"CP-X.{number}", verdict) for number, verdict in enumerate(["warn", "error", "not_applicable"])]
    report = reports.a_report.__wrapped__()(cases, settings={"any": HOSTILE})
    report["connector"] |= {"url": f"http://127.0.0.1/{HOSTILE}", "storeId": HOSTILE, "declared": [HOSTILE]}
    return render_html(model(report))


def late() -> str:
    document = a_document(*[5.0] * 900, *[2500.0] * 30)
    document["scenario"] |= {"name": HOSTILE, "title": HOSTILE}
    document["options"]["connector"] = HOSTILE
    document["verdict"]["reasons"] = [HOSTILE] * 12
    document["causes"] = {HOSTILE: 30, "late": 3}
    document["examples"] = {HOSTILE: [HOSTILE, EXAMPLE]}
    return load_page(document)


def in_time() -> str:
    return load_page(a_document(*[5.0] * 400))


def a_day(*findings: str) -> str:
    results = Results()
    results.arrivals = Counter({hour: hour * hour for hour in range(7, 21)})
    results.causes = Counter({("app", "200", True): 390, ("card", HOSTILE if findings else "denied", False): 7})
    results.deciders = Counter({Decider("retailer_managed", "", "card", "retailer", HOSTILE, opens=False): 7})
    results.visitors = Counter({("shopper with the app", True): 390, (HOSTILE, False): 7})
    results.gate_ms, results.order_ms = Counter({3: 300, 40: 80, 2400: 10}), Counter({9: 55})
    results.outcomes, results.carts = Counter({"delivered": 55, "timed_out": 2}), 55
    title = Title("match_day", 2, 8, 7, 1.9, 12, HOSTILE if findings else "http://127.0.0.1:8080", datetime.now(UTC))
    books = ("platform", "feed", "files", "connector", "connector's files", "connector's feed")
    row = Row("Captured", {book: Sum(55, {"USD": Decimal("12345.67")}) for book in books}, Decimal("0.00"))
    money = Reconciliation((row,), (), {"connector": HOSTILE} if findings else {})
    deliveries = {"delivered": 55, "pending": 0, "dead_letter": 2, "attempts": 59}
    return shop_page(title, results, deliveries, money, findings)


def letters(text: str) -> str:
    """Return a text without its spaces: a PDF has places of letters, and no spaces."""
    return "".join(text.split())


PAGES: dict[str, Callable[[], str]] = {
    "certified": certified,
    "refused": refused,
    "in_time": in_time,
    "late": late,
    "good_day": a_day,
    "bad_day": lambda: a_day(HOSTILE, *["One answer was late."] * 9),
}


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "these tests drive a real browser: install chromium and put it on the path"
    browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the addresses of the pages on the disk."""
    folder = tmp_path_factory.mktemp("pages")
    for name, write in PAGES.items():
        (folder / f"{name}.html").write_text(write(), "utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in PAGES}


@pytest.fixture(params=PAGES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def show(chromium: Browser, files: dict[str, str]) -> Iterator[Callable[..., Page]]:
    """Open a page; the test fails on a message of the console, an error of a script, or a request of the page."""
    opened: list[Page] = []
    trouble: list[str] = []

    def open_page(name: str, width: int = DESK_PX, scheme: Any = "light") -> Page:
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        opened.append(page)
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda request: trouble.append(request.url) if request.url != files[name] else None)
        page.goto(files[name])
        return page

    yield open_page
    for page in opened:
        page.close()
    assert trouble == []


def test_axe_finds_no_serious_fault(show: Callable[..., Page], name: str) -> None:
    page, axe = show(name, PHONE_PX), Axe()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = axe.run(page).response["violations"]
        serious = [each for each in found if each["impact"] in {"serious", "critical"}]

        assert [(scheme, each["id"], each["nodes"][0]["html"][:200]) for each in serious] == []


def test_no_text_moves_the_layout(show: Callable[..., Page], name: str) -> None:
    page = show(name, PHONE_PX)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    for width in (PHONE_PX, DESK_PX):
        page.set_viewport_size({"width": width, "height": 900})

        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(_HEIGHTS) < 8
    assert page.title() != "changed"


def test_labels_of_plots_are_readable(show: Callable[..., Page], name: str) -> None:
    page = show(name)
    for width in (PHONE_PX, DESK_PX):
        page.set_viewport_size({"width": width, "height": 900})
        plots = page.evaluate(_LABELS)

        assert plots
        for labels in plots:
            assert all(one["height"] >= 11 and one["left"] >= 0 and one["right"] <= width for one in labels)
            below = sorted((one["left"], one["right"]) for one in labels if one["below"])
            assert all(right < left for (_, right), (left, _) in itertools.pairwise(below)), below


def test_the_first_printed_page_is_the_summary(show: Callable[..., Page], name: str) -> None:
    page = show(name, scheme="dark")
    headings = page.locator(".summary h1, .summary h2").all_inner_texts()
    details = page.locator(".details h2").first.inner_text()
    for paper in ("A4", "Letter"):
        document = pypdfium2.PdfDocument(io.BytesIO(page.pdf(format=paper)))
        first, second = (letters(document[number].get_textpage().get_text_range()) for number in (0, 1))

        assert len(headings) >= 4
        assert [each for each in headings if letters(each)[:60] not in first] == [], paper
        assert letters("It does not mean that Amazon approves the connector") in first
        assert second.startswith(letters(details))


def test_print_unfolds_the_evidence_of_a_finding(show: Callable[..., Page]) -> None:
    document = pypdfium2.PdfDocument(io.BytesIO(show("refused").pdf(format="A4")))
    text = letters(" ".join(document[number].get_textpage().get_text_range() for number in range(1, 4)))

    for words in ("Expected", "Run it again", "jwo replay VIK-3.1", "Request", "HTTP 200"):
        assert letters(words) in text


def test_print_has_the_ids_of_passed_cases_and_not_their_rows(show: Callable[..., Page]) -> None:
    page = show("certified")
    cases = page.locator("#cases").evaluate("() => document.querySelectorAll('tr[id^=case-]').length")
    document = pypdfium2.PdfDocument(io.BytesIO(page.pdf(format="A4")))
    text = "".join(document[number].get_textpage().get_text_range() for number in range(len(document)))
    ids = page.locator("tr[data-verdict=pass] .id").all_inner_texts()

    assert cases >= len(ids) > 0
    assert [each for each in ids if letters(each) not in letters(text)] == []
    assert letters("All cases") not in letters(text)
    assert letters("Settings in effect") not in letters(text)
    assert not page.get_by_role("heading", name="The other cases, by id").is_visible()


@pytest.mark.parametrize(
    ("link", "words"), [("rule", "identityKey"), ("exchange", "HTTP 200"), ("run again", "jwo replay VIK-3.4")]
)
def test_the_summary_links_to_the_evidence(show: Callable[..., Page], link: str, words: str) -> None:
    page = show("refused", PHONE_PX)
    page.locator(".failed li", has_text="VIK-3.4").get_by_role("link", name=link).click()
    top = page.locator(":target").evaluate("one => one.getBoundingClientRect().top")

    assert page.locator('[id="finding-VIK-3.4"]').get_by_text(words).first.is_visible()
    assert 0 <= top < page.evaluate("innerHeight")


def test_the_keyboard_reaches_a_wide_table(show: Callable[..., Page]) -> None:
    page = show("late", PHONE_PX)
    table = page.get_by_role("region", name="Latency in milliseconds")
    table.focus()
    page.keyboard.press("ArrowRight")
    waits = itertools.takewhile(lambda _: not page.evaluate("document.activeElement.scrollLeft"), range(40))
    for _ in waits:
        page.wait_for_timeout(50)

    assert page.evaluate("document.activeElement.scrollLeft") > 0
