"""The jobs of a client: each runs once in a run, several at the same time, on one platform.

The first case that needs a job starts all jobs that any case will need.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from conformance.retailer_clients.command import Runner

J = TypeVar("J")
RunJob = Callable[[str, Path], J]
"""Runs a job by its name, with a new folder for its files, and returns the finished job."""


class JobPool(Generic[J]):
    """The jobs of one certification. `opened` opens what they need and returns how one runs; the first job calls it.

    Use it as a context manager: its exit ends every client that still runs, and what `opened` has opened.
    """

    def __init__(
        self,
        runner: Runner,
        opened: Callable[[Runner], AbstractContextManager[RunJob[J]]],
        started_early: Iterable[str] = (),
    ) -> None:
        self._runner = runner
        self._opened = opened
        self._started_early = tuple(started_early)
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._run_job: RunJob[J] | None = None
        self._jobs: dict[str, Future[J]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.end()
        self._stack.close()

    def wait_for_job(self, name: str) -> J:
        """Wait until a job has finished and return it. The first call also starts the jobs of `started_early`."""
        with self._lock:
            if self._run_job is None:
                self._open()
            self._start_job(name)
        return self._jobs[name].result()

    def _open(self) -> None:
        self._run_job = self._stack.enter_context(self._opened(self._runner))
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="jwo-client-")))
        self._pool = self._stack.enter_context(ThreadPoolExecutor(self._runner.most_at_once))
        self._stack.callback(self._pool.shutdown, wait=False, cancel_futures=True)
        for name in self._started_early:
            self._start_job(name)

    def _start_job(self, name: str) -> None:
        if name not in self._jobs:
            assert self._run_job is not None
            folder = self._folder / str(len(self._jobs))
            folder.mkdir()
            self._jobs[name] = self._pool.submit(self._run_job, name, folder)
