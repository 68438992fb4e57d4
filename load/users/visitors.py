"""The Locust user behind every scenario: it lets shoppers arrive by a schedule instead of waiting for answers.

Locust starts one of them in each process. A scenario is a subclass in a file of its own, and that file must also hold
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
"""What this process is in the run of each Locust environment; Locust itself has no place to keep it."""


class StoreVisitors(User):
    """Base of the scenarios: say how many arrive when, and what they do."""

    abstract = True
    mix: ClassVar[Mix] = Mix()
    poisson: ClassVar[bool] = True
    """Arrivals by chance, as people arrive; False spaces them evenly."""

    @classmethod
    @abstractmethod
    def arrivals(cls, rate: float, duration_s: float) -> Curve:
        """Return the wanted rate over the run; `rate` is that of its busiest moment."""

    @task
    def keep_the_schedule(self) -> None:
        """Send this process's share of the schedule, then wait for the others."""
        if worker := _ROLES[self.environment][1]:
            worker.run()
        Event().wait()


class StoreHours(LoadTestShape):
    """Keeps one user in each process until all results are in."""

    abstract = False

    @property
    def use_common_options(self) -> bool:  # type: ignore[override]  # Locust has a plain attribute here, and only reads it
        """Tell Locust which of its own options count here: on the command line --run-time, on its web page none."""
        return self.runner is None

    def tick(self) -> tuple[int, float] | None:
        """Tell Locust how many users there shall be, or that the run is over."""
        assert self.runner is not None
        master = _ROLES[self.runner.environment][0]
        return None if master is None or master.is_over else (master.workers, master.workers)


@events.init_command_line_parser.add_listener
def _add_flags(parser: LocustArgumentParser) -> None:
    """Locust asks for flags when it has read the scenario; listeners like this one are how it is answered."""
    default = LoadOptions()
    parser.add_argument("--rate", type=float, default=default.rate, help="requests a second at the busiest")
    parser.add_argument("--duration", type=float, default=default.duration_s, help="seconds")
    parser.add_argument(
        "--budget", type=float, default=default.budget_s, help="an answer later than these seconds is late"
    )
    parser.add_argument("--seed", type=int, default=default.seed, help="the same seed gives the same schedule")
    parser.add_argument("--connector-profile", default=default.profile, help="the connector's jwo.toml")
    parser.add_argument("--load-out", default=default.out, help="folder of the reports")


@events.init.add_listener
def _join(environment: Environment, **_: Any) -> None:  # noqa: ANN401 - Locust's signature
    master = None if isinstance(environment.runner, WorkerRunner) else Master(environment)
    worker = None if isinstance(environment.runner, MasterRunner) else Worker(environment, master)
    _ROLES[environment] = master, worker
    flags = environment.parsed_options
    if master and flags and (flags.num_users or flags.spawn_rate):
        _log.warning("--users and --spawn-rate change nothing: the schedule says how many arrive; see --rate")


@events.test_start.add_listener
def _begin(environment: Environment, **_: Any) -> None:  # noqa: ANN401 - as above
    if master := _ROLES[environment][0]:
        master.begin()


@events.test_stop.add_listener
def _finish(environment: Environment, **_: Any) -> None:  # noqa: ANN401 - as above
    if master := _ROLES[environment][0]:
        master.finish()
