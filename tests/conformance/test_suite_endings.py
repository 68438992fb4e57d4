"""What ends a run early: the time of the run, a broken mint source, a restart command; none hides a finding."""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rich.console import Console

from conformance import restarting
from conformance.errors import ProfileBroke
from conformance.mutants.gate import profile_of
from conformance.mutants.http_app import Reply, Request
from conformance.mutants.small_connector import SmallConnector
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import FinishedRun, run
from conformance.verdicts import Verdict
from jwo.certify import Options, certify
from jwo.errors import Usage
from jwo_contract.errors import BadProfile
from jwo_contract.profile import Profile, load

Serve = Callable[[Any], str]
CHOSEN = ("VIK-1.1", "VIK-3.4", "VIK-9", "VIK-X.13", "VIK-X.14", "VIK-X.19", "CP-1.1")


class AlwaysLate(SmallConnector):
    late_s: ClassVar[float] = 2.1

    async def answer(self, request: Request) -> Reply:
        await asyncio.sleep(self.late_s)
        return await super().answer(request)


class LetsShoppersInAsAssociates(SmallConnector):
    def let_in(self, visitor: str, kind: str) -> Reply:
        del kind
        return super().let_in(visitor, "ASSOCIATE")


def with_members(profile: Profile, table: str, **members: object) -> Profile:
    return profile.model_copy(update={table: getattr(profile, table).model_copy(update=members)})


def judged(profile: Profile, only: tuple[str, ...]) -> FinishedRun:
    return run(RunConfiguration(profile, Selection(("core",), only)))


@pytest.mark.timeout(90)
def test_late_connector_ends_in_time_and_its_late_case_blocks_the_rest(serve: Serve) -> None:
    profile = with_members(profile_of(serve(AlwaysLate())), "limits", run_s=4)
    start = time.monotonic()
    results = judged(profile, CHOSEN).results

    assert time.monotonic() - start < 40
    assert results["VIK-9"].verdict is Verdict.FAIL
    blocked = [each for each in results.values() if each.verdict is Verdict.BLOCKED]
    assert {each.blocked_by for each in blocked} == {"VIK-9"}
    measured = r"the time of the run \(4 s\) was over before this case, because an answer takes 2\.\d s"
    assert re.search(measured, blocked[0].reason)


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_without_a_late_answer_the_cases_without_time_are_not_applicable(serve: Serve) -> None:
    profile = with_members(profile_of(serve(SmallConnector())), "limits", run_s=1)
    results = judged(profile, ("VIK-1.1", "VIK-X.24", "CP-X.46", "CP-X.44")).results

    assert {each.verdict for each in results.values()} <= {Verdict.PASS, Verdict.NOT_APPLICABLE}
    reasons = {each.reason for each in results.values() if each.verdict is Verdict.NOT_APPLICABLE}
    assert reasons == {"the time of the run (1 s) was over before this case; raise [limits] run_s"}


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("source", ["url", "command"])
def test_broken_mint_source_is_an_error_of_the_cases_that_need_it(serve: Serve, tmp_path: Path, source: str) -> None:
    value = {"url": "http://127.0.0.1:9/{type}", "command": "/bin/false"}[source]
    profile = with_members(profile_of(serve(SmallConnector())), "keys", minted=("shopper",), **{source: value})
    only = ("VIK-1.1", "CP-1.1", "CP-2", "CP-3.1", "E2E-X.1")
    with pytest.raises(Usage, match=rf"\[keys\] {source}"):
        certify(profile, Options(Selection(("core",), only), out=tmp_path), Console(quiet=True))

    assert (tmp_path / "report.json").is_file()
    found = {each: result.verdict for each, result in judged(profile, only).results.items()}
    passed = dict.fromkeys(("CP-1.1", "CP-2", "CP-3.1"), Verdict.PASS)
    assert found == passed | {"VIK-1.1": Verdict.ERROR, "E2E-X.1": Verdict.ERROR}


@pytest.mark.timeout(60)
def test_shopper_answered_as_an_associate_is_a_finding(serve: Serve, tmp_path: Path) -> None:
    profile = profile_of(serve(LetsShoppersInAsAssociates()))
    options = Options(Selection(("core",), ("VIK-1.1", "E2E-X.1", "E2E-X.5")), out=tmp_path)

    assert certify(profile, options, Console(quiet=True)) == 1
    results = judged(profile, options.selection.only).results
    assert results["VIK-1.1"].verdict is Verdict.FAIL
    assert {results[each].blocked_by for each in ("E2E-X.1", "E2E-X.5")} == {"VIK-1.1"}


def test_restart_command_may_leave_a_server_that_holds_its_output(serve: Serve) -> None:
    server = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(8)'])"
    profile = with_members(
        profile_of(serve(SmallConnector())), "connector", restart_command=shlex.join([sys.executable, "-c", server])
    )
    start = time.monotonic()
    restarting.restart(profile)
    assert time.monotonic() - start < 6


def test_restart_waits_for_an_outage_that_begins_after_the_command() -> None:
    program = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True)"
    with subprocess.Popen([sys.executable, "-c", f"{program}; time.sleep(30)"], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        profile = profile_of(f"http://127.0.0.1:{int(server.stdout.readline())}")
        profile = with_members(profile, "connector", restart_command="true")
        timer = threading.Timer(0.7, server.kill)
        timer.start()
        start = time.monotonic()
        restarting.restart(profile)
        elapsed_s = time.monotonic() - start
        timer.join()
    assert 0.6 < elapsed_s < 1.9


def test_failing_restart_command_says_why(serve: Serve) -> None:
    command = shlex.join(["/bin/sh", "-c", "echo no such container >&2; exit 3"])
    profile = with_members(profile_of(serve(SmallConnector())), "connector", restart_command=command)
    with pytest.raises(ProfileBroke, match="restart_command failed: exit code 3: no such container"):
        restarting.restart(profile)


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), ("no certificate", "no certificate in PEM")])
def test_unusable_ca_file_is_an_error_of_the_profile(tmp_path: Path, content: str | None, why: str) -> None:
    if content:
        (tmp_path / "ca.pem").write_text(content, encoding="utf-8")
    (tmp_path / "jwo.toml").write_text('[connector]\nurl = "https://localhost"\nca_file = "ca.pem"\n', encoding="utf-8")
    with pytest.raises(BadProfile, match=why):
        load(tmp_path / "jwo.toml")
