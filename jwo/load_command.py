"""`jwo load`: runs the load test as a process of its own, since Locust must never be imported here.

Only what was given is passed on: the defaults, and `JWO_LOAD_*` over them, are the load test's own.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from jwo.errors import Usage


def load_command(  # noqa: PLR0913, PLR0917 - one argument for each flag of the command line
    connector: Annotated[
        str | None, typer.Option("--connector", metavar="URL", help="A connector that is running.")
    ] = None,
    profile: Annotated[Path | None, typer.Option("--profile", metavar="FILE", help="Its profile, a jwo.toml.")] = None,
    scenario: Annotated[str | None, typer.Option("--scenario", help="A scenario's name, or a file like one.")] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Requests a second at the busiest.")] = None,
    duration: Annotated[float | None, typer.Option("--duration", help="Seconds.")] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", help="An answer later than these seconds is late.")
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", help="Processes that send.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="The same seed gives the same schedule.")] = None,
    lag_bound: Annotated[
        float | None, typer.Option("--lag-bound", metavar="MS", help="p99 lag beyond which a run is invalid.")
    ] = None,
    crossing: Annotated[
        float | None,
        typer.Option("--crossing", metavar="MS", help="A kept connection's close this soon after sending is excused."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Where the reports go; jwo-load.")] = None,
    baseline: Annotated[Path | None, typer.Option("--baseline", metavar="FILE", help="An earlier load.json.")] = None,
    max_slowdown: Annotated[
        float | None, typer.Option("--max-slowdown", help="Share by which p99 may grow; 0: any.")
    ] = None,
) -> None:
    """Hold a connector to its latency budget under load; exit 0 pass, 1 fail, 2 usage error, 3 no verdict."""
    if importlib.util.find_spec("locust") is None:
        raise Usage("the load test needs Locust; install it with: pip install 'jwo-conformance-kit[load]'")
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
    }
    raise typer.Exit(_run([word for flag, value in flags.items() if value is not None for word in (flag, str(value))]))


def _run(given: list[str]) -> int:
    """Run the load test with these flags, hand on what would end this process, and return its exit code."""
    with subprocess.Popen([sys.executable, "-P", "-m", "load", *given], env=dict(os.environ)) as process:  # noqa: S603 - our own command
        handlers = {
            signal.SIGTERM: lambda *_: process.terminate(),
            signal.SIGINT: lambda *_: None,  # it is interrupted as well, and ends its workers
        }
        formers = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            return process.wait()
        finally:
            for number, former in formers.items():
                signal.signal(number, former)


def _out(given: Path | None) -> Path | None:
    """Return where reports go: unlike the load test itself, this command always leaves them somewhere."""
    return given or (None if os.environ.get("JWO_LOAD_OUT") else Path("jwo-load"))
