"""Whole runs: Locust in its own process against connectors on real sockets, and the verdict that comes of it.

The bound on the generator's lag is wide here, as other tests share the machine; one test overloads the generator.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.mutants.gallery import connector_with
from conformance.mutants.http_app import Reply, Request
from conformance.mutants.small_connector import VISITORS, SmallConnector
from load.__main__ import main
from load.errors import BadOptions, GeneratorBroke
from load.run import LoadReport, Progress, run_load
from load.settings import LoadOptions

ROOT = Path(__file__).parents[2]
SERVERS = ROOT / "benchmarks" / "load_servers"
SCENARIOS = ROOT / "benchmarks" / "load_scenarios"
WIDE_MS = 2000.0


def run(url: str, scenario: str, **more: Any) -> LoadReport:
    given = {"rate": 60, "duration_s": 1.2, "lag_bound_ms": WIDE_MS, "read_for_s": 4.0} | more
    return run_load(LoadOptions(connector=url, scenario=scenario, **given), lambda _: None)


def word(report: LoadReport) -> str:
    return str(report.document["verdict"]["word"])


@contextmanager
def _process(*command: str) -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("listening on ").strip()
        finally:
            process.kill()


def test_a_correct_connector_passes_and_leaves_its_reports(serve: Any, tmp_path: Path) -> None:
    heard: list[Progress] = []
    options = LoadOptions(
        connector=serve(SmallConnector()), rate=60, duration_s=1.5, lag_bound_ms=WIDE_MS, out=str(tmp_path)
    )

    report = run_load(options, heard.append)

    assert word(report) == "pass", report.document["verdict"]
    assert report.exit_code == 0
    assert heard[-1].started > 0
    assert json.loads((tmp_path / "load.json").read_text())["verdict"]["word"] == "pass"
    assert "<svg" in (tmp_path / "load.html").read_text()
    assert ET.fromstring((tmp_path / "junit.xml").read_bytes()).get("failures") == "0"  # noqa: S314 - our own file


def test_a_baseline_in_the_folder_of_the_reports_is_compared_with(serve: Any, tmp_path: Path) -> None:
    url, baseline = serve(SmallConnector()), tmp_path / "load.json"
    first = run(url, "gate_rush", out=str(tmp_path))

    second = run(url, "gate_rush", out=str(tmp_path), baseline=str(baseline))

    compared = second.document["baseline"]
    assert (compared["file"], compared["verdict"]) == (str(baseline), word(first))
    assert compared["latency_ms"]["p99"]["then"] == first.document["latency_ms"]["all"]["p99"]


def test_a_baseline_survives_a_run_without_results(serve: Any, tmp_path: Path) -> None:
    url, baseline, broken = serve(SmallConnector()), tmp_path / "load.json", tmp_path / "broken.py"
    broken.write_text("this is not Python\n")
    run(url, "gate_rush", out=str(tmp_path))
    before = baseline.read_bytes()

    with pytest.raises(GeneratorBroke):
        run(url, str(broken), out=str(tmp_path), baseline=str(baseline))

    assert baseline.read_bytes() == before


def test_a_connector_that_freezes_fails_with_the_right_count() -> None:
    """Frozen for 0.45 s in every 3 s with a budget of 0.3 s: one answer in twenty is late, and none is left out."""
    with _process(str(SERVERS / "stalls.py"), "freeze", "0.15") as url:
        report = run(url, str(SCENARIOS / "scans_only.py"), rate=200, duration_s=3.0, budget_s=0.3)

    counts = report.document["counts"]
    assert word(report) == "fail", report.document["verdict"]
    assert counts["scheduled"] == counts["started"] == counts["answered"] == 600
    assert counts["late"] == pytest.approx(30, abs=6)


def test_a_late_purchase_is_read_and_counted_as_committed() -> None:
    with _process(str(SERVERS / "stalls.py"), "commit_then_stall", "0.25") as url:
        report = run(url, str(SCENARIOS / "carts_only.py"), rate=100, duration_s=2.0, budget_s=0.5)

    assert report.document["counts"]["late"] == report.document["counts"]["late_commits"] == 10


def test_a_generator_that_is_too_weak_says_invalid() -> None:
    with _process(str(SERVERS / "instant.py")) as url:
        report = run(url, str(SCENARIOS / "scans_only.py"), rate=80_000, duration_s=0.15, lag_bound_ms=1.0)

    assert word(report) == "invalid"
    assert report.exit_code == 3
    assert any("the generator lagged" in reason for reason in report.document["verdict"]["reasons"])


def test_a_fast_connector_that_buys_twice_fails(serve: Any) -> None:
    report = run(serve(connector_with("buys_twice_at_once")), "duplicate_storm", duration_s=1.0)

    assert word(report) == "fail"
    assert set(report.document["findings"]) == {"doubled purchase"}


def test_workers_share_the_schedule_and_their_results_are_merged(serve: Any) -> None:
    report = run(serve(SmallConnector()), "steady_store", workers=2)

    assert word(report) == "pass", report.document["verdict"]
    assert report.document["generator"]["workers_heard"] == 2
    assert report.document["counts"]["answered"] == report.document["counts"]["scheduled"] == 72


class MintingConnector(SmallConnector):
    """Hands out keys that are good for one event each, and notes how long each waited for its use."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count()
        self._used: dict[str, str] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/mint/"):
            kind = scope["path"].rsplit("/", 1)[-1]
            text = f"key{next(self._numbers)}"
            VISITORS[text] = (text, kind.upper())
            body = json.dumps({"identityKey": base64.b64encode(text.encode()).decode()}).encode()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})
            return
        await super().__call__(scope, receive, send)

    def decide(self, request: Request) -> Reply:
        event = self.event_key(request)
        if self._used.setdefault(request.body["identityKey"], event) != event:
            return self.turn_away()
        return super().decide(request)


@pytest.mark.alone
def test_each_scan_has_a_fresh_key_minted_ahead(serve: Any, tmp_path: Path) -> None:
    url = serve(MintingConnector())
    profile = tmp_path / "jwo.toml"
    profile.write_text(f'[connector]\nurl = "{url}"\n[store]\nid = "STORE-001"\n[keys]\nurl = "{url}/mint/{{type}}"\n')

    report = run("", "gate_rush", profile=str(profile), key_ahead_s=0.5)

    assert word(report) == "pass", report.document["verdict"]
    assert report.document["generator"]["keys"] == "minted ahead of time"


def test_the_callers_folder_shadows_nothing(serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("load", "contract", "locust", "gevent"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')\n")
    url = serve(MintingConnector())
    profile = tmp_path / "jwo.toml"
    profile.write_text(f'[connector]\nurl = "{url}"\n[store]\nid = "STORE-001"\n[keys]\nurl = "{url}/mint/{{type}}"\n')
    monkeypatch.chdir(tmp_path)

    report = run("", "gate_rush", profile=str(profile), workers=2)

    assert word(report) == "pass", report.document["verdict"]


def test_keys_that_cannot_be_minted_give_no_verdict(serve: Any, tmp_path: Path) -> None:
    profile = tmp_path / "jwo.toml"
    profile.write_text(f'[connector]\nurl = "{serve(SmallConnector())}"\n[keys]\ncommand = "false"\n')

    report = run("", "gate_rush", profile=str(profile))

    assert report.exit_code == 3
    assert "no identity keys" in report.document["verdict"]["reasons"][0]


def test_locusts_own_web_page_starts_one_run_after_the_other(serve: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    command = [
        "-m",
        "locust",
        "-f",
        str(ROOT / "load" / "locustfile.py"),
        "--web-host",
        "127.0.0.1",
        "--web-port",
        port,
    ]

    with _process(*command), httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as page:
        for number, fault in enumerate(("", "answers_purchases_with_200")):
            form = {"user_count": 1, "spawn_rate": 1, "host": serve(connector_with(fault)), "rate": 50, "duration": 0.6}
            out = tmp_path / str(number)
            _until(lambda: page.post("/swarm", data=form | {"load_out": str(out)}).json()["success"])  # noqa: B023 - called at once
            _until((out / "junit.xml").exists)

    reports = [json.loads((tmp_path / name / "load.json").read_text()) for name in ("0", "1")]
    assert [set(report["findings"]) for report in reports] == [set(), {"wrong code"}]
    assert [report["counts"]["answered"] for report in reports] == [30, 30]


def _until(holds: Callable[[], bool], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if holds():
                return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


def test_nobody_listening_is_the_users_to_mend() -> None:
    with pytest.raises(BadOptions, match="nothing answers"):
        run("http://127.0.0.1:9", "gate_rush")


def test_amazons_hosts_are_never_called() -> None:
    with pytest.raises(BadOptions, match="Amazon's"):
        run("https://jwo.us-east-1.amazonphysicalstores.com", "gate_rush")


def test_an_unknown_scenario_lists_the_known_ones() -> None:
    with pytest.raises(BadOptions, match="duplicate_storm, find_knee, gate_rush"):
        run("http://127.0.0.1:9", "black_friday")


def test_a_scenario_that_cannot_be_read_is_no_finding(serve: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("this is not Python\n")

    with pytest.raises(GeneratorBroke, match="left no results"):
        run(serve(SmallConnector()), str(broken))


def test_a_locust_that_does_not_end_is_no_finding(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("load.run._GRACE_S", -5.0)

    with pytest.raises(GeneratorBroke, match=r"did not end within 0\.2 s"):
        run(serve(SmallConnector()), "gate_rush")


@pytest.mark.parametrize("make", ["file", "load.json"])
def test_a_folder_that_takes_no_reports_is_told_before_the_run(tmp_path: Path, make: str) -> None:
    (tmp_path / "load.json").mkdir()
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "deeper" if make == "file" else tmp_path

    with pytest.raises(BadOptions, match="--out"):
        run("http://127.0.0.1:9", "gate_rush", out=str(out))


def test_what_nobody_foresaw_is_no_finding(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError("by zero\nand more")

    monkeypatch.setattr("load.__main__.run_load", breaks)

    assert main(["--connector", "http://127.0.0.1:9"]) == 3
    assert capsys.readouterr().err == "load: the generator broke: ZeroDivisionError: by zero\n"


def test_starting_a_run_never_imports_locust_here() -> None:
    code = "import sys, load.run, load.__main__; sys.exit(any(name in sys.modules for name in ('locust', 'gevent')))"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
