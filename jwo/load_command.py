"""Runs the load test of `jwo load` in a separate process, since this process must never import Locust.

It passes on only the options that are present. The load test itself applies `JWO_LOAD_*` and the defaults.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from jwo_toolkit.extras import require
from jwo_toolkit.lifeline import tied
from jwo_toolkit.own_packages import OWN_MODULE

EPILOG = """\b
Variables without an option:
  JWO_LOAD_READ_FOR_S    time for reading a late answer in seconds (default: 10)
  JWO_LOAD_KEY_AHEAD_S   time between the minting of a key and its use (default: 15)
  JWO_LOAD_PRIORITY      realtime, nice or none (default: realtime)

\b
With Locust's own command line, web page, --csv and --processes:
  locust -f FILE --host URL --rate 200 --duration 60 --headless --csv stats
  locust -f FILE --host URL --processes 2
FILE is a file of the folder that --list prints, or your own. There, --connector is
--host, --workers is --processes, --out is --load-out, --profile is
--connector-profile, and the options without a counterpart are their variables.
"""


def load_command(  # noqa: PLR0913, PLR0917 - one parameter for each option of the command line
    connector: Annotated[
        str | None,
        typer.Option(
            "--connector",
            metavar="URL",
            help="Address of a running connector (JWO_LOAD_CONNECTOR).",
            show_default="the address in the profile",
        ),
    ] = None,
    profile: Annotated[
        Path | None,
        typer.Option(
            "--profile",
            metavar="FILE",
            help="Profile of the connector, a jwo.toml (JWO_LOAD_PROFILE).",
            show_default="no profile",
        ),
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario",
            metavar="NAME",
            help="Scenario, or the path of a scenario file (JWO_LOAD_SCENARIO).",
            show_default="gate_rush",
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate", metavar="N", help="Requests per second at the scenario's peak (JWO_LOAD_RATE).", show_default="50"
        ),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            "--duration", metavar="SECONDS", help="Length of the run (JWO_LOAD_DURATION_S).", show_default="60"
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            "--budget",
            metavar="SECONDS",
            help="Time limit of an answer; a later one is late (JWO_LOAD_BUDGET_S).",
            show_default="2",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", metavar="N", help="Number of sending processes (JWO_LOAD_WORKERS).", show_default="1"
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            metavar="N",
            help="Seed of the schedule; the same seed repeats it (JWO_LOAD_SEED).",
            show_default="1",
        ),
    ] = None,
    lag_bound: Annotated[
        float | None,
        typer.Option(
            "--lag-bound",
            metavar="MS",
            help="Highest p99 of the generator's own lag; above it the run is invalid (JWO_LOAD_LAG_BOUND_MS).",
            show_default="1",
        ),
    ] = None,
    crossing: Annotated[
        float | None,
        typer.Option(
            "--crossing",
            metavar="MS",
            help="Time after sending in which a close of a kept connection counts as a crossing, not as a failure "
            "(JWO_LOAD_CROSSING_MS).",
            show_default="10",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder for the reports (JWO_LOAD_OUT).", show_default="jwo-load"),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            metavar="FILE",
            help="The load.json of an earlier run (JWO_LOAD_BASELINE).",
            show_default="no comparison",
        ),
    ] = None,
    max_slowdown: Annotated[
        float | None,
        typer.Option(
            "--max-slowdown",
            metavar="SHARE",
            help="With a baseline: fail if p99 grows by more than this share (JWO_LOAD_MAX_SLOWDOWN).",
            show_default="0, which sets no limit",
        ),
    ] = None,
    show_list: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option("--list", help="List the scenarios, each with a sentence, and exit.", show_default="off"),
    ] = False,
    progress: Annotated[
        str | None,
        typer.Option(
            "--progress",
            metavar="FILE",
            help="File for a JSON line a second; - is standard output, and the text then goes to standard error.",
            show_default="none",
        ),
    ] = None,
) -> None:
    """Test a connector's answers under load against a latency budget.

    Exit codes: 0 pass, 1 fail, 2 usage error, 3 no verdict. Each option replaces a default or a variable JWO_LOAD_*.
    """
    require("the load test", "load")
    flags: dict[str, object] = {
        "--connector": connector,
        "--profile": profile,
        "--scenario": scenario,
        "--rate": rate,
        "--duration": duration,
        "--budget": budget,
        "--workers": workers,
        "--seed": seed,
        "--lag-bound": lag_bound,
        "--crossing": crossing,
        "--out": _out(out),
        "--baseline": baseline,
        "--max-slowdown": max_slowdown,
        "--progress": progress,
    }
    if show_list:
        raise typer.Exit(_run(["--list"]))
    raise typer.Exit(_run([word for flag, value in flags.items() if value is not None for word in (flag, str(value))]))


def _run(given: list[str]) -> int:
    """Run the load test with these flags, pass on the signals to stop, and return its exit code."""
    with subprocess.Popen([*OWN_MODULE, "load", *given], **tied()) as process:  # noqa: S603 - our own command
        handlers = {
            signal.SIGTERM: lambda *_: process.terminate(),
            signal.SIGINT: lambda *_: None,  # the load test gets the interrupt too, and ends its workers
        }
        previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            return process.wait()
        finally:
            for number, handler_before in previous.items():
                signal.signal(number, handler_before)


def _out(given: Path | None) -> Path | None:
    """Return the folder of the reports: unlike the load test itself, this command always writes them."""
    return given or (None if os.environ.get("JWO_LOAD_OUT") else Path("jwo-load"))
