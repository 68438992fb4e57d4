"""The options of Locust's own command line: those that this kit adds, and the meaning of Locust's own ones here.

Each option may also come from a variable LOCUST_* or from a locust.conf, which Locust reads like its command line.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from typing import NoReturn

from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import WorkerRunner

from load.errors import USAGE_PREFIX, BadOptions
from load.settings import LoadOptions

_log = logging.getLogger(__name__)
_OF_THE_LOAD_COMMAND = {
    "--connector": "name its address with --host",
    "--scenario": "name the file of the scenario with -f",
    "--workers": "set the number of sending processes with --processes",
    "--out": "name the folder of the reports with --load-out",
    "--lag-bound": "set the variable JWO_LOAD_LAG_BOUND_MS",
    "--crossing": "set the variable JWO_LOAD_CROSSING_MS",
    "--baseline": "set the variable JWO_LOAD_BASELINE",
    "--max-slowdown": "set the variable JWO_LOAD_MAX_SLOWDOWN",
}
"""Options of `jwo load` that Locust does not have, and what to use instead."""
_WITHOUT_EFFECT = {
    "num_users": "--users has no effect; set the rate of arrivals with --rate",
    "spawn_rate": "--spawn-rate has no effect; set the rate of arrivals with --rate",
    "stop_timeout": "--stop-timeout has no effect; a run ends when all answers are read, see JWO_LOAD_READ_FOR_S",
}
_REFUSED = {
    "tags": ("--tags", "a scenario has one task without tags; leave the option out"),
    "exclude_tags": ("--exclude-tags", "a scenario has one task without tags; leave the option out"),
    "enable_rebalancing": ("--enable-rebalancing", "a worker that joins during a run has no share of its schedule"),
}
"""Options of Locust with which no run gives a verdict."""


def add_options(parser: LocustArgumentParser) -> None:
    """Add this kit's options; Locust calls this listener after it has read the scenario."""
    default = LoadOptions()
    parser.add_argument(
        "--rate", type=float, default=default.rate, help="requests per second at the peak (JWO_LOAD_RATE)"
    )
    parser.add_argument(
        "--duration", type=float, default=default.duration_s, help="length of the run in seconds (JWO_LOAD_DURATION_S)"
    )
    parser.add_argument(
        "--budget",
        type=float,
        default=default.budget_s,
        help="time limit of an answer in seconds; a later one is late (JWO_LOAD_BUDGET_S)",
    )
    parser.add_argument(
        "--seed", type=int, default=default.seed, help="seed of the schedule; the same seed repeats it (JWO_LOAD_SEED)"
    )
    parser.add_argument(
        "--connector-profile", default=default.profile, help="profile of the connector, a jwo.toml (JWO_LOAD_PROFILE)"
    )
    parser.add_argument("--load-out", default=default.out, help="folder for the reports (JWO_LOAD_OUT)")
    for option, instead in _OF_THE_LOAD_COMMAND.items():
        parser.add_argument(
            option,
            type=_refusing(f"Locust has no such option; {instead}"),
            default=argparse.SUPPRESS,
            help=argparse.SUPPRESS,
            include_in_web_ui=False,
        )
    _change_types(parser)


def settle_options(environment: Environment) -> None:
    """Give Locust's own options their meaning here; called when a process of Locust has its role.

    `--run-time` becomes the duration, which the master sends to its workers. Ends with exit code 2 if an option makes a
    verdict impossible.
    """
    options = environment.parsed_options
    if options is None:
        return
    for name, (option, why) in _REFUSED.items():
        if getattr(options, name, None):
            _end(f"{option} cannot be used for a load test: {why}")
    is_worker = isinstance(environment.runner, WorkerRunner)
    for name, text in _WITHOUT_EFFECT.items():
        if getattr(options, name, None) and not is_worker:
            _log.warning(text)
    environment.stop_timeout = 0.0
    run_time, options.run_time = options.run_time, None
    if run_time and is_worker:
        _log.warning("--run-time of a worker has no effect; give it to the master")
    elif run_time:
        if options.duration not in {LoadOptions().duration_s, float(run_time)}:
            _end(f"--run-time says {run_time:g} s and --duration says {options.duration:g} s; give one of them")
        options.duration = float(run_time)
        if not options.headless and not options.autostart:
            _log.warning("--run-time starts no run; add --headless or --autostart, or start the run on the page")


def _change_types(parser: LocustArgumentParser) -> None:
    """Refuse values of Locust's own options that Locust would take for something else."""
    types = {
        "profile": _refusing(
            "this option of Locust groups test runs, and does not name the connector's profile; "
            "use --connector-profile FILE or the variable JWO_LOAD_PROFILE"
        ),
        "processes": _processes,
    }
    for action in parser._actions:  # noqa: SLF001 - argparse has no other list of them
        action.type = types.get(action.dest, action.type)


def _refusing(text: str) -> Callable[[str], NoReturn]:
    def refuse(_value: str) -> NoReturn:
        raise argparse.ArgumentTypeError(text)

    return refuse


def _processes(text: str) -> int:
    """Read the number of processes; Locust itself would end with 1, which here means a failed connector."""
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 1 and count != -1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes; give 1 or more, or -1 for one per core")
    return count


def _end(problem: str) -> NoReturn:
    _log.error("%s%s", USAGE_PREFIX, problem)
    sys.exit(BadOptions.exit_code)
