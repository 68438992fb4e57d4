"""A worker of a run: gets its share, prepares, waits for the start message, sends, and returns its counts."""

from __future__ import annotations

import secrets
from typing import Any

import gevent
from gevent.event import Event as Signal
from locust.env import Environment
from locust.runners import WorkerRunner

from load.errors import BadOptions, GeneratorBroke, LoadError
from load.http_client.exchange import Exchange
from load.master import NUMBERS, RUN_BITS, Master
from load.planning import options_of, plan, scenario_of
from load.recorder import Recorder
from load.schedule import Share
from load.session import Session
from load.target import check_rate_limit, target
from load.traffic import Event

_MASTER_WITHIN_S = 120.0


class Worker:
    """One for each Locust environment that sends; `master` is set if this process is the master too."""

    def __init__(self, environment: Environment, master: Master | None) -> None:
        self._environment = environment
        self._master = master
        runner = environment.runner
        self._runner = runner if isinstance(runner, WorkerRunner) else None
        self._share = Share(0, 1, 0)
        self._shared, self._go = Signal(), Signal()
        self._is_running = False
        if self._runner:
            self._runner.register_message("jwo_share", self._on_share)
            self._runner.register_message("jwo_go", self._on_go)

    def run(self) -> None:
        """Send this process's share; only the first Locust user of a process does so."""
        if self._is_running:
            return
        self._is_running = True
        session: Session | None = None
        trouble: LoadError = GeneratorBroke("the run ended before it began")
        try:
            session = self._prepared()
            self._wait_for_go()
            self._send(session)
        except LoadError as error:
            trouble = error
        except Exception as error:  # noqa: BLE001 - a bug of the kit makes the run invalid
            trouble = GeneratorBroke(f"the generator failed: {error!r}")
        finally:
            self._send_results(session, trouble)
            self._is_running = False

    def _prepared(self) -> Session:
        if self._master and self._master.refusal:
            raise self._master.refusal
        if self._runner and not self._shared.wait(_MASTER_WITHIN_S):
            raise GeneratorBroke("the master sent no share of the schedule in time")
        self._shared.clear()
        options = options_of(self._environment)
        profile = target(options)
        check_rate_limit(options, profile)  # Locust starts a user although the master has refused the run
        share = self._share if self._runner else Share(0, 1, secrets.randbits(RUN_BITS))
        schedule = plan(scenario_of(self._environment), options)
        mine = schedule.share(share.place, share.of) if share.of > 1 else schedule
        session = Session(options, profile, mine, share, self._report_to_locust)
        try:
            session.prepare()
        except BaseException:
            session.close()
            raise
        return session

    def _wait_for_go(self) -> None:
        if self._runner:
            self._runner.send_message("jwo_ready")
            if not self._go.wait(_MASTER_WITHIN_S):
                raise GeneratorBroke("the master sent no start message in time")
            self._go.clear()
        elif self._master:
            self._master.expect_end()

    def _send(self, session: Session) -> None:
        reporter = gevent.spawn(self._report_progress, session)
        try:
            session.run()
        finally:
            reporter.kill()

    def _report_progress(self, session: Session) -> None:
        while True:
            gevent.sleep(1)
            numbers = session.numbers()
            assert set(NUMBERS) < set(numbers)
            if self._runner:
                self._runner.send_message("jwo_progress", numbers)
            elif self._master:
                self._master.add_progress("local", numbers)

    def _send_results(self, session: Session | None, trouble: LoadError) -> None:
        if session:
            snapshot = session.snapshot()
        else:
            is_usage = isinstance(trouble, BadOptions)
            snapshot = Recorder(0, 0).snapshot() | {"trouble": str(trouble), "is_usage": is_usage}
        if self._runner:
            self._runner.send_message("jwo_snapshot", snapshot)
        elif self._master:
            self._master.add_snapshot(snapshot)
        if session:
            session.close()

    def _report_to_locust(self, exchange: Exchange, event: Event, wrong: str) -> None:
        self._environment.events.request.fire(
            request_type="POST",
            name=event.operation.name,
            response_time=exchange.latency_ns / 1e6,
            response_length=len(exchange.body),
            exception=WrongAnswer(wrong) if wrong else None,
            context={},
        )

    def _on_share(self, environment: Environment, msg: Any) -> None:  # noqa: ANN401, ARG002 - Locust's signature
        self._share = Share(**msg.data)
        self._shared.set()

    def _on_go(self, environment: Environment, msg: Any) -> None:  # noqa: ANN401, ARG002 - as above
        self._go.set()


class WrongAnswer(Exception):
    """Marks a request as failed in Locust's statistics."""
