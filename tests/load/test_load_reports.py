"""The reports: the page, the JUnit file, the comparison with a baseline, and the search for the saturation point."""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from load.errors import BadOptions, GeneratorBroke
from load.http_client.exchange import Exchange, NoAnswer
from load.priority import raise_priority
from load.recorder import Recorder
from load.report.baseline import check, compare, read, slower
from load.report.document import document
from load.report.html import html
from load.report.junit import junit
from load.results import Merging, Results
from load.saturation import search
from load.settings import LoadOptions, options_from
from load.verdict import judge

SCENARIO: dict[str, Any] = {
    "name": "a <b>scenario</b>",
    "title": "t",
    "arrivals": "evenly spaced",
    "mix": {"scan": 1.0},
}


def some_results(*latencies_ms: float, missed: int = 0, failure: NoAnswer | None = None) -> Results:
    recorder = Recorder(2_000_000_000, 0)
    for place, latency_ms in enumerate(latencies_ms):
        at = place * 100_000_000
        exchange = Exchange(at, b"", None, started_ns=at, answered_ns=at + int(latency_ms * 1e6), status=200)
        exchange.failure = failure
        recorder.started(exchange)
        recorder.ended(exchange, "scan", None)
    if missed:
        recorder.miss("no identity key was ready", missed)
    return Merging([len(latencies_ms) + missed], 1, [recorder.snapshot()]).results()


def a_document(*latencies_ms: float, **more: Any) -> dict[str, Any]:
    options = LoadOptions(connector="http://127.0.0.1:1")
    results = some_results(*latencies_ms, **more)
    return document(results, judge(results, options), options, SCENARIO, None)


DOCUMENTS = {
    "pass": lambda: a_document(*[5.0] * 40),
    "fail": lambda: a_document(*[5.0] * 39, 2500.0),
    "invalid": lambda: a_document(*[5.0] * 40, missed=2),
    "unanswered": lambda: a_document(5.0, failure=NoAnswer.BROKEN),
    "nothing": a_document,
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_page_has_no_external_resource(name: str) -> None:
    page = html(DOCUMENTS[name]())

    assert "<script" not in page
    assert not re.search(r'(?:src="|href="[^#])|url\(|@import', page)
    assert page.count("<svg") >= 4
    assert "a <b>scenario" not in page


def test_page_shows_the_verdict_and_its_reasons() -> None:
    page = html(DOCUMENTS["fail"]())

    assert "1 of 40 answers later than 2 s" in page
    assert "budget 2 s" in page


@pytest.mark.parametrize(("answers", "is_shown"), [(40, False), (120, True)])
def test_page_has_no_percentile_that_the_sample_does_not_support(answers: int, is_shown: bool) -> None:  # noqa: FBT001 - a parameter of the test
    row = re.findall(r"<th scope=\"row\">all requests</th>(.*?)</tr>", html(a_document(*[5.0] * answers)), re.DOTALL)[0]
    cells = re.findall(r">([^<]*)</td>", row)

    assert (cells[0], cells[1], cells[-1]) == (str(answers), "5.00", "5.00")
    assert (cells[4] != "-") is is_shown


@pytest.mark.parametrize("name", ["pass", "fail", "invalid"])
def test_page_says_what_the_result_does_not_mean(name: str) -> None:
    assert "It does not mean that Amazon approves the connector" in html(DOCUMENTS[name]())


@pytest.mark.parametrize(
    ("name", "failures", "errors"), [("pass", 0, 0), ("fail", 1, 0), ("invalid", 0, 1), ("unanswered", 1, 0)]
)
def test_junit_counts_broken_claims(name: str, failures: int, errors: int) -> None:
    suite = ET.fromstring(junit(DOCUMENTS[name]()))  # noqa: S314 - our own file

    assert (int(suite.get("failures", "")), int(suite.get("errors", ""))) == (failures, errors)
    assert len(suite.findall("testcase/failure")) == failures
    assert len(suite.findall("testcase")) == int(suite.get("tests", ""))


def test_document_is_plain_json() -> None:
    assert json.loads(json.dumps(a_document(5.0)))["counts"]["started"] == 1


def test_slowdown_against_a_baseline_is_measured(tmp_path: Path) -> None:
    earlier = tmp_path / "load.json"
    earlier.write_text(json.dumps(a_document(*[5.0] * 100)))
    options = LoadOptions(baseline=str(earlier), max_slowdown=0.5, rate=99)

    compared = compare(some_results(*[9.0] * 100), options, SCENARIO["name"])
    allowed = compare(some_results(*[9.0] * 100), options.model_copy(update={"max_slowdown": 1.0}), "another")

    assert compared is not None
    assert allowed is not None
    assert compared["latency_ms"]["p99"]["factor"] == pytest.approx(1.8, rel=0.01)
    assert (compared["differs_in"], allowed["differs_in"]) == (["rate"], ["scenario", "rate"])
    assert slower(compared) == "p99 is 1.80 times that of the baseline; the limit is 1.50"
    assert slower(allowed) == ""


def test_slower_run_fails_with_its_reason() -> None:
    verdict = judge(some_results(5.0), LoadOptions(), slower="p99 is 3 times that of the baseline")

    assert (verdict.word, verdict.exit_code) == ("fail", 1)


@pytest.mark.parametrize("text", ["{}", "not JSON", '{"suite": {"name": "other"}}'])
def test_file_that_is_not_an_earlier_run_is_a_usage_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(text)

    with pytest.raises(BadOptions, match=r"is not the load\.json"):
        read(str(file))


@pytest.mark.parametrize(
    "histogram", ["", "AAAA", "HISTFAAAAEV4nJNpmSzMwMCgyAABzFCaEUoz2X+AsQA/awJl", "not Base64", None, 7]
)
def test_damaged_baseline_is_reported_before_the_run(tmp_path: Path, histogram: object) -> None:
    file = tmp_path / "load.json"
    earlier = a_document(5.0)
    earlier["histograms"]["scan_warm"] = histogram
    file.write_text(json.dumps(earlier))

    with pytest.raises(BadOptions, match=r"is damaged|is not the load"):
        check(LoadOptions(baseline=str(file)), "gate_rush")


@pytest.mark.parametrize("part", ["scenario", "verdict", "counts", "options", "histograms"])
def test_incomplete_baseline_is_reported_before_the_run(tmp_path: Path, part: str) -> None:
    file = tmp_path / "load.json"
    file.write_text(json.dumps({name: value for name, value in a_document(5.0).items() if name != part}))

    with pytest.raises(BadOptions, match=f"is not the load.*{part}"):
        check(LoadOptions(baseline=str(file)), "gate_rush")


def test_slowdown_is_judged_only_for_the_same_scenario_and_rate(tmp_path: Path) -> None:
    file = tmp_path / "load.json"
    file.write_text(json.dumps(a_document(5.0)))
    shown = LoadOptions(baseline=str(file), rate=99)
    judged = shown.model_copy(update={"max_slowdown": 0.5})

    check(shown, "another")
    check(judged.model_copy(update={"rate": 50}), SCENARIO["name"])
    with pytest.raises(BadOptions, match=r"scenario, rate differ"):
        check(judged, "another")
    with pytest.raises(BadOptions, match="--baseline"):
        check(LoadOptions(max_slowdown=0.5), "another")


def a_probe(knee: float, generator: float) -> Any:
    def run(options: LoadOptions) -> dict[str, Any]:
        if options.rate > generator:
            results = some_results(5.0, missed=1)
        else:
            results = some_results(5.0, 2500.0 if options.rate > knee else 5.0)
        return document(results, judge(results, options), options, SCENARIO, None)

    return run


@pytest.mark.parametrize(
    ("knee", "generator", "word", "code"),
    [(400, 9000, "pass", 0), (150, 9000, "fail", 1), (400, 120, "invalid", 3), (5, 9000, "fail", 1)],
)
def test_search_finds_the_saturation_point(knee: float, generator: float, word: str, code: int) -> None:
    report = search(LoadOptions(rate=200), a_probe(knee, generator))

    assert (report["verdict"]["word"], report["verdict"]["exit_code"]) == (word, code)
    assert 0.85 * min(knee, generator) <= report["knee_per_s"] <= min(knee, generator)
    assert len(report["probes"]) <= 10
    assert '<h2 id="search">Search for the saturation point</h2>' in html(report)


def claims_of(report: dict[str, Any]) -> dict[str, bool]:
    suite = ET.fromstring(junit(report))  # noqa: S314 - our own file
    return {case.get("name", ""): case.find("failure") is not None for case in suite.findall("testcase")}


def test_search_describes_the_rates_around_the_saturation_point() -> None:
    met, missed, alone, none = (
        search(LoadOptions(rate=200), a_probe(*each)) for each in ((230, 9000), (150, 9000), (9000, 230), (0, 9000))
    )

    bound = "0 late in 2: at most 100 % at 95 % confidence"
    knee = met["knee_per_s"]
    assert met["verdict"]["reasons"][:2] == [
        f"the saturation point is at {knee:g}/s or above; 200/s are required",
        f"at {knee:g}/s: {bound}",
    ]
    assert re.match(r"at 2\d\d/s: 1 of 2 answers later", met["verdict"]["reasons"][2])
    assert re.match(r"the saturation point is at 1\d\d/s, below the required 200/s", missed["verdict"]["reasons"][0])
    assert alone["verdict"]["word"] == "pass"
    assert re.match(r"the generator reached its own limit at 2\d\d/s", alone["verdict"]["reasons"][2])
    assert "every probed rate failed" in none["verdict"]["reasons"][0]


def test_junit_of_a_search_claims_only_its_rate() -> None:
    met, missed = (search(LoadOptions(rate=200), a_probe(knee, 9000)) for knee in (400, 150))

    on_schedule = {"the generator kept the schedule": False}
    assert claims_of(met) == on_schedule | {"no late answer at 200/s": False}
    assert claims_of(missed) == on_schedule | {"no late answer at 200/s": True}


@pytest.mark.parametrize(("max_slowdown", "word"), [(0.0, "pass"), (0.2, "fail"), (2.0, "pass")])
def test_saturation_points_are_compared_with_the_baseline(tmp_path: Path, max_slowdown: float, word: str) -> None:
    earlier = tmp_path / "load.json"
    earlier.write_text(json.dumps(search(LoadOptions(rate=200), a_probe(800, 9000))))

    report = search(
        LoadOptions(rate=200, baseline=str(earlier), max_slowdown=max_slowdown, out=str(tmp_path)), a_probe(400, 9000)
    )

    assert report["verdict"]["word"] == word
    assert report["baseline"]["knee_per_s"] == [pytest.approx(800, rel=0.1), pytest.approx(400, rel=0.1)]
    assert claims_of(report)["no slower than the baseline"] == (word == "fail")
    assert "saturation point (requests/s)" in html(report)
    assert json.loads(earlier.read_text())["baseline"] == report["baseline"]


def test_probe_writes_no_reports(tmp_path: Path) -> None:
    seen: list[LoadOptions] = []

    def run(options: LoadOptions) -> dict[str, Any]:
        seen.append(options)
        raise GeneratorBroke("in the middle of the search")

    with pytest.raises(GeneratorBroke):
        search(LoadOptions(rate=200, out=str(tmp_path), baseline="load.json", max_slowdown=0.1), run)

    assert (seen[0].out, seen[0].baseline, seen[0].max_slowdown) == ("", "", 0)


def test_junit_names_a_slowdown(tmp_path: Path) -> None:
    earlier = tmp_path / "load.json"
    earlier.write_text(json.dumps(a_document(*[5.0] * 40)))
    options, results = LoadOptions(baseline=str(earlier), max_slowdown=0.5), some_results(*[9.0] * 39, 2500.0)
    compared = compare(results, options, SCENARIO["name"])
    verdict = judge(results, options, slower=slower(compared))

    claims = claims_of(document(results, verdict, options, SCENARIO, compared))

    assert [claim for claim, is_broken in claims.items() if is_broken] == [
        "answers within 2 s",
        "no slower than the baseline",
    ]


def test_flags_replace_the_environment_and_that_replaces_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWO_LOAD_RATE", "70")
    monkeypatch.setenv("JWO_LOAD_SEED", "9")

    options = options_from(rate="80", seed=None)

    assert (options.rate, options.seed, options.budget_s) == (80, 9, 2.0)


@pytest.mark.parametrize("flag", [{"rate": "0"}, {"budget_s": "-1"}, {"workers": "0"}, {"rate": "fast"}])
def test_wrong_flag_is_named(flag: dict[str, str]) -> None:
    with pytest.raises(BadOptions, match=f"--{next(iter(flag)).removesuffix('_s')}"):
        options_from(**flag)


def test_one_worker_per_core_never_asks_for_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    requested: list[str] = []
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "sched_setscheduler", lambda *_: requested.append("real time"))
    monkeypatch.setattr(os, "setpriority", lambda *_: requested.append("nice"))

    granted = [raise_priority(*each) for each in (("realtime", 3), ("realtime", 4), ("nice", 1), ("none", 1))]

    assert granted == ["real time", "nice -10", "nice -10", "ordinary"]
    assert requested == ["real time", "nice", "nice"]


def test_refused_priority_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(os, "setpriority", refuse)

    assert raise_priority("realtime", 1) == "ordinary"
