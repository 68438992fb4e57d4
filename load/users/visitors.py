"""The base class of all scenarios: a Locust user that sends by a schedule instead of waiting for answers.

Locust starts one user in each process. A scenario is a subclass in its own file. The file must also import
`StoreHours`, since Locust looks for the load shape there.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from gevent.event import Event
from locust import LoadTestShape, User, events, task
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from load.curves import Curve
from load.master import Master
from load.schedule import Mix
from load.users.locust_options import add_options, settle_options
from load.worker import Worker

_ROLES: WeakKeyDictionary[Environment, tuple[Master | None, Worker | None]] = WeakKeyDictionary()
"""The master and worker of each Locust environment in this process; Locust has no place to store them."""


class StoreVisitors(User):
    """Base class of the scenarios: a subclass defines the arrivals over time and the mix of requests."""

    abstract = True
    mix: ClassVar[Mix] = Mix()
    poisson: ClassVar[bool] = True
    """Random arrivals, as people arrive; False spaces them evenly."""

    @classmethod
    @abstractmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """Return the planned rate over the run; `rate` is its highest value."""

    @task
    def send_schedule(self) -> None:
        """Send this process's share of the schedule, then wait for the others."""
        if worker := _ROLES[self.environment][1]:
            worker.run()
        Event().wait()


class StoreHours(LoadTestShape):
    """Keeps one user in each process until all results are in."""

    abstract = False

    @property
    def use_common_options(self) -> bool:  # type: ignore[override]  # Locust has a plain attribute here, and only reads it
        """Whether Locust's own options apply: --run-time on the command line does, those of its web page do not."""
        return self.runner is None

    def tick(self) -> tuple[int, float] | None:
        """Return the number of users for Locust, or None at the end of the run."""
        assert self.runner is not None
        master = _ROLES[self.runner.environment][0]
        return None if master is None or master.is_over else (master.workers, master.workers)


events.init_command_line_parser.add_listener(add_options)


@events.init.add_listener
def _join(environment: Environment, **_: Any) -> None:  # noqa: ANN401 - Locust's signature
    settle_options(environment)
    master = None if isinstance(environment.runner, WorkerRunner) else Master(environment)
    worker = None if isinstance(environment.runner, MasterRunner) else Worker(environment, master)
    _ROLES[environment] = master, worker


@events.test_start.add_listener
def _begin(environment: Environment, **_: Any) -> None:  # noqa: ANN401 - as above
    if master := _ROLES[environment][0]:
        master.begin()


@events.test_stop.add_listener
def _finish(environment: Environment, **_: Any) -> None:  # noqa: ANN401 - as above
    if master := _ROLES[environment][0]:
        master.finish()
