from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from conformance.report.html import MAX_BYTES, render_html
from jwo_toolkit.json_types import JsonObject
from tests.conformance.report.reading import model

Build = Callable[..., JsonObject]
HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\"'`<b>`"


class _Page(HTMLParser):
    """Tags with attributes, and the text outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        self.text = re.sub(r"\s+", " ", "".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.words.append("" if tag == "code" else " ")
        if tag in {"script", "style"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.words.append("" if tag == "code" else " ")
        if tag in {"script", "style"}:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_a_full_run_is_one_small_file_that_loads_nothing(a_full_report: JsonObject) -> None:
    page = render_html(model(a_full_report))
    read = _Page(page)
    assert len(page.encode()) < MAX_BYTES
    assert not {"link", "img", "iframe", "object", "base"} & {tag for tag, _ in read.tags}
    assert not [tag for tag, attributes in read.tags if "src" in attributes or "style" in attributes]
    assert "url(" not in page
    assert "@import" not in page
    assert "Conformant" in read.text


def test_every_case_and_every_untested_id_is_there(a_full_report: JsonObject) -> None:
    read = _Page(render_html(model(a_full_report)))
    rows = [row for row in read.all("tr") if "data-verdict" in row]
    assert len(rows) == len(a_full_report["cases"])
    for row in a_full_report["notTested"]:
        assert f"{row['id']}" in read.text
        assert re.sub(r"\s+", " ", row["reason"].replace("`", "")) in read.text


def test_a_finding_reads_from_rule_to_replay(a_report: Build, a_case: Build, an_exchange: Build) -> None:
    exchange = an_exchange(body={"visitorDetails": {"id": "v-1"}}, curl="curl -sS http://127.0.0.1:8080/x")
    case = a_case("VIK-3.4", "fail", got="200 and a visitor", hint="The limit is not checked.", exchanges=[exchange])
    text = _Page(render_html(model(a_report([case])))).text
    wanted = [
        "Not conformant: 1 broken rule",
        "VIK-3.4 · identityKey Exceeds 1000 Characters",
        "An identityKey of more than 1000 characters is refused with 400.",
        "MUST, title of Amazon's case",
        "https://developer.amazon.com/docs/physicalstores/verify_identity_keys_test_cases.html",
        "Expected 400",
        "Got 200 and a visitor",
        "What usually causes it The limit is not checked.",
        "Run it again jwo replay VIK-3.4",
        '"visitorDetails": { "id": "v-1" }',
        "curl -sS http://127.0.0.1:8080/x",
    ]
    places = [text.find(words) for words in (re.sub(r"\s+", " ", each) for each in wanted)]
    assert -1 not in places, dict(zip(wanted, places, strict=True))
    assert places == sorted(places)


def test_findings_are_open_before_the_table_without_script(a_report: Build, a_case: Build) -> None:
    page = render_html(model(a_report([a_case("VIK-3.1"), a_case("VIK-3.4", "fail")])))
    assert page.index('id="finding-VIK-3.4"') < page.index('id="cases"')
    article = page[page.index("<article") : page.index("</article>")]
    assert article.index("Expected") < article.index("<details")
    assert '<details id="exchange-VIK-3.4" open>' in article
    assert not re.search(r"\shidden", article)


def test_a_missing_answer_has_its_reason(a_report: Build, a_case: Build, an_exchange: Build) -> None:
    text = _Page(render_html(model(a_report([a_case(verdict="fail", exchanges=[an_exchange(status=None)])])))).text
    assert "no answer (timed_out)" in text
    assert "(none: timed out)" in text


@pytest.mark.parametrize("place", ["body", "header", "got", "rule", "reason", "step", "url", "stage", "settings"])
def test_hostile_text_stays_text(a_report: Build, a_case: Build, an_exchange: Build, place: str) -> None:
    def read(text: str) -> _Page:
        exchange = an_exchange(body={"errorMsg": text} if place == "body" else None)
        exchange["response"]["headers"]["x-odd"] = text if place == "header" else "-"
        case = a_case(verdict="fail", exchanges=[exchange], reason="-")
        case |= {place: text} if place in {"got", "rule", "reason"} else {}
        case["steps"] = [{"text": text if place == "step" else "-", "ok": True}]
        details = [text if place == "stage" else "-"]
        report = a_report([case], stages=[{"name": "S", "summary": "", "ok": False, "details": details}])
        report["connector"]["url"] = text if place == "url" else "-"
        report["settings"] = {"any": text if place == "settings" else "-"}
        return _Page(render_html(model(report)))

    calm, hostile = read("calm"), read(HOSTILE)
    assert "alert(1)" in hostile.text
    assert [tag for tag, _ in hostile.tags if tag != "code"] == [tag for tag, _ in calm.tags if tag != "code"]
    assert not [tag for tag, attributes in hostile.tags if any(name.startswith("on") for name in attributes)]


def test_only_the_pages_own_script_may_run(a_report: Build) -> None:
    page = render_html(model(a_report()))
    policy = next(m["content"] for m in _Page(page).all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    script = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert policy is not None
    assert len(script) == 1
    assert f"'{_sha256(script[0])}'" in policy
    assert "default-src 'none'" in policy


def _sha256(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def test_long_bodies_are_cut_with_a_note(a_report: Build, a_case: Build, an_exchange: Build) -> None:
    body = {"errorMsg": "x" * 50_000}
    page = render_html(model(a_report([a_case(verdict="fail", exchanges=[an_exchange(body=body)])])))
    assert "more characters; all of them are in report.json" in page
    assert "x" * 10_000 not in page


def test_a_thousand_long_findings_fit_a_megabyte(a_report: Build, a_case: Build, an_exchange: Build) -> None:
    wordy = [an_exchange(body={"errorMsg": "&" * 5_000}) for _ in range(5)]
    cases = [a_case(f"VIK-3.{n}", "fail", got="<" * 5000, exchanges=wordy) for n in range(1, 1001)]
    page = render_html(model(a_report(cases)))
    assert len(page.encode()) < MAX_BYTES
    assert "Not conformant: 1000 broken rules" in page


def test_a_run_without_a_judged_case_does_not_pass(a_report: Build, a_case: Build) -> None:
    text = _Page(render_html(model(a_report([a_case(verdict="not_applicable")], latency=[])))).text
    assert "No verdict: no case was judged" in text
    assert "every case that was judged passed" not in text


def test_the_trace_links_each_published_case_to_its_result(a_report: Build, a_case: Build) -> None:
    rows = [
        {"id": "VIK-1.1", "title": "Entry", "api": "Verify Identity Keys", "tier": "core", "by": ["VIK-1.1"]},
        {"id": "PLAN-1", "title": "Plan", "api": "Plan", "tier": "core", "by": ["VIK-1.1", "CP-2"]},
    ]
    page = render_html(model(a_report([a_case("VIK-1.1", "fail")], trace=rows)))

    assert page.count('href="#case-VIK-1.1"') == 2
    assert page.count('id="case-VIK-1.1"') == 1
    assert 'CP-2 <span class="quiet">not run</span>' in page


def test_on_paper_only_the_last_exchange_of_a_finding_unfolds(
    a_report: Build, a_case: Build, an_exchange: Build
) -> None:
    page = render_html(
        model(a_report([a_case(verdict="fail", exchanges=[an_exchange(), an_exchange(), an_exchange()])]))
    )

    folded = re.findall(r'<details class="fold">\s*<summary>Exchange (\d)', page)
    assert folded == ["1", "2"]
    assert "details:not(.fold)::details-content" in page
    assert "details:not([open]):not(.fold)" in page


def test_the_page_lists_the_acts_of_a_story(a_report: Build, a_case: Build) -> None:
    page = _Page(render_html(model(a_report([a_case("CP-X.46", "warn", story=["buy nothing", HOSTILE])]))))

    assert "in the fewest acts" in page.text
    assert "buy nothing" in page.text
    assert not [tag for tag, _ in page.tags if tag == "img"]
