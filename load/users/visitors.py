"""The base class of all scenarios: a Locust user that sends by a schedule instead of waiting for answers.

Locust starts one user in each process. A scenario is a subclass in its own file. The file must also import
`StoreHours`, since Locust looks for the load shape there.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from gevent.event import Event
from locust import LoadTestShape, User, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from load.curves import Curve
from load.master import Master
from load.schedule import Mix
from load.settings import LoadOptions
from load.worker import Worker

_log = logging.getLogger(__name__)
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


@events.init_command_line_parser.add_listener
def _add_flags(parser: LocustArgumentParser) -> None:
    """Add this kit's flags; Locust calls this listener after it has read the scenario."""
    default = LoadOptions()
    parser.add_argument("--rate", type=float, default=default.rate, help="requests per second at the peak")
    parser.add_argument("--duration", type=float, default=default.duration_s, help="length of the run in seconds")
    parser.add_argument(
        "--budget", type=float, default=default.budget_s, help="time limit of an answer in seconds; a later one is late"
    )
    parser.add_argument("--seed", type=int, default=default.seed, help="seed of the schedule; the same seed repeats it")
    parser.add_argument("--connector-profile", default=default.profile, help="profile of the connector, a jwo.toml")
    parser.add_argument("--load-out", default=default.out, help="folder for the reports")


@events.init.add_listener
def _join(environment: Environment, **_: Any) -> None:  # noqa: ANN401 - Locust's signature
    master = None if isinstance(environment.runner, WorkerRunner) else Master(environment)
    worker = None if isinstance(environment.runner, MasterRunner) else Worker(environment, master)
    _ROLES[environment] = master, worker
    flags = environment.parsed_options
    if master and flags and (flags.num_users or flags.spawn_rate):
        _log.warning("--users and --spawn-rate have no effect; set the rate of arrivals with --rate")


@events.test_start.add_listener
def _begin(environment: Environment, **_: Any) -> None:  # noqa: ANN401 - as above
    if master := _ROLES[environment][0]:
        master.begin()


@events.test_stop.add_listener
def _finish(environment: Environment, **_: Any) -> None:  # noqa: ANN401 - as above
    if master := _ROLES[environment][0]:
        master.finish()
