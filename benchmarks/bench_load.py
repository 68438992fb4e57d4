"""The load test measured: `make bench-load`. Everything is on 127.0.0.1 and takes about twelve minutes.

Late answers are compared with the truth that each server's shape implies, beside four other generators; throughput is
that of one core against a server that answers at once. Rivals that this machine does not have are named and left out.
"""

from __future__ import annotations

import os
import select
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from load_servers.stalls import SHAPES, true_share
from load_subjects import CARTS, HERE, SCANS, Measured, heard, kit, rivals, serving, start_rival
from rich.console import Console
from rich.table import Table

from load.curves import constant
from load.histogram import Tally, encoded, merged
from load.schedule import Mix, make_schedule

RATE, DURATION_S = 200.0, 20
LANES = {"commit_then_stall": (CARTS, "carts_only")}
RATES = (4000, 8000, 10_000, 12_000, 14_000, 16_000)
STALLS = str(HERE / "load_servers" / "stalls.py")
INSTANT = str(HERE / "load_servers" / "instant.py")


def main() -> None:
    """Measure everything and print the tables."""
    console = Console(width=140)
    have = {name: path for name, path in rivals().items() if path}
    if missing := sorted(set(rivals()) - set(have)):
        console.print(f"not on this machine, and left out: {', '.join(missing)}")
    wanted = sys.argv[1:] or ["machine", "stalls", "throughput", "workers", "verdicts", "exactness"]
    sections = {
        "machine": machine,
        "stalls": lambda: stalls(have),
        "throughput": lambda: throughput(have),
        "workers": workers,
        "verdicts": verdicts,
        "exactness": exactness,
    }
    for name in wanted:
        console.print(sections[name]())


def machine() -> Table:
    """How late this machine wakes a process that only sleeps: no generator can do better here."""
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
    """Share of late answers: the truth, this kit, and the others on the same kind of server."""
    table = _table(
        f"Share of answers over 2 s, {RATE:g}/s wanted for {DURATION_S} s",
        "server",
        "truth",
        "this kit",
        "off by",
        *have,
    )
    for shape in SHAPES:
        truth = true_share(shape, RATE, DURATION_S)
        path, scenario = LANES.get(shape, (SCANS, "scans_only"))
        mine = _kit_on(shape, scenario)
        share = mine["counts"]["late"] / mine["counts"]["started"]
        others = _rivals_on(shape, path, have)
        cells = [f"{each.late_share:.2%} ({each.requests} sent)" for each in others]
        off = f"{abs(share - truth) * 100:.2f} points"
        table.add_row(shape, f"{truth:.2%}", f"{share:.2%} ({mine['counts']['started']} sent)", off, *cells)
    return table


def _kit_on(shape: str, scenario: str) -> dict[str, Any]:
    file = str(HERE / "load_scenarios" / f"{scenario}.py")
    with serving(STALLS, shape) as url:
        return kit(url, "--scenario", file, "--rate", f"{RATE:g}", "--duration", str(DURATION_S))


def _rivals_on(shape: str, path: str, have: dict[str, str]) -> list[Measured]:
    """The paced ones run side by side, each on a server of its own; wrk knows no pace and runs alone."""
    found: dict[str, Measured] = {}
    for group in ([name for name in have if name != "wrk"], [name for name in have if name == "wrk"]):
        servers = {name: serving(STALLS, shape) for name in group}
        started = {
            name: start_rival(name, server.__enter__(), path, RATE, DURATION_S) for name, server in servers.items()
        }
        for name, process in started.items():
            found[name] = heard(name, process)
        for server in servers.values():
            server.__exit__(None, None, None)
    return [found[name] for name in have]


def throughput(have: dict[str, str]) -> Table:
    """What one thread, so at most one core, sends to a server that answers at once: on schedule, or flat out."""
    table = _table(
        "One core against an instant server", "generator", "POSTs/s", "lag p99", "core used", "CPU a request", "note"
    )
    for rate in RATES:
        with serving(INSTANT) as url:
            report = _scans(url, rate, 8)
        lag, used = report["lag_ms"]["p99"], report["generator"]["busiest_cpu_share"]
        each = f"{used / report['rate']['mean'] * 1e6:.0f} µs"
        note = "on schedule" if lag < 1 else "beyond the lag bound"
        table.add_row("this kit, scheduled", f"{rate}", f"{lag:.3f} ms", f"{used:.0%}", each, note)
    for name in have:
        with serving(INSTANT) as url:
            measured = heard(name, start_rival(name, url, SCANS, 0, 8))
        note = "FastHttpUser, 32 users, closed" if name == "Locust" else "32 connections, closed"
        table.add_row(name, f"{measured.requests / 8:.0f}", "not measured", "", "", note)
    return table


def workers() -> Table:
    """What workers add: how much of a core the busiest one needs for its share of the same load."""
    table = _table(
        "Workers, 6,000 POSTs/s in all", "workers", "sent", "busiest worker's core", "room, times one worker"
    )
    one = 0.0
    for count in range(1, (os.cpu_count() or 1) + 1):
        with serving(INSTANT) as url:
            report = _scans(url, 6000, 8, "--workers", str(count))
        used = report["generator"]["busiest_cpu_share"]
        one = one or used
        sent = f"{report['counts']['answered']} of {report['counts']['scheduled']}"
        table.add_row(str(count), sent, f"{used:.0%}", f"{one / used:.2f}")
    return table


def verdicts() -> Table:
    """The three outcomes, each from a run that must have it."""
    table = _table("Verdicts", "run", "wanted", "got", "exit", "why")
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder) / "connector.sqlite3")
        with serving("-m", "jwo", "connector", JWO_CONNECTOR_STORE__PATH=store) as url:
            _verdict(table, "reference connector, 500 scans/s for 20 s", "pass", _scans(url, 500, 20))
            mixed = kit(url, "--scenario", "duplicate_storm", "--rate", "200", "--duration", "10")
            _verdict(table, "reference connector, duplicate_storm, 200/s", "pass", mixed)
    with serving(STALLS, "freeze") as url:
        report = _scans(url, 200, 20)
        _verdict(table, "frozen 3 s in every 20, 200/s: 200 late", "fail", report)
    with serving(INSTANT) as url:
        report = _scans(url, 80_000, 0.5)
        _verdict(table, "a generator asked for 80,000/s", "invalid", report)
    return table


def exactness() -> Table:
    """What needs no network: the schedule's repeatability and the merging."""
    table = _table("Exactness", "claim", "holds")
    one, two = (make_schedule(constant(1000, 60), Mix(carts=0.5), seed=5, poisson=True) for _ in range(2))
    table.add_row("the same seed gives the same schedule (60,000 arrivals)", str(one == two))
    tallies = [Tally() for _ in range(4)]
    whole = Tally()
    for place, due in enumerate(one.due_ns):
        tallies[place % 4].add(due // 7000)
        whole.add(due // 7000)
    merged_four = merged(*(encoded(tally) for tally in tallies))
    same = all(
        merged_four.get_count_at_index(index) == merged(encoded(whole)).get_count_at_index(index)
        for index in range(0, merged_four.counts_len, 97)
    )
    table.add_row("four workers merged equal one worker on the same samples", str(same))
    return table


def _scans(url: str, rate: float, duration_s: float, *flags: str) -> dict[str, Any]:
    file = str(HERE / "load_scenarios" / "scans_only.py")
    return kit(url, "--scenario", file, "--rate", f"{rate:g}", "--duration", f"{duration_s:g}", *flags)


def _verdict(table: Table, run: str, wanted: str, report: dict[str, Any]) -> None:
    verdict = report["verdict"]
    table.add_row(run, wanted, verdict["word"], str(report["exit_code"]), "; ".join(verdict["reasons"]))


def _table(title: str, *columns: str) -> Table:
    return Table(*columns, title=title, title_justify="left")


if __name__ == "__main__":
    main()
