"""The master of a run (or its only process): divides the schedule between the workers and merges their results.

It sends each worker its share, waits until all are ready, sends the start message, and merges their results, all with
Locust's messages. A worker without results makes the run invalid; the run never becomes a smaller one.
"""

from __future__ import annotations

import logging
import os
import secrets
import time
from typing import Any

import orjson
from gevent.event import Event
from locust.env import Environment
from locust.runners import MasterRunner

from load.errors import USAGE_PREFIX, LoadError
from load.histogram import Tally, recent_latency
from load.planning import describe, options_of, plan, scenario_of
from load.report.writing import check_out, publish
from load.results import Merging
from load.schedule import Share
from load.target import check_rate_limit, target
from load.verdict import EXIT_CODES

_READY_WITHIN_S = 120.0
_SPARE_S = 15.0
_log = logging.getLogger(__name__)
RUN_BITS = 48
NUMBERS = ("started", "answered", "late", "failed", "missed")
"""The counts of which progress is the sum over all workers."""


class Master:
    """One for each Locust environment; Locust calls `begin` and `finish` around each test."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        runner = environment.runner
        self._runner = runner if isinstance(runner, MasterRunner) else None
        self._over = Event()
        self._ready: set[str] = set()
        self._numbers: dict[str, dict[str, Any]] = {}
        self._recent = Tally()
        self._fresh: set[str] = set()
        self._merging = Merging([], 0)
        self._deadline = 0.0
        self.workers = 1
        self.refusal: LoadError | None = None
        """Why the current run does not begin; Locust starts its users all the same."""
        if self._runner:
            self._runner.register_message("jwo_ready", self._on_ready)
            self._runner.register_message("jwo_progress", self._on_progress)
            self._runner.register_message("jwo_snapshot", self._on_snapshot)

    @property
    def is_over(self) -> bool:
        """Whether all workers have sent results, or the time for them is over."""
        return self._over.is_set() or (self._deadline > 0 and time.monotonic() > self._deadline)

    def begin(self) -> None:
        """Divide the schedule; called when Locust starts a test."""
        self._reset()
        self._environment.process_exit_code = EXIT_CODES["invalid"]  # until the verdict replaces it
        self.refusal = None
        try:
            self._divide_schedule()
        except LoadError as error:
            _log.error("%s%s", USAGE_PREFIX, error)
            self._environment.process_exit_code = error.exit_code
            self.refusal = error
            self._over.set()

    def _divide_schedule(self) -> None:
        clients = sorted(client.id for client in self._runner.clients.ready) if self._runner else ["local"]
        self.workers = len(clients)
        options = options_of(self._environment)
        check_rate_limit(options, target(options))
        check_out(options.out, "--load-out")
        self._merging = Merging(plan(scenario_of(self._environment), options).wanted_by_second(), self.workers)
        self._deadline = time.monotonic() + _READY_WITHIN_S
        if self._runner:
            run = secrets.randbits(RUN_BITS)
            for place, client in enumerate(clients):
                self._runner.send_message("jwo_share", Share(place, self.workers, run)._asdict(), client)

    def finish(self) -> None:
        """Judge, write and show the results, then reset; called when Locust has stopped a test."""
        if not self._merging.workers_wanted:
            return
        results = self._merging.results()
        self._reset()
        scenario = describe(scenario_of(self._environment), self._environment)
        verdict = publish(results, options_of(self._environment), scenario)
        self._environment.process_exit_code = verdict.exit_code

    def _reset(self) -> None:
        """Reset the state for the next test. Locust's page may start one, and calls the load shape before `begin`."""
        self._merging = Merging([], 0)
        self._deadline = 0.0
        self._recent = Tally()
        self._over.clear()
        for each in (self._ready, self._numbers, self._fresh):
            each.clear()

    def expect_end(self) -> None:
        """Set the time at which the master stops waiting for workers; called when the sending begins."""
        options = options_of(self._environment)
        self._deadline = time.monotonic() + options.duration_s + options.reads_for_s + _SPARE_S

    def add_progress(self, worker: str, numbers: dict[str, Any]) -> None:
        """Store a worker's progress, and send the sum to the parent process after a message from each worker."""
        self._numbers[worker] = numbers
        self._recent.add_cells(numbers["recent"])
        self._fresh.add(worker)
        descriptor = options_of(self._environment).progress_fd
        if len(self._fresh) >= self.workers and descriptor >= 0:
            self._fresh.clear()
            total = {name: sum(each[name] for each in self._numbers.values()) for name in NUMBERS}
            total["lag_us"] = max(each["lag_us"] for each in self._numbers.values())
            recent, self._recent = self._recent, Tally()
            self._write_to_parent(descriptor, orjson.dumps(total | recent_latency(recent)) + b"\n")

    def _write_to_parent(self, descriptor: int, line: bytes) -> None:
        try:
            os.write(descriptor, line)
        except BrokenPipeError:
            _log.warning("the process that started this run has ended; the run ends too")
            assert self._environment.runner is not None
            self._environment.runner.quit()

    def add_snapshot(self, snapshot: dict[str, Any]) -> None:
        """Store a worker's results."""
        self._merging.snapshots.append(snapshot)
        if len(self._merging.snapshots) >= self.workers:
            self._over.set()

    def _on_ready(self, environment: Environment, msg: Any) -> None:  # noqa: ANN401, ARG002 - Locust's signature
        self._ready.add(msg.node_id)
        if self._runner and len(self._ready) == self.workers:
            self.expect_end()
            self._runner.send_message("jwo_go")

    def _on_progress(self, environment: Environment, msg: Any) -> None:  # noqa: ANN401, ARG002 - as above
        self.add_progress(msg.node_id, msg.data)

    def _on_snapshot(self, environment: Environment, msg: Any) -> None:  # noqa: ANN401, ARG002 - as above
        self.add_snapshot(msg.data)
