"""Early ends of a run: a usage error exits with 2 and says what to do, and a signal leaves no process."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from conformance.mutants.small_connector import SmallConnector
from load.errors import BadOptions
from load.run import LoadReport, exit_code_of, run_load
from load.settings import LoadOptions

ROOT = Path(__file__).parents[2]
TWO = """
from locust import HttpUser, task
from load.scenarios.steady_store import SteadyStore
from load.users.visitors import StoreHours

class Browsing(HttpUser):
    @task
    def look(self):
        pass
"""


def run(url: str, scenario: str, **more: Any) -> LoadReport:
    given = {"rate": 60, "duration_s": 1.2, "lag_bound_ms": 2000.0} | more
    return run_load(LoadOptions(connector=url, scenario=scenario, **given), lambda _: None)


@pytest.mark.parametrize(
    ("scenario", "missing"),
    [("gate_rush", r"\[store\] id and no \[keys\] shopper"), ("walk_out_wave", r"\[store\] id")],
)
def test_undeclared_store_that_refuses_samples_is_a_usage_error(serve: Any, scenario: str, missing: str) -> None:
    report = run(serve(SmallConnector(stores=("ANOTHER",))), scenario)

    [reason] = report.document["verdict"]["reasons"][:1]
    assert report.exit_code == 2
    assert "answers 400 to Amazon's published sample" in reason
    assert re.search(missing, reason)
    assert "jwo init" in reason
    assert report.document["counts"]["started"] == 0


def test_declared_store_that_refuses_requests_is_a_finding(serve: Any, tmp_path: Path) -> None:
    profile = tmp_path / "jwo.toml"
    store = '[store]\nid = "STORE-001"\n[keys]\nshopper = "dmFsaWRfc2hvcHBlcl9rZXk="\n[catalog]\nskus = ["SKU-001"]\n'
    profile.write_text(f'[connector]\nurl = "{serve(SmallConnector(stores=("ANOTHER",)))}"\n{store}')

    report = run("", "gate_rush", profile=str(profile))

    assert report.exit_code == 1
    assert set(report.document["findings"]) == {"wrong code"}


def test_other_users_in_a_scenario_file_are_refused(serve: Any, tmp_path: Path) -> None:
    scenario = tmp_path / "two.py"
    scenario.write_text(TWO)

    with pytest.raises(BadOptions, match=r"contains these user classes: (SteadyStore, Browsing|Browsing, SteadyStore)"):
        run(serve(SmallConnector()), str(scenario))


class DryMint(SmallConnector):
    """Mints forty keys and no more."""

    def __init__(self) -> None:
        super().__init__()
        self._made = count(1)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/mint/"):
            await super().__call__(scope, receive, send)
            return
        key = base64.b64encode(b"valid_shopper_key").decode()
        status = 200 if next(self._made) <= 40 else 507
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps({"identityKey": key}).encode()})


@pytest.mark.alone
def test_exhausted_mint_makes_the_run_invalid_with_a_reason(serve: Any, tmp_path: Path) -> None:
    url, profile = serve(DryMint()), tmp_path / "jwo.toml"
    keys = f'[keys]\nurl = "{url}/mint/{{type}}"\nminted = ["shopper"]\n'
    profile.write_text(f'[connector]\nurl = "{url}"\n[store]\nid = "STORE-001"\n{keys}')

    report = run(
        "", str(ROOT / "benchmarks" / "load_scenarios" / "scans_only.py"), profile=str(profile), key_ahead_s=0.3
    )

    [missed] = report.document["missed"]
    assert report.exit_code == 3
    assert missed.startswith("no identity key was ready: ")
    assert missed.endswith("HTTP status 507")


@pytest.mark.alone
@pytest.mark.skipif(sys.platform != "linux", reason="the test reads /proc")
@pytest.mark.parametrize(("how", "workers"), [(signal.SIGINT, 1), (signal.SIGTERM, 2), (signal.SIGKILL, 2)])
def test_ended_run_leaves_no_process(serve: Any, how: signal.Signals, workers: int) -> None:
    words = [sys.executable, "-m", "load", "--connector", serve(SmallConnector()), "--duration", "60"]
    if how == signal.SIGTERM:  # like a shell's background job, which ignores interrupts
        words = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *words]
    with subprocess.Popen(
        [*words, "--rate", "20", "--workers", str(workers)], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            assert b"/s  started" in process.stdout.readline()
            assert len(_in_session(process.pid)) == 1 + workers + (workers > 1)

            process.send_signal(how)

            assert process.wait(12) == (-how if how == signal.SIGKILL else 130)
            _wait_for_the_end_of_all(process.pid)
        finally:
            for left in _in_session(process.pid):
                os.kill(left, signal.SIGKILL)


def _wait_for_the_end_of_all(session: int, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while left := _in_session(session):
        assert time.monotonic() < deadline, f"processes {left} still run"
        time.sleep(0.05)


def _in_session(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if os.getsid(int(entry.name)) == session and "State:\tZ" not in (entry / "status").read_text():
                found.append(int(entry.name))
    return found


def test_interrupt_during_a_wait_does_not_delay_the_end() -> None:
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.exit(7)"]) as process:
        process._waitpid_lock.acquire()  # type: ignore[attr-defined]  # noqa: SLF001 - as an interrupt leaves it

        try:
            assert exit_code_of(process, 20) == 7
        finally:
            process._waitpid_lock.release()  # type: ignore[attr-defined]  # noqa: SLF001 - as above
