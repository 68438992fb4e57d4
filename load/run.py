"""Runs a load test: starts Locust in a separate process, passes on its progress, and reads its report.

An import of Locust patches sockets and TLS of the whole process, so this process never imports it.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jwo_toolkit.lifeline import tied
from jwo_toolkit.own_packages import OWN_MODULE
from load import saturation
from load.errors import USAGE_PREFIX, BadOptions, GeneratorBroke
from load.report.baseline import check
from load.report.writing import check_out, paths
from load.settings import LoadOptions, scenario_file
from load.target import check_rate_limit, reach, target

_GRACE_S = 200.0
_STOP_WITHIN_S = 15.0
_LOOK_EVERY_S = 0.02
_LOG_LINES = 12


@dataclass(frozen=True)
class Progress:
    """The sum of the workers' counts, once per second; `lag_us` is the longest lag of the last two seconds.

    The percentiles are those of the answers since the last report, from the intended start; None without an answer.
    """

    started: int
    answered: int
    late: int
    failed: int
    missed: int
    lag_us: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None


@dataclass(frozen=True)
class LoadReport:
    """The outcome; `document` is the content of load.json."""

    document: dict[str, Any]

    @property
    def exit_code(self) -> int:
        """0 pass, 1 fail, 3 invalid."""
        return int(self.document["verdict"]["exit_code"])


OnProgress = Callable[[Progress], None]


def run_load(options: LoadOptions, on_progress: OnProgress) -> LoadReport:
    """Run one load test, or a search. Raises BadOptions or GeneratorBroke if there is nothing to judge."""
    scenario = scenario_file(options.scenario)
    check_out(options.out)
    check(options, scenario.stem)
    profile = target(options)
    check_rate_limit(options, profile)
    reach(profile)
    with _baseline_copied(options) as copied:
        if scenario.stem == "find_knee":
            return LoadReport(saturation.search(copied, lambda probe: _once(probe, scenario, on_progress)))
        return LoadReport(_once(copied, scenario, on_progress))


@contextmanager
def _baseline_copied(options: LoadOptions) -> Iterator[LoadOptions]:
    """Copy the baseline, as this run's reports may overwrite it. Restores it if the run writes no reports."""
    if not options.baseline:
        yield options
        return
    baseline = Path(options.baseline)
    with tempfile.TemporaryDirectory(prefix="jwo-load-") as scratch:
        copy = shutil.copy2(baseline, Path(scratch) / "baseline.json")
        try:
            yield options.model_copy(update={"baseline_copy": str(copy)})
        finally:
            if not baseline.exists():
                shutil.copy2(copy, baseline)


def _once(options: LoadOptions, scenario: Path, on_progress: OnProgress) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="jwo-load-") as scratch:
        out = Path(options.out or scratch)
        report = out / "load.json"
        for stale in paths(str(out)):
            Path(stale).unlink(missing_ok=True)
        log = Path(scratch) / "locust.log"
        code = _locust(options.model_copy(update={"out": str(out)}), scenario, log, on_progress)
        if not report.is_file():
            if code == BadOptions.exit_code:
                raise BadOptions(_usage_error_in(log))
            raise GeneratorBroke(f"Locust ended with exit code {code} and without results:\n{_end_of(log)}")
        return dict(json.loads(report.read_text("utf-8")))


def _locust(options: LoadOptions, scenario: Path, log: Path, on_progress: OnProgress) -> int:
    reader, writer = os.pipe()
    options = options.model_copy(update={"progress_fd": writer})
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            _command(options, scenario),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=_prepare_child,  # noqa: PLW1509 - no thread of ours runs Python code yet
            **tied(_environment(options), writer),
        )
    os.close(writer)
    listener = threading.Thread(target=_listen, args=(reader, on_progress), daemon=True)
    listener.start()
    limit_s = options.duration_s + options.reads_for_s + _GRACE_S
    with _ended(process):
        code = exit_code_of(process, limit_s)
        if code is None:
            raise GeneratorBroke(f"Locust did not end within {limit_s:g} s:\n{_end_of(log)}")
    listener.join(_STOP_WITHIN_S)
    return code


def _command(options: LoadOptions, scenario: Path) -> list[str]:
    command = [*OWN_MODULE, "load.generator", "-f", str(scenario), "--headless", "--only-summary"]
    command += ["--host", target(options).connector.url]
    if options.workers > 1:
        port = str(_free_port())
        command += ["--processes", str(options.workers), "--master-bind-host", "127.0.0.1", "--master-bind-port", port]
        command += ["--master-port", port]
    return command


def _environment(options: LoadOptions) -> dict[str, str]:
    """Return the environment without proxies and Locust settings, and with the settings of this run."""
    unwanted = ("LOCUST_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "JWO_LOAD_")
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith(unwanted)}
    return inherited | options.as_environment()


def _prepare_child() -> None:
    """Allow many connections, and enable interrupts, which a background job of a shell ignores."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _listen(reader: int, on_progress: OnProgress) -> None:
    with os.fdopen(reader) as lines:
        for line in lines:
            on_progress(Progress(**json.loads(line)))


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Interrupt Locust if the block fails; it then ends its workers. If Locust was killed, kill its workers."""
    try:
        yield
        if process.returncode is not None and process.returncode < 0:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    except BaseException:
        process.send_signal(signal.SIGINT)
        if exit_code_of(process, _STOP_WITHIN_S) is None:
            os.killpg(process.pid, signal.SIGKILL)
            exit_code_of(process, _STOP_WITHIN_S)
        raise


def exit_code_of(process: subprocess.Popen[bytes], within_s: float) -> int | None:
    """Wait for the end of a process and return its exit code; None if it still runs after `within_s`.

    `Popen.wait` takes a lock. An interrupt at that moment leaves the lock taken, so the next wait never ends.
    """
    deadline = time.monotonic() + within_s
    while process.returncode is None:
        try:
            ended, status = os.waitpid(process.pid, os.WNOHANG)
        except ChildProcessError:  # an interrupt arrived between the wait and the assignment below
            ended, status = process.pid, 0
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
        elif time.monotonic() > deadline:
            break
        else:
            time.sleep(_LOOK_EVERY_S)
    return process.returncode


def _usage_error_in(log: Path) -> str:
    """Return the usage error in Locust's log, without Locust's own lines around it."""
    _, mark, message = log.read_text("utf-8", errors="replace").partition(USAGE_PREFIX)
    return message.splitlines()[0] if mark else _end_of(log)


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-_LOG_LINES:])
