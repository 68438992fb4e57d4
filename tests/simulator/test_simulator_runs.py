"""Runs that the control API starts: one process at a time, its events, its files, its end, and what is refused."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.app import create_app
from simulator.portal.stores import Store
from simulator.runs import CertifyRequest, Command, LoadRequest
from simulator.settings import PlatformSettings
from tests.conftest import served

CERTIFY = {"kind": "certify", "store": "S"}
QUICK = """
import json, sys, pathlib
print(json.dumps({"event": "selected", "cases": [{"id": "A-1"}]}))
print("no json")
print(json.dumps({"event": "case", "id": "A-1", "verdict": "fail"}), flush=True)
pathlib.Path(sys.argv[1], "report.html").write_text("<p>judged</p>")
pathlib.Path(sys.argv[1], "profile.toml").write_text("secret")
print(json.dumps({"event": "ended", "verdict": "fail"}))
sys.exit(1)
"""
ENDLESS = 'import os, time; print(\'{"event": "pid", "pid": %d}\' % os.getpid(), flush=True); time.sleep(60)'
BROKEN = "import sys; sys.exit('jwo: what is wrong')"


class Scripts:
    """Commands that run a Python script instead of a suite."""

    script = QUICK

    def offer(self, store: Store) -> dict[str, Any]:
        return {"connector": store.id}

    def command(self, _request: CertifyRequest | LoadRequest, _store: Store, folder: Path) -> Command:
        return Command((sys.executable, "-I", "-c", self.script, str(folder)), dict(os.environ))


@pytest.fixture
def scripts() -> Scripts:
    return Scripts()


@contextmanager
def platform(scripts: Scripts | None) -> Iterator[httpx.Client]:
    settings = PlatformSettings(base_url="http://127.0.0.1", stores_alone=True)
    with served(create_app(settings, run_commands=scripts)) as url, httpx.Client(base_url=url, timeout=20) as client:
        setup = {"retailer": "r", "connector": {"url": "http://127.0.0.1:1", "auth": "none"}, "gates": ["G"]}
        client.put("/portal/stores/S", json=setup).raise_for_status()
        yield client


@pytest.fixture
def client(scripts: Scripts) -> Iterator[httpx.Client]:
    with platform(scripts) as client:
        yield client


def test_run_shows_events_verdict_and_files(client: httpx.Client) -> None:
    started = client.post("/runs", json=CERTIFY)
    run = ended(client, started.json()["id"])

    assert started.status_code == 201
    assert (run["state"], run["exitCode"], run["result"]) == ("ended", 1, {"verdict": "fail"})
    assert [event["event"] for event in run["events"]] == ["selected", "case", "ended"]
    assert run["files"] == ["report.html"]


def test_events_after_a_number_are_the_rest(client: httpx.Client) -> None:
    run = ended(client, client.post("/runs", json=CERTIFY).json()["id"])
    rest = client.get(f"/runs/{run['id']}?after=2").json()
    assert ([event["event"] for event in rest["events"]], rest["eventCount"]) == (["ended"], 3)


@pytest.mark.parametrize("name", ["profile.toml", "log", "..%2Fprofile.toml", "%2e%2e%2flog", "load.html", "junit.xml"])
def test_only_written_report_files_are_served(client: httpx.Client, name: str) -> None:
    run = ended(client, client.post("/runs", json=CERTIFY).json()["id"])
    report = client.get(f"/runs/{run['id']}/files/report.html")

    assert (report.text, report.headers["content-type"]) == ("<p>judged</p>", "text/html; charset=utf-8")
    assert "default-src 'none'" in report.headers["content-security-policy"]
    assert client.get(f"/runs/{run['id']}/files/{name}").status_code == 404


def test_second_run_at_the_same_time_is_refused(client: httpx.Client, scripts: Scripts) -> None:
    scripts.script = ENDLESS
    first = client.post("/runs", json=CERTIFY).json()["id"]
    second = client.post("/runs", json=CERTIFY)
    client.delete(f"/runs/{first}")

    assert second.status_code == 409
    assert f"{first} is running" in second.json()["errorMsg"]
    assert ended(client, first)["state"] == "stopped"


def test_deleted_run_and_its_files_are_gone(client: httpx.Client) -> None:
    run = ended(client, client.post("/runs", json=CERTIFY).json()["id"])
    client.delete(f"/runs/{run['id']}").raise_for_status()
    assert client.get(f"/runs/{run['id']}").status_code == 404
    assert client.get(f"/runs/{run['id']}/files/report.html").status_code == 404


def test_end_of_the_platform_ends_the_process(scripts: Scripts) -> None:
    scripts.script = ENDLESS
    with platform(scripts) as client:
        run = client.post("/runs", json=CERTIFY).json()["id"]
        (event,) = until(lambda: client.get(f"/runs/{run}").json()["events"])
    with pytest.raises(ProcessLookupError):
        os.kill(event["pid"], 0)


def test_command_without_a_verdict_shows_its_error(client: httpx.Client, scripts: Scripts) -> None:
    scripts.script = BROKEN
    run = ended(client, client.post("/runs", json=CERTIFY).json()["id"])
    assert (run["problem"], run["result"]) == ("jwo: what is wrong", {})


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "certify", "store": "S", "only": ["--out"]},
        {"kind": "certify", "store": "S", "tiers": ["outer"]},
        {"kind": "certify", "store": "S", "tiers": []},
        {"kind": "certify", "store": "S", "connector": "http://192.0.2.1"},
        {"kind": "load", "store": "S", "scenario": "../evil.py"},
        {"kind": "load", "store": "S", "scenario": "gate_rush", "rate": 1e9},
        {"kind": "load", "store": "S", "scenario": "gate_rush", "durationS": 1e9},
        {"kind": "shell", "store": "S"},
    ],
)
def test_request_outside_the_bounds_is_refused(client: httpx.Client, body: dict[str, Any]) -> None:
    assert client.post("/runs", json=body).status_code == 400
    assert client.get("/runs").json() == []


def test_unknown_store_and_run_are_not_found(client: httpx.Client) -> None:
    assert client.post("/runs", json={**CERTIFY, "store": "none"}).status_code == 404
    assert client.get("/runs/run-99").status_code == 404
    assert client.get("/runs/kinds?store=none").status_code == 404


def test_platform_without_commands_refuses_a_run() -> None:
    with platform(None) as client:
        refused = client.post("/runs", json=CERTIFY)
        assert client.get("/runs/kinds?store=S").json() == {}
    assert refused.status_code == 409
    assert "jwo play" in refused.json()["errorMsg"]


def ended(client: httpx.Client, run_id: str) -> dict[str, Any]:
    def state() -> dict[str, Any]:
        run: dict[str, Any] = client.get(f"/runs/{run_id}").json()
        return run if run["state"] != "running" else {}

    return until(state)


def until(find: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if found := find():
            return found
        time.sleep(0.02)
    raise AssertionError("nothing within 20 s")
