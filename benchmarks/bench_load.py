"""Measures the load test: `make bench-load`. All processes are on 127.0.0.1, and it takes about twelve minutes.

It compares the share of late answers with the true share of each server, for this kit and four other generators. It
measures the throughput of one core against a server that answers at once. It names and omits the other generators that
this machine lacks. The last table shows each target, met or not. Exit 1 if a target is not met.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from load_processes import CARTS, HERE, SCANS, Measured, kit, result_of, rivals, serving, start_rival
from load_servers.stalls import SHAPES, true_share
from rich.console import Console
from rich.table import Table

from load.curves import constant
from load.histogram import Tally, encoded, merged
from load.schedule import Mix, make_schedule
from load.verdict import EXIT_CODES

RATE, DURATION_S = 200.0, 20
CART_SHAPES = {"commit_then_stall": (CARTS, "carts_only")}
RATES = (4000, 8000, 10_000, 12_000, 14_000, 16_000)
RATED, LAG_BOUND_MS = 8000, 1.0
OFF_BY_POINTS = 0.2
ALL_AT_ONCE = 24_000
SHARED, ALONE = 1.1, 1.6
"""The factor by which two workers must exceed one: if the server shares their cores, and if it has its own core."""
STALLS = str(HERE / "load_servers" / "stalls.py")
INSTANT = str(HERE / "load_servers" / "instant.py")


def main() -> None:
    """Measure everything, or the sections that the command line names, and print the tables."""
    console = Console(width=140)
    have = {name: path for name, path in rivals().items() if path}
    if missing := sorted(set(rivals()) - set(have)):
        console.print(f"not installed on this machine, so not measured: {', '.join(missing)}")
    sections = {
        "machine": machine,
        "stalls": lambda: stalls(have),
        "throughput": lambda: throughput(have),
        "workers": workers,
        "verdicts": verdicts,
        "exactness": exactness,
    }
    for name in _wanted(list(sections)):
        console.print(sections[name]())
    console.print(targets())
    sys.exit(any(not is_met for _, _, is_met in TARGETS))


def _wanted(sections: list[str]) -> list[str]:
    """Return the sections that the command line names; all of them if it names none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("section", nargs="*", help=f"{', '.join(sections)} (default: all)")
    wanted: list[str] = parser.parse_args().section
    if unknown := sorted(set(wanted) - set(sections)):
        parser.error(f"there is no section {', '.join(unknown)}; name one of {', '.join(sections)}")
    return wanted or sections


TARGETS: list[tuple[str, str, bool]] = []
"""Each target, the measured value, and whether it is met."""


def record_target(claim: str, measured: str, *, holds: bool) -> None:
    """Record a target and its result."""
    TARGETS.append((claim, measured, holds))


def targets() -> Table:
    """Return the table of all targets."""
    table = _table("Targets", "target", "measured", "outcome")
    for claim, measured, is_met in TARGETS:
        table.add_row(claim, measured, "met" if is_met else "NOT MET", style="" if is_met else "bold red")
    return table


def machine() -> Table:
    """Measure how late this machine wakes a sleeping process: no generator on it can be more precise."""
    late_ms = []
    for _ in range(4000):
        start = time.perf_counter()
        select.select([], [], [], 0.001)
        late_ms.append((time.perf_counter() - start) * 1000 - 1)
    late_ms.sort()
    table = _table("This machine", "cores", "load before", "a sleep of 1 ms ends late: p50", "p99", "max")
    figures = (late_ms[2000], late_ms[3960], late_ms[-1])
    table.add_row(str(os.cpu_count()), f"{os.getloadavg()[0]:.1f}", *(f"{each:.3f} ms" for each in figures))
    return table


def stalls(have: dict[str, str]) -> Table:
    """Measure the share of late answers of this kit and of the other generators, and compare it with the true share."""
    table = _table(
        f"Share of answers over 2 s, {RATE:g}/s planned for {DURATION_S} s",
        "server",
        "true share",
        "this kit",
        "off by",
        *have,
    )
    for shape in SHAPES:
        truth = true_share(shape, RATE, DURATION_S)
        path, scenario = CART_SHAPES.get(shape, (SCANS, "scans_only"))
        report = _kit_on(shape, scenario)
        share = report["counts"]["late"] / report["counts"]["started"]
        others = _rivals_on(shape, path, have)
        cells = [f"{each.late_share:.2%} ({each.requests} sent)" for each in others]
        off = abs(share - truth) * 100
        sent = f"{share:.2%} ({report['counts']['started']} sent)"
        table.add_row(shape, f"{truth:.2%}", sent, f"{off:.2f} points", *cells)
        claim = f"{shape}: late answers within {OFF_BY_POINTS} points of the truth, verdict fail"
        word = report["verdict"]["word"]
        record_target(claim, f"{off:.2f} points, {word}", holds=off <= OFF_BY_POINTS and word == "fail")
    return table


def _kit_on(shape: str, scenario: str) -> dict[str, Any]:
    file = str(HERE / "load_scenarios" / f"{scenario}.py")
    with serving(STALLS, shape) as url:
        return kit(url, "--scenario", file, "--rate", f"{RATE:g}", "--duration", str(DURATION_S))


def _rivals_on(shape: str, path: str, have: dict[str, str]) -> list[Measured]:
    """Run the other generators: those with a rate together, each on its own server; then wrk, which has no rate."""
    found: dict[str, Measured] = {}
    for group in ([name for name in have if name != "wrk"], [name for name in have if name == "wrk"]):
        servers = {name: serving(STALLS, shape) for name in group}
        started = {
            name: start_rival(name, server.__enter__(), path, RATE, DURATION_S) for name, server in servers.items()
        }
        for name, process in started.items():
            found[name] = result_of(name, process)
        for server in servers.values():
            server.__exit__(None, None, None)
    return [found[name] for name in have]


def throughput(have: dict[str, str]) -> Table:
    """Measure the rate of one thread, so at most one core, against a server that answers at once."""
    columns = ("generator", "planned", "POSTs/s", "lag p99", "core used", "CPU per request", "note")
    table = _table("One core against an instant server", *columns)
    for rate in RATES:
        with serving(INSTANT) as url:
            report = _scans(url, rate, 8)
        sent, lag = _sent_in_time(report, 8), report["lag_ms"]["p99"]
        used = report["generator"]["busiest_cpu_share"]
        note = "on schedule" if lag < LAG_BOUND_MS else "above the lag bound"
        figures = (f"{sent:.0f}", f"{lag:.3f} ms", f"{used:.0%}", f"{used / max(sent, 1) * 1e6:.0f} µs")
        table.add_row("this kit, scheduled", f"{rate}/s", *figures, note)
        if rate == RATED:
            holds = lag < LAG_BOUND_MS and sent >= 0.999 * rate
            claim = f"{rate} scheduled POSTs per second from one core, lag p99 under {LAG_BOUND_MS:g} ms"
            record_target(claim, f"{sent:.0f}/s, {lag:.3f} ms", holds=holds)
    for name in have:
        with serving(INSTANT) as url:
            measured = result_of(name, start_rival(name, url, SCANS, 0, 8))
        note = "FastHttpUser, 32 users, closed" if name == "Locust" else "32 connections, closed"
        table.add_row(name, "no limit", f"{measured.requests / 8:.0f}", "not measured", "", "", note)
    return table


def _sent_in_time(report: dict[str, Any], duration_s: int) -> float:
    """Return the requests per second within the planned duration; later requests do not count."""
    return sum(float(second["started"]) for second in report["seconds"] if second["at_s"] < duration_s) / duration_s


def workers() -> Table:
    """Measure the rate of several workers at an excessive planned rate; the server may share their cores."""
    cores = os.cpu_count() or 1
    title = f"Workers, {ALL_AT_ONCE} POSTs/s planned, more than any can send; {cores} cores for them and the server"
    table = _table(title, "workers", "sent in time", "factor over one worker", "busiest worker's core", "answered")
    sent: list[float] = []
    for count in range(1, max(cores, 2) + 1):
        with serving(INSTANT) as url:
            report = _scans(url, ALL_AT_ONCE, 4, "--workers", str(count), JWO_LOAD_PRIORITY="none")
        sent.append(_sent_in_time(report, 4))
        answered = f"{report['counts']['answered']} of {report['counts']['scheduled']}"
        used = f"{report['generator']['busiest_cpu_share']:.0%}"
        table.add_row(str(count), f"{sent[-1]:.0f}/s", f"{sent[-1] / sent[0]:.2f}", used, answered)
    wanted, where = (
        (ALONE, "the server has its own core") if cores > len(sent[:2]) else (SHARED, "the server shares their cores")
    )
    claim = f"two workers send at least {wanted:g} times the rate of one ({where})"
    record_target(claim, f"{sent[1] / sent[0]:.2f} times", holds=sent[1] >= wanted * sent[0])
    return table


def verdicts() -> Table:
    """Produce each of the three verdicts in a run that must have it."""
    table = _table("Verdicts", "run", "expected", "got", "exit", "reasons")
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder) / "connector.sqlite3")
        with serving("-m", "jwo", "connector", JWO_CONNECTOR_STORE__PATH=store) as url:
            _verdict(table, "reference connector, 500 scans/s for 20 s", "pass", _scans(url, 500, 20))
            mixed = kit(url, "--scenario", "duplicate_storm", "--rate", "200", "--duration", "10")
            _verdict(table, "reference connector, duplicate_storm, 200/s", "pass", mixed)
    with serving(STALLS, "freeze") as url:
        report = _scans(url, 200, 20)
        _verdict(table, "freezing for 3 s of every 20 s, 200/s: 200 late", "fail", report)
        late = report["counts"]["late"]
        record_target("the freezing connector's late answers are counted: 200", str(late), holds=abs(late - 200) <= 8)
    with serving(INSTANT) as url:
        report = _scans(url, 80_000, 0.5)
        _verdict(table, "a generator with a planned rate of 80,000/s", "invalid", report)
    return table


def exactness() -> Table:
    """Check without a network that the schedule repeats and that merging is exact."""
    table = _table("Exactness", "claim", "cells compared", "holds")
    one, two = (make_schedule(constant(1000, 60), Mix(carts=0.5), seed=5, poisson=True) for _ in range(2))
    _exact(table, "the same seed gives the same schedule", len(one), holds=one == two)
    tallies = [Tally() for _ in range(4)]
    whole = Tally()
    for place, due in enumerate(one.due_ns):
        tallies[place % 4].add(due // 7000)
        whole.add(due // 7000)
    four, one_worker = merged(*(encoded(tally) for tally in tallies)), merged(encoded(whole))
    cells = [(four.get_count_at_index(at), one_worker.get_count_at_index(at)) for at in range(four.counts_len)]
    same = all(left == right for left, right in cells) and four.get_total_count() == len(one)
    _exact(table, "four workers merged equal one worker on the same samples", len(cells), holds=same)
    return table


def _exact(table: Table, claim: str, cells: int, *, holds: bool) -> None:
    table.add_row(claim, str(cells), str(holds))
    record_target(claim, f"{cells} compared", holds=holds)


def _scans(url: str, rate: float, duration_s: float, *flags: str, **environment: str) -> dict[str, Any]:
    file = str(HERE / "load_scenarios" / "scans_only.py")
    words = ("--scenario", file, "--rate", f"{rate:g}", "--duration", f"{duration_s:g}", *flags)
    return kit(url, *words, **environment)


def _verdict(table: Table, run: str, expected: str, report: dict[str, Any]) -> None:
    verdict = report["verdict"]
    table.add_row(run, expected, verdict["word"], str(report["exit_code"]), "; ".join(verdict["reasons"]))
    holds = verdict["word"] == expected and report["exit_code"] == EXIT_CODES[expected]
    measured = f"{verdict['word']}, exit {report['exit_code']}"
    record_target(f"{run}: {expected}, exit {EXIT_CODES[expected]}", measured, holds=holds)


def _table(title: str, *columns: str) -> Table:
    return Table(*columns, title=title, title_justify="left")


if __name__ == "__main__":
    main()
