"""`python -m load`: a load test from the command line. Exit 0 pass, 1 fail, 2 used wrongly, 3 no verdict."""

from __future__ import annotations

import argparse
import signal
import sys
import time

from rich.console import Console

from jwo_toolkit.console import make_console
from load.errors import LoadError
from load.report.table import show
from load.report.writing import paths
from load.run import Progress, run_load
from load.settings import options_from, scenario_names

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run, show progress, table and verdict; return the exit code."""
    given = vars(_parser().parse_args(arguments))
    signal.signal(signal.SIGTERM, _interrupt)
    console = make_console()
    try:
        options = options_from(**given)
        report = run_load(options, _Ticker(console).show)
        show(report.document, console, paths(options.out))
    except LoadError as error:
        print(f"load: {error}", file=sys.stderr)  # noqa: T201 - the command's own word
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, it is ours: no verdict, and never the 1 of a finding
        print(f"load: the generator broke: {type(error).__name__}: {_line(error)}", file=sys.stderr)  # noqa: T201 - as above
        return LoadError.exit_code
    return report.exit_code


def _interrupt(_number: int, _frame: object) -> None:
    """Take the request to end like Ctrl-C: whoever was started is ended first."""
    raise KeyboardInterrupt


def _line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "without a word")


class _Ticker:
    """Live progress: one line a second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._before = (time.monotonic(), 0)

    def show(self, progress: Progress) -> None:
        """Print what came in the last second."""
        now, (then, started) = time.monotonic(), self._before
        if progress.started < started:  # the next probe of a search
            then, started = now - 1, 0
        self._before = (now, progress.started)
        rate = (progress.started - started) / max(now - then, 1e-3)
        self._console.print(
            f"{rate:7.0f}/s  started {progress.started:<8} late {progress.late:<6} failed {progress.failed:<6} "
            f"missed {progress.missed:<5} lag {progress.lag_us / 1000:.2f} ms",
            highlight=False,
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="load", description="Hold a connector to its latency budget under load.")
    add = parser.add_argument
    add("--connector", metavar="URL", help="a connector that is running")
    add("--profile", metavar="FILE", help="its jwo.toml")
    add("--scenario", metavar="NAME", help=f"{', '.join(scenario_names())}, or a file like those")
    add("--rate", metavar="N", help="requests a second at the scenario's busiest")
    add("--duration", metavar="S", dest="duration_s", help="seconds")
    add("--budget", metavar="S", dest="budget_s", help="an answer later than this many seconds is late")
    add("--workers", metavar="N", help="processes that send")
    add("--seed", metavar="N", help="the same seed gives the same schedule")
    add(
        "--lag-bound",
        metavar="MS",
        dest="lag_bound_ms",
        help="p99 of the generator's lag beyond which a run is invalid",
    )
    add(
        "--crossing",
        metavar="MS",
        dest="crossing_ms",
        help="a kept connection's close this soon after sending may have crossed the request",
    )
    add("--out", metavar="DIR", help="folder for load.html, load.json and junit.xml")
    add("--baseline", metavar="FILE", help="load.json of an earlier run to compare with")
    add("--max-slowdown", metavar="SHARE", help="with a baseline: fail when p99 grew by more than this share")
    return parser


if __name__ == "__main__":
    sys.exit(main())
