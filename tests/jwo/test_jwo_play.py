"""`jwo play` and `jwo platform --ready`: one command starts a store, and its end ends everything."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.jwo.conftest import Jwo

pytestmark = pytest.mark.timeout(90)
STORE, GATE = "STORE-001", "STORE-001-GATE-1"
FIRST_GATE_WITHIN_S = 30


@contextmanager
def running(*words: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], Callable[[str], re.Match[str]]]]:
    """Run `jwo` with words; yields the process, and a function that waits for a pattern in its output."""
    output = folder / "output"
    with output.open("w") as file:
        process = subprocess.Popen([sys.executable, "-m", "jwo", *words], stdout=file, stderr=file, text=True)

    def wait_for(pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + 60
        while not (found := re.search(pattern, output.read_text(), re.DOTALL)):
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.05)
        return found

    try:
        yield process, wait_for
    finally:
        process.kill()
        process.wait(10)


def ended(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=15)
    return alive == []


def open_first_gate(api: httpx.Client) -> Any:
    body = api.post("/samples/shopper").raise_for_status().json()
    return api.post(f"/gates/{GATE}/scans", json=body).raise_for_status().json()


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_first_gate_opens_soon_and_the_end_of_play_ends_everything(tmp_path: Path, end: signal.Signals) -> None:
    started = time.monotonic()
    with running("play", "--no-browser", "--no-visitors", folder=tmp_path) as (process, wait_for):
        url = wait_for(r"Open (http://\S+)/ui/ in a browser")[1]
        with httpx.Client(base_url=url, timeout=10) as api:
            assert open_first_gate(api)["opens"]
            assert time.monotonic() - started < FIRST_GATE_WITHIN_S
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(end)
        process.wait(20)

    assert len(children) >= 2
    assert ended(children)


@pytest.mark.slow
def test_shelves_hold_the_catalog_of_the_sample_retailer(tmp_path: Path) -> None:
    with running("play", "--no-browser", "--no-visitors", folder=tmp_path) as (_, wait_for):
        url = wait_for(r"Open (http://\S+)/ui/ in a browser")[1]
        with httpx.Client(base_url=url, timeout=10) as api:
            deadline = time.monotonic() + 30
            while not any(one["price"] for one in _goods(api)):
                assert time.monotonic() < deadline
                time.sleep(0.1)
            opens = {one["kind"]: _show(api, one)["opens"] for one in api.get("/samples").json()["visitors"]}
            phone = httpx.get(api.get("/samples").json()["appUrl"])

    cards_and_others = {"card_low_risk", "card_adjusted", "palm", "loyalty"}
    let_in = {"shopper", "associate", "cash_shopper", "badge", "associate_badge"} | cards_and_others
    assert {kind for kind, is_open in opens.items() if is_open} == let_in
    assert phone.status_code == 200


def test_own_connector_gets_its_keys_and_items(
    tmp_path: Path, mutant: Callable[[str], str], profile: Callable[..., Path]
) -> None:
    file = profile(mutant(""))
    with running("play", "--no-browser", "--no-visitors", "--profile", str(file), folder=tmp_path) as (_, wait_for):
        url = wait_for(r"Open (http://\S+)/ui/ in a browser")[1]
        with httpx.Client(base_url=url, timeout=10) as api:
            trip = open_first_gate(api)["shoppingTripId"]
            sku = _goods(api)[0]["sku"]
            api.post(f"/trips/{trip}/pick", json={"sku": sku}).raise_for_status()
            api.post(f"/trips/{trip}/leave").raise_for_status()
            deadline = time.monotonic() + 10
            while api.get("/deliveries", params={"tripId": trip}).json()[0]["state"] != "delivered":
                assert time.monotonic() < deadline
                time.sleep(0.05)


def test_connector_that_does_not_answer_is_a_usage_error(jwo: Jwo, profile: Callable[..., Path]) -> None:
    done = jwo("play", "--no-browser", "--profile", str(profile("http://127.0.0.1:9")))

    assert done.returncode == 2
    assert "http://127.0.0.1:9" in done.stderr


def test_ready_platform_prints_calls_that_work(tmp_path: Path) -> None:
    with running("platform", "--ready", folder=tmp_path) as (_, wait_for):
        printed = wait_for(r"^listening on (http://\S+)\n(.*?/deliveries\n)")
        calls = [shlex.split(line) for line in printed[2].splitlines() if line.startswith("curl ")]
        answers = [subprocess.run([*call, "--fail"], capture_output=True, text=True, check=False) for call in calls]
        account = httpx.get(f"{printed[1]}/portal/merchants").json()[0]["accounts"]

    trip_calls = [n for n, call in enumerate(calls) if any("TRIP_ID" in word for word in call)]
    assert [n for n, answer in enumerate(answers) if answer.returncode] == trip_calls  # there is no such trip
    assert account == ["123456789012"]


def _goods(api: httpx.Client) -> Any:
    return api.get(f"/stores/{STORE}/goods").raise_for_status().json()["goods"]


def _show(api: httpx.Client, sample: dict[str, str]) -> Any:
    body = api.post(f"/samples/{sample['kind']}").raise_for_status().json()
    return api.post(f"/gates/{GATE}/{sample['way']}", json=body).raise_for_status().json()
