"""`jwo shop`: a simulated store day against a connector: a live display, a table at the end, a page of plots."""

from __future__ import annotations

import asyncio
import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from jwo.errors import Usage
from jwo.progress import make_console
from jwo.shop_faults import DayFault, arm_all, read_fault
from jwo.shop_scene import Scene, scene_of
from simulator.comparable import comparable
from simulator.errors import SimulatorError
from simulator.settings import PlatformSettings
from simulator.shop.curves import CURVES
from simulator.shop.day import Pace
from simulator.shop.results import Results, latency
from simulator.shop.run import DayOptions, Outcome, Progress, run_day

_COMPARABLE = "journal-comparable.ndjson"
FaultOption = Annotated[
    list[str] | None,
    typer.Option("--fault", metavar="NAME[=AMOUNT][@RATE]", help="What goes wrong on purpose; repeatable."),
]
InTurnOption = Annotated[
    bool, typer.Option("--in-turn", help="One call at a time: repeats also what a connector numbers by arrival.")
]


def shop(  # noqa: PLR0913, PLR0917 - one parameter an option of the command line
    stores: Annotated[
        int | None,
        typer.Option("--stores", min=1, max=1000, show_default="3; 1 with --connector or --profile"),
    ] = None,
    gates: Annotated[int, typer.Option("--gates", min=1, max=50, help="Of each store.")] = 4,
    day: Annotated[str, typer.Option("--day", help=f"One of {', '.join(CURVES)}.")] = "busy_saturday",
    speed: Annotated[float, typer.Option("--speed", min=0, help="Platform seconds in a second; 0: full speed.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same day.")] = 7,
    trips: Annotated[int, typer.Option("--trips", min=0, help="Over all stores; 0: as many as the day has.")] = 0,
    connector: Annotated[str, typer.Option("--connector", metavar="URL", help="A connector that is running.")] = "",
    profile: Annotated[Path | None, typer.Option("--profile", metavar="FILE", help="Its jwo.toml.")] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR")] = Path("jwo-shop"),
    fault: FaultOption = None,
    in_turn: InTurnOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Drive a store day: arrivals by hour, gates, carts, deliveries; the reference connector unless you name one."""
    if day not in CURVES:
        raise Usage(f"there is no day {day}; there are {', '.join(CURVES)}")
    faults = tuple(map(read_fault, fault or []))
    console = make_console()
    out.mkdir(parents=True, exist_ok=True)
    journal = out / "journal.ndjson"
    try:
        with scene_of(stores, gates, connector, profile, seed) as scene:
            journal.unlink(missing_ok=True)
            settings = scene.settings(seed, journal, in_turn=in_turn)
            options = DayOptions(day, trips, Pace(speed, at_once=1 if in_turn else 64))
            outcome = _run(console, scene, settings, options, faults)
    except SimulatorError as error:
        raise Usage(str(error)) from error
    (out / "shop.html").write_text(outcome.html, "utf-8")
    summary = {**outcome.results.summary(), "deliveries": outcome.deliveries, "wallS": outcome.title.wall_s}
    (out / "shop.json").write_text(json.dumps(summary, indent=2), "utf-8")
    console.print(_final(outcome))
    console.print(f"Page {out / 'shop.html'}, numbers {out / 'shop.json'}, journal {journal}", soft_wrap=True)
    digest = _write_comparable(journal, out)
    console.print(f"Without what was measured: {out / _COMPARABLE}, SHA-256 {digest}", soft_wrap=True)
    undelivered = outcome.deliveries["pending"] + outcome.deliveries["dead_letter"]
    nobody_came_in = outcome.results.decisions > 0 and not outcome.results.opened
    if nobody_came_in:
        console.print("[red]No gate opened for anybody: is the connector up, and does it know the shopper's key?[/]")
    raise typer.Exit(1 if undelivered or nobody_came_in else 0)


def _run(
    console: Console,
    scene: Scene,
    settings: PlatformSettings,
    options: DayOptions,
    faults: tuple[DayFault, ...],
) -> Outcome:
    with Live(console=console, transient=True, refresh_per_second=8) as live:

        def seen(progress: Progress) -> None:
            if console.is_terminal:
                live.update(_display(progress))

        shops, people, target, _ = scene
        prepare = partial(arm_all, faults=faults)
        work = run_day(settings, shops, people, target, options, seen=seen, prepare=prepare)
        return asyncio.run(work)


def _display(progress: Progress) -> Group:
    results = progress.results
    bar = ProgressBar(total=max(1, progress.planned), completed=results.decisions, width=40)
    table = Table.grid(padding=(0, 3))
    table.add_row(f"{progress.at:%H:%M:%S}", f"{results.decisions}/{progress.planned} at the gate", bar)
    gate = latency(results.gate_ms)
    table.add_row(f"{progress.inside} inside", f"{results.carts} carts", f"gate p50 {gate.p50} ms, p99 {gate.p99} ms")
    return Group(table, _causes(results))


def _causes(results: Results) -> Table:
    table = Table("way in", "cause", "gate", "decisions", box=None, header_style="bold")
    for (method, cause, opens), count in results.causes.most_common():
        table.add_row(method, cause, "[green]open[/]" if opens else "[red]closed[/]", f"{count:,}")
    return table


def _final(outcome: Outcome) -> Group:
    results, deliveries = outcome.results, outcome.deliveries
    calls = Table("milliseconds", "calls", "p50", "p95", "p99", "worst", "over 2 s", box=None, header_style="bold")
    for name, counted in (("at the gate", results.gate_ms), ("Create Purchases", results.order_ms)):
        calls.add_row(name, *(f"{value:,}" for value in latency(counted)))
    carts = Table.grid(padding=(0, 3))
    carts.add_row("carts", f"{results.carts:,}", f"of them {results.empty_carts:,} empty, {results.lines:,} lines")
    carts.add_row("delivered", f"{deliveries['delivered']:,}", f"in {deliveries['attempts']:,} attempts")
    carts.add_row("not delivered", f"{deliveries['pending'] + deliveries['dead_letter']:,}", "")
    return Group(_causes(results), "", calls, "", carts)


def _write_comparable(journal: Path, out: Path) -> str:
    """Write the journal as another run of the same day compares with it, byte for byte; returns its digest."""
    digest = hashlib.sha256()
    with journal.open("rb") as whole, (out / _COMPARABLE).open("wb") as file:
        for line in comparable(whole):
            digest.update(line)
            file.write(line)
    return digest.hexdigest()
