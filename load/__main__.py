"""Runs a load test from the command line: `python -m load`. Exit 0 pass, 1 fail, 2 usage error, 3 no verdict."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from typing import Any

from rich.console import Console

from jwo_toolkit.console import make_console
from jwo_toolkit.lifeline import end_with_starter
from jwo_toolkit.progress_lines import ProgressLines, open_progress, text_stream
from load.errors import BadOptions, LoadError
from load.progress_events import LoadEvents
from load.report.table import show
from load.report.writing import paths
from load.run import Progress, run_load
from load.settings import SCENARIOS, LoadOptions, options_from, scenario_names, scenario_sentences

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run the load test, print progress, table and verdict, and return the exit code."""
    end_with_starter()
    given = vars(_parser().parse_args(arguments))
    signal.signal(signal.SIGTERM, _interrupt)
    if given.pop("list"):
        _list_scenarios(make_console())
        return 0
    target = given.pop("progress")
    try:
        with _opened(target) as lines:
            return _run(given, make_console(text_stream(target)), LoadEvents(lines))
    except LoadError as error:
        print(f"load: {error}", file=sys.stderr)  # noqa: T201 - the command's error
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a bug of the kit: no verdict, and never exit 1
        print(f"load: the generator failed: {type(error).__name__}: {_first_line(error)}", file=sys.stderr)  # noqa: T201 - as above
        return LoadError.exit_code


def _run(given: dict[str, Any], console: Console, events: LoadEvents) -> int:
    options, ticker = options_from(**given), _Ticker(console)
    events.started(options)

    def on_progress(progress: Progress) -> None:
        events.second(progress)
        ticker.show(progress)

    report = run_load(options, on_progress)
    events.ended(report.document)
    show(report.document, console, paths(options.out))
    return report.exit_code


def _list_scenarios(console: Console) -> None:
    """Print each scenario with a sentence, and the folder of their files."""
    for name, text in scenario_sentences().items():
        console.print(f"{name:<16} {text}", highlight=False, soft_wrap=True)
    console.print(f"Their files, for locust -f: {SCENARIOS}", highlight=False, soft_wrap=True)


def _opened(target: str | None) -> ProgressLines:
    try:
        return open_progress(target)
    except OSError as error:
        raise BadOptions(f"--progress: cannot write to {target} ({error.strerror})", "name another file") from error


def _interrupt(_number: int, _frame: object) -> None:
    """Treat SIGTERM like Ctrl-C, so that the started processes end first."""
    raise KeyboardInterrupt


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "no message")


class _Ticker:
    """Live progress: one line per second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._before = (time.monotonic(), 0)

    def show(self, progress: Progress) -> None:
        """Print the counts so far, and the rate of the last second."""
        now, (then, started) = time.monotonic(), self._before
        if progress.started < started:  # a search started its next probe
            then, started = now - 1, 0
        self._before = (now, progress.started)
        rate = (progress.started - started) / max(now - then, 1e-3)
        self._console.print(
            f"{rate:7.0f}/s  started {progress.started:<8} late {progress.late:<6} failed {progress.failed:<6} "
            f"missed {progress.missed:<5} lag {progress.lag_us / 1000:.2f} ms",
            highlight=False,
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="load",
        description="Test a connector's answers under load against a latency budget. "
        "The environment variables JWO_LOAD_* replace the defaults.",
    )

    def add(flag: str, metavar: str, text: str, setting: str = "", default: str = "") -> None:
        name = setting or flag.removeprefix("--").replace("-", "_")
        shown = default or LoadOptions.model_fields[name].default
        parser.add_argument(
            flag, metavar=metavar, dest=name, help=f"{text} (JWO_LOAD_{name.upper()}; default: {shown})"
        )

    parser.add_argument("--list", action="store_true", help="list the scenarios, each with a sentence, and exit")
    names = ", ".join(scenario_names())
    add("--connector", "URL", "address of a running connector", default="the address in the profile")
    add("--profile", "FILE", "profile of the connector, a jwo.toml", default="no profile")
    add("--scenario", "NAME", f"one of {names}, or the path of a scenario file")
    add("--rate", "N", "requests per second at the scenario's peak")
    add("--duration", "SECONDS", "length of the run", "duration_s")
    add("--budget", "SECONDS", "time limit of an answer; a later one is late", "budget_s")
    add("--workers", "N", "number of sending processes")
    add("--seed", "N", "seed of the schedule; the same seed repeats it")
    lag_bound = "highest p99 of the generator's own lag; above it the run is invalid"
    add("--lag-bound", "MS", lag_bound, "lag_bound_ms")
    crossing = "time after sending in which a close of a kept connection counts as a crossing, not as a failure"
    add("--crossing", "MS", crossing, "crossing_ms")
    add("--out", "DIR", "folder for load.html, load.json and junit.xml", default="no files")
    add("--baseline", "FILE", "the load.json of an earlier run", default="no comparison")
    progress = "file for a JSON line a second; - is standard output, and the text then goes to standard error"
    parser.add_argument("--progress", metavar="FILE", help=f"{progress} (default: none)")
    slowdown = "with a baseline: fail if p99 grows by more than this share"
    add("--max-slowdown", "SHARE", slowdown, default="0, which sets no limit")
    return parser


if __name__ == "__main__":
    sys.exit(main())
