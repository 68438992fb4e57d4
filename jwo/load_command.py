"""`jwo load`: runs the load test as a process of its own, since Locust must never be imported here."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from jwo.errors import Usage


def load_command(  # noqa: PLR0913, PLR0917 - one argument for each flag of the command line
    connector: Annotated[str, typer.Option("--connector", metavar="URL", help="A connector that is running.")] = "",
    profile: Annotated[Path | None, typer.Option("--profile", metavar="FILE", help="Its profile, a jwo.toml.")] = None,
    scenario: Annotated[str, typer.Option("--scenario", help="A scenario's name, or a file like one.")] = "gate_rush",
    rate: Annotated[float, typer.Option("--rate", help="Requests a second at the busiest.")] = 50,
    duration: Annotated[float, typer.Option("--duration", help="Seconds.")] = 60,
    budget: Annotated[float, typer.Option("--budget", help="An answer later than these seconds is late.")] = 2.0,
    workers: Annotated[int, typer.Option("--workers", help="Processes that send.")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same schedule.")] = 1,
    lag_bound: Annotated[float, typer.Option("--lag-bound", metavar="MS", help="p99 lag that voids a run.")] = 1.0,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the reports go.")] = Path("jwo-load"),
    baseline: Annotated[Path | None, typer.Option("--baseline", metavar="FILE", help="An earlier load.json.")] = None,
    max_slowdown: Annotated[float, typer.Option("--max-slowdown", help="Share by which p99 may grow; 0: any.")] = 0,
) -> None:
    """Hold a connector to its latency budget under load; exit 0 pass, 1 fail, 2 used wrongly, 3 no verdict."""
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
        "--out": out,
        "--baseline": baseline,
        "--max-slowdown": max_slowdown,
    }
    given = [word for flag, value in flags.items() if value not in ("", None) for word in (flag, str(value))]
    with subprocess.Popen([sys.executable, "-P", "-m", "load", *given], env=dict(os.environ)) as process:  # noqa: S603 - our own command
        try:
            code = process.wait()
        except KeyboardInterrupt:
            code = process.wait()  # it was interrupted as well, and ends its workers
    raise typer.Exit(code)
