"""Certifications and load tests of a store's connector, as separate processes that the control API starts and stops.

A run calls the connector directly, so nothing of it is on the floor. The starter of the platform gives the commands.
One run takes place at a time, and the platform keeps the last runs with their report files until it stops.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field

from jwo_contract.values import format_instant
from jwo_toolkit.json_types import JsonObject
from jwo_toolkit.lifeline import tied
from simulator.errors import BadCall, NotKnown, NotNow
from simulator.portal.stores import Store, Stores

MOST_RATE, LONGEST_LOAD_S = 500, 600
_KEPT = 20
_MOST_EVENTS = 5_000
_LONGEST_LINE = 2_000_000
_NOTE_EVERY_S = 0.5
_STOP_WITHIN_S = 10.0
_LOG_LINES, _LOG_BYTES = 12, 4_000
REPORTS: dict[str, dict[str, str]] = {
    "certify": {
        "report.html": "text/html; charset=utf-8",
        "report.json": "application/json",
        "junit.xml": "application/xml",
        "badge.svg": "image/svg+xml",
        "attestation.json": "application/json",
    },
    "load": {
        "load.html": "text/html; charset=utf-8",
        "load.json": "application/json",
        "junit.xml": "application/xml",
    },
}
"""The files of a run that the platform serves, the report for people first, with their media types."""
State = Literal["running", "ended", "stopped"]
NoteChange = Callable[[str, str], None]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    store: str = Field(min_length=1, max_length=255, description="Id of the store with the connector to test.")


class CertifyRequest(_Request):
    """A certification to start."""

    kind: Literal["certify"]
    tiers: tuple[Literal["core", "entry", "catalog"], ...] = Field(default=("core",), min_length=1, max_length=3)
    only: tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9.-]{0,39}$")], ...] = Field(
        default=(), max_length=100, description="Ids of the only cases to run; none means all of the tiers."
    )
    strict: bool = Field(default=False, description="Whether a broken SHOULD or house rule fails the run too.")


class LoadRequest(_Request):
    """A load test to start."""

    kind: Literal["load"]
    scenario: str = Field(pattern=r"^[a-z][a-z_]{0,39}$", description="A name of GET /runs/kinds.")
    rate: float = Field(default=20, gt=0, le=MOST_RATE, description="Requests per second at the scenario's peak.")
    durationS: float = Field(default=30, ge=1, le=LONGEST_LOAD_S)  # noqa: N815 - the wire's spelling


RunRequest = Annotated[CertifyRequest | LoadRequest, Field(discriminator="kind")]


class Command(NamedTuple):
    """A command that prints lines of JSON, and writes its report files to the folder of the run."""

    words: tuple[str, ...]
    environment: Mapping[str, str]


class RunCommands(Protocol):
    """Where commands come from: the starter of the platform knows the command line and the test keys."""

    def offer(self, store: Store) -> JsonObject:
        """Return what can be started for a store, for GET /runs/kinds."""
        ...

    def command(self, request: CertifyRequest | LoadRequest, store: Store, folder: Path) -> Command:
        """Return the command of a run. Raises BadCall or NotNow, with what to do, if there is none."""
        ...


@dataclass
class Run:
    """One run and what its process has reported so far."""

    id: str
    request: CertifyRequest | LoadRequest
    connector: str
    folder: Path
    started_at: datetime
    state: State = "running"
    exit_code: int | None = None
    took_s: float = 0.0
    is_stopping: bool = False
    problem: str = ""
    result: JsonObject = field(default_factory=dict)
    """The members of the last event, with the verdict; empty if the run had none."""
    events: list[JsonObject] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def show(self, after: int | None = None) -> JsonObject:
        """Return the run as JSON, with the events after a number of them if it is given."""
        shown: JsonObject = {
            "id": self.id,
            **self.request.model_dump(mode="json"),
            "connector": self.connector,
            "state": self.state,
            "startedAt": format_instant(self.started_at),
            "tookS": round(self.took_s, 1),
            "exitCode": self.exit_code,
            "result": self.result,
            "problem": self.problem,
            "files": self.files(),
        }
        if after is not None:
            shown |= {"events": self.events[after:], "eventCount": len(self.events)}
        return shown

    def files(self) -> list[str]:
        """Return the names of the report files that the run has written."""
        if self.state == "running":
            return []
        return [name for name in REPORTS[self.request.kind] if (self.folder / name).is_file()]


class Runs:
    """Starts, watches and stops runs. `note_change` gets the path of a run whenever it has news."""

    def __init__(self, stores: Stores, commands: RunCommands | None, note_change: NoteChange) -> None:
        self._stores = stores
        self._commands = commands
        self._note_change = note_change
        self._runs: dict[str, Run] = {}
        self._numbers = count(1)
        self._folder: Path | None = None
        self._lock = threading.Lock()

    def kinds(self, store_id: str) -> JsonObject:
        """Return what can be started for a store. Raises NotKnown if there is no such store."""
        store = self._stores.get(store_id)
        return self._commands.offer(store) if self._commands else {}

    async def start(self, request: CertifyRequest | LoadRequest) -> JsonObject:
        """Start a run. Raises NotNow while another one runs, or if this platform has no commands for runs."""
        run = await asyncio.to_thread(self._start, request)
        threading.Thread(target=self._follow, args=(run, asyncio.get_running_loop()), daemon=True).start()
        self._note_change("POST", f"/runs/{run.id}")
        return run.show()

    def all(self) -> list[JsonObject]:
        """Return all kept runs, the newest first."""
        return [run.show() for run in reversed(self._runs.values())]

    def show(self, run_id: str, after: int) -> JsonObject:
        """Return a run with its events after a number of them. Raises NotKnown if there is no such run."""
        return self._get(run_id).show(after)

    def stop(self, run_id: str) -> JsonObject:
        """Stop a run; forget one that has ended, with its files. Raises NotKnown if there is no such run."""
        run = self._get(run_id)
        if run.state == "running":
            run.is_stopping = True
            threading.Thread(target=_end, args=(run,), daemon=True).start()
        else:
            self._forget(run)
        self._note_change("DELETE", f"/runs/{run_id}")
        return run.show()

    def file(self, run_id: str, name: str) -> tuple[Path, str]:
        """Return the path and media type of a report file. Raises NotKnown if the run has no such file."""
        run = self._get(run_id)
        if name not in run.files():
            raise NotKnown("file", name[:80], hint=f"{run_id} has {', '.join(run.files()) or 'no files'}")
        return run.folder / name, REPORTS[run.request.kind][name]

    def close(self) -> None:
        """End the running process, and delete all files."""
        for run in list(self._runs.values()):
            run.is_stopping = True
            _end(run)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _start(self, request: CertifyRequest | LoadRequest) -> Run:
        store = self._stores.get(request.store)
        if self._commands is None:
            raise NotNow("this platform cannot start runs", hint="start it with: jwo play, or: jwo platform")
        connector = store.connector_for("identity")
        if connector is None:
            raise NotNow(f"store {store.id} has no connector", hint="set up its connector first")
        with self._lock:
            if busy := [run for run in self._runs.values() if run.state == "running"]:
                raise NotNow(f"{busy[0].id} is running", hint="wait for its end, or stop it with DELETE /runs/{id}")
            run = Run(f"run-{next(self._numbers)}", request, connector.url, self._make_folder(), datetime.now(UTC))
            try:
                run.process = _started(self._commands.command(request, store, run.folder), run.folder)
            except ValueError as error:  # a process cannot get a text with a null byte or half a character
                raise BadCall(
                    f"a text of the store's connector is not usable: {error}", hint="correct the store"
                ) from error
            self._runs[run.id] = run
            self._forget_old()
        return run

    def _get(self, run_id: str) -> Run:
        if run_id not in self._runs:
            raise NotKnown("run", run_id[:80], hint="GET /runs lists them")
        return self._runs[run_id]

    def _make_folder(self) -> Path:
        self._folder = self._folder or Path(tempfile.mkdtemp(prefix="jwo-runs-"))
        return Path(tempfile.mkdtemp(dir=self._folder))

    def _forget_old(self) -> None:
        for run in list(self._runs.values())[:-_KEPT]:
            self._forget(run)

    def _forget(self, run: Run) -> None:
        self._runs.pop(run.id, None)
        shutil.rmtree(run.folder, ignore_errors=True)

    def _follow(self, run: Run, loop: asyncio.AbstractEventLoop) -> None:
        """Read the events of a process until it ends; runs in a thread of its own."""

        def note() -> None:
            with suppress(RuntimeError):  # the loop has ended with the platform
                loop.call_soon_threadsafe(self._note_change, "PUT", f"/runs/{run.id}")

        assert run.process is not None
        assert run.process.stdout is not None
        begun, noted = time.monotonic(), 0.0
        with run.process.stdout as lines:
            while line := lines.readline(_LONGEST_LINE):
                _receive(run, line)
                run.took_s = time.monotonic() - begun
                if time.monotonic() - noted >= _NOTE_EVERY_S:
                    noted = time.monotonic()
                    note()
        run.exit_code = run.process.wait()
        run.took_s = time.monotonic() - begun
        if not run.result and not run.is_stopping:
            run.problem = _end_of_log(run.folder / "log") or f"the process ended with exit code {run.exit_code}"
        run.state = "stopped" if run.is_stopping else "ended"
        note()


def _started(command: Command, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - the starter's own command
            command.words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            **tied(command.environment),
        )


def _receive(run: Run, line: bytes) -> None:
    """Keep an event. Drop a line that is no event, and events after the most that a run may have."""
    with suppress(ValueError):
        event = json.loads(line)
        if not isinstance(event, dict):
            return
        if event.get("event") == "ended":
            run.result = {name: value for name, value in event.items() if name != "event"}
        if len(run.events) < _MOST_EVENTS:
            run.events.append(event)


def _end(run: Run) -> None:
    if run.process is None or run.process.poll() is not None:
        return
    run.process.terminate()
    try:
        run.process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        run.process.kill()
        run.process.wait()


def _end_of_log(log: Path) -> str:
    try:
        text = log.read_bytes()[-_LOG_BYTES:].decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.strip().splitlines()[-_LOG_LINES:])
