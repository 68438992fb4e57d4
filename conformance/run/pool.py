"""Worker processes that take groups of scenarios from one queue; the groups spend most of their time waiting."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized
from types import TracebackType
from typing import Any, Self, cast

from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.end_to_end.platform import Platform
from conformance.errors import HarnessBroke
from conformance.requests import Requests
from conformance.run.bridge import Equipment
from conformance.run.configuration import RunConfiguration
from conformance.run.controls import ControlCalls, Known
from conformance.run.plan import Group
from conformance.run.recorder import Recorder
from conformance.run.worker import environment_with, run_groups
from conformance.verdicts import CaseResult
from jwo_toolkit.lifeline import end_with_parent_process
from jwo_toolkit.own_packages import are_hidden_in_new_process

_STOP_WITHIN_S = 5
_HIDE_FOLDER = {"PYTHONSAFEPATH": "1"}
"""Keeps the caller's folder off the import path of new processes: its modules could hide those of the suite."""


@dataclass(frozen=True)
class Task:
    """The input of a worker: the configuration, the results of control calls, the groups and the variables."""

    configuration: RunConfiguration
    known: Known
    platform: Platform | None
    groups: Sequence[Group]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    """The variables of the first process: a worker runs commands of the profile with them."""


class Pool:
    """Runs groups of scenarios in worker processes during a `with` block.

    `finish` waits for the workers and records their results. The end of the block stops workers that are still running.
    """

    def __init__(self, task: Task, workers: int, recorder: Recorder) -> None:
        self._task = pickle.dumps(task)
        self._workers = workers
        self._recorder = recorder
        self._running: dict[Connection, BaseProcess] = {}
        self._processes: list[BaseProcess] = []

    def __enter__(self) -> Self:
        try:
            with _hidden_main(), environment_with(_HIDE_FOLDER):
                self._start()
        except (OSError, EOFError) as error:
            self._end()
            raise HarnessBroke(f"the suite's worker processes could not start: {type(error).__name__}") from error
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _start(self) -> None:
        context = _context()
        self._next = context.Value("i", 0)  # an attribute, because it must exist until the workers read it
        for _ in range(self._workers):
            results, worker_end = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(self._task, self._next, worker_end), daemon=True)
            process.start()
            worker_end.close()
            self._running[results] = process
            self._processes.append(process)

    def _end(self) -> None:
        for process in self._processes:
            _end(process)
        for process in self._processes:
            process.join(_STOP_WITHIN_S)
        for pipe in self._running:
            pipe.close()

    def finish(self) -> None:
        """Record each result, and the control calls of each worker, until all workers have finished.

        Raises HarnessBroke if a worker fails.
        """
        while self._running:
            for pipe in wait(list(self._running)):
                assert isinstance(pipe, Connection)
                received = _receive(pipe)
                if received is None:
                    del self._running[pipe]
                    pipe.close()
                elif isinstance(received, CaseResult):
                    self._recorder.record(received)
                else:
                    self._recorder.controls += received


class _Relay(Recorder):
    """A worker's recorder: it sends each result to the process that started the worker."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__()
        self._pipe = pipe

    def record(self, result: CaseResult) -> None:
        """Send a result."""
        self._pipe.send(("result", result))


def _receive(pipe: Connection) -> CaseResult | list[Exchange] | None:
    """Return the next result of a worker, its control calls at its end, or None if the worker has finished.

    Raises HarnessBroke if the worker failed or ended.
    """
    try:
        kind, content = pipe.recv()
    except EOFError as error:
        raise HarnessBroke("a worker of the suite ended unexpectedly") from error
    if kind == "broke":
        raise HarnessBroke(content)
    return cast("CaseResult | list[Exchange]", content) if kind != "done" else None


def _context() -> Any:  # noqa: ANN401 - a context's class depends on the system
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # a fork server has the import path of a new process, and a worker then gets that of this process
    context.set_forkserver_preload([] if are_hidden_in_new_process() else ["conformance.run.preload"])
    return context


@contextlib.contextmanager
def _hidden_main() -> Iterator[None]:
    """Keep new processes from importing the caller's main module: a worker does not need it, and it may do work."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _work(task_bytes: bytes, following: Synchronized[int], pipe: Connection) -> None:
    """Run groups until the queue is empty. The main function of a worker process."""
    end_with_parent_process()
    if hasattr(os, "setsid"):
        os.setsid()  # a process group of its own, so that only the first process gets an interrupt from the keyboard
    try:
        task: Task = pickle.loads(task_bytes)  # noqa: S301 - our own process sent it
        os.environ.clear()
        os.environ.update(task.environment)
        recorder = _Relay(pipe)
        run_groups(_equipment(task, recorder), _take_groups(task.groups, following))
        pipe.send(("controls", recorder.controls))
        pipe.send(("done", None))
    except Exception as error:  # noqa: BLE001 - the first process reports any error
        pipe.send(("broke", f"a worker of the suite failed: {type(error).__name__}: {error}"))


def _equipment(task: Task, recorder: Recorder) -> Equipment:
    configuration = task.configuration
    connector = ConnectorClient(configuration.profile, configuration.now, recorder.keep)
    connector.until = configuration.until_s
    requests = Requests(configuration.profile, configuration.now, task.known.accepted)
    controls = ControlCalls(requests, connector, recorder, task.known)
    return Equipment(configuration, requests, connector, controls, recorder, task.platform)


def _take_groups(groups: Sequence[Group], following: Synchronized[int]) -> Iterator[Group]:
    """Take one group after the other from the queue; `following` is the index of the next one, for all workers."""
    while True:
        with following.get_lock():
            index = following.value
            following.value = index + 1
        if index >= len(groups):
            return
        yield groups[index]


def _end(process: BaseProcess) -> None:
    """End a worker, and the processes that it started."""
    if process.is_alive() and process.pid is not None and hasattr(os, "killpg"):
        with contextlib.suppress(OSError):  # the worker has just ended, or has no process group yet
            os.killpg(process.pid, signal.SIGTERM)
    process.terminate()
