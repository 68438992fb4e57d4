"""Runs a simulated store day against a connector, with a live display, a table at the end, and a page of plots."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from jwo.errors import Usage
from jwo.report_folder import prepare_folder
from jwo.shop_faults import DayFault, arm_all
from jwo.shop_scene import Scene, Wanted, scene_of
from jwo_toolkit.console import make_console
from simulator.comparable import comparable
from simulator.composition import StoreServices
from simulator.errors import SimulatorError
from simulator.reconciliation.comparison import Reconciliation, money_text
from simulator.reconciliation.table import columns_of, remarks_of, rows_of
from simulator.settings import PlatformSettings
from simulator.shop.day import Pace
from simulator.shop.page import DECISION_COLUMNS, decision_rows, meaning
from simulator.shop.results import Results, latency, ranked
from simulator.shop.run import DayOptions, Outcome, Progress, run_day

_LISTED_TRIPS = 1000
_COMPARABLE = "journal-comparable.ndjson"


class Day(NamedTuple):
    """The options of the command line; `speed` is simulated seconds per second."""

    name: str
    wanted: Wanted
    trips: int
    seed: int
    speed: float
    faults: tuple[DayFault, ...]
    in_turn: bool


def drive(chosen: Day, url: str, profile: Path | None, out: Path) -> int:
    """Run the day, write its files to `out`, print its table and return the exit code.

    The connector is the one at `url` or in `profile`, otherwise the reference connector. Raises Usage if an option is
    not usable.
    """
    console = make_console()
    prepare_folder(out)
    journal = out / "journal.ndjson"
    try:
        with scene_of(chosen.wanted, url, profile, chosen.seed) as scene:
            if scene.note:
                console.print(scene.note, soft_wrap=True, markup=False)
            journal.unlink(missing_ok=True)
            outcome = _run(console, scene, scene.settings(chosen.seed, journal, in_turn=chosen.in_turn), chosen)
    except SimulatorError as error:
        raise Usage(str(error)) from error
    _write_results(outcome, out)
    console.print(_final_table(outcome))
    console.print(f"page {out / 'shop.html'}, figures {out / 'shop.json'}, journal {journal}", soft_wrap=True)
    console.print(_comparable_line(journal, out, has_payments=chosen.wanted.kind != "retailer"), soft_wrap=True)
    sentences = meaning(outcome.findings, outcome.results.decisions)
    console.print(" ".join(sentences), style="dim", soft_wrap=True, highlight=False)
    for finding in outcome.findings:
        console.print(f"FAIL {finding}", style="red", soft_wrap=True, markup=False, highlight=False)
    if not outcome.findings:
        console.print("PASS no findings: no late answer, no undelivered cart", style="green", highlight=False)
    return 1 if outcome.findings else 0


def _write_results(outcome: Outcome, out: Path) -> None:
    """Write the page and the figures."""
    (out / "shop.html").write_text(outcome.html, "utf-8")
    summary = {
        "verdict": "fail" if outcome.findings else "pass",
        "findings": list(outcome.findings),
        **outcome.results.summary(),
        "deliveries": outcome.deliveries,
        **({"money": outcome.money.to_json(_LISTED_TRIPS)} if outcome.money else {}),
        "wallS": outcome.title.wall_s,
    }
    (out / "shop.json").write_text(json.dumps(summary, indent=2), "utf-8")


def _run(console: Console, scene: Scene, settings: PlatformSettings, chosen: Day) -> Outcome:
    with Live(console=console, transient=True, refresh_per_second=8) as live:

        def show_progress(progress: Progress) -> None:
            if console.is_terminal:
                live.update(_display(progress))

        def prepare(services: StoreServices) -> None:
            scene.prepare(services)
            arm_all(services, chosen.faults)

        pace = Pace(chosen.speed, at_once=1 if chosen.in_turn else 64)
        options = DayOptions(chosen.name, chosen.trips, pace, scene.mint, scene.retailer, scene.ask_connector)
        shops, people, target = scene.shops, scene.people, scene.connector
        work = run_day(settings, shops, people, target, options, report_progress=show_progress, prepare=prepare)
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
    table = Table("way in", "cause", "gate", "decisions", box=None, header_style="bold", pad_edge=False)
    for (method, cause, opens), count in ranked(results.causes):
        table.add_row(method, cause, "[green]open[/]" if opens else "[red]closed[/]", f"{count:,}")
    return table


def _final_table(outcome: Outcome) -> Group:
    results, deliveries = outcome.results, outcome.deliveries
    columns = ("milliseconds", "calls", "p50", "p95", "p99", "longest", "over 2 s")
    calls = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for name, samples in (("gate decision", results.gate_ms), ("Create Purchases", results.order_ms)):
        calls.add_row(name, *(f"{value:,}" for value in latency(samples)))
    carts = Table.grid(padding=(0, 3))
    carts.add_row("carts", f"{results.carts:,}", f"{results.empty_carts:,} of them empty, {results.lines:,} lines")
    carts.add_row("delivered", f"{deliveries['delivered']:,}", f"in {deliveries['attempts']:,} attempts")
    carts.add_row("not delivered", f"{deliveries['pending'] + deliveries['dead_letter']:,}", "")
    parts = (_visitors(results), "", _deciders(results), "", calls, "", carts)
    return Group(*parts, *(("", _money(outcome.money)) if outcome.money else ()))


def _money(money: Reconciliation) -> Group:
    table = Table(*columns_of(money), box=None, header_style="bold", pad_edge=False)
    for row in rows_of(money):
        table.add_row(*map(escape, row))
    color = "red" if money.disagreements else "green"
    total = f"[{color}]difference {money_text(money.difference)}, disagreements {len(money.disagreements):,}[/]"
    return Group(table, total, *(f"[dim]{escape(one)}[/]" for one in remarks_of(money)))


def _visitors(results: Results) -> Table:
    table = Table("who visited", "visits", "let in", "kept out", box=None, header_style="bold", pad_edge=False)
    for name, visits, let_in in results.visitor_rows():
        table.add_row(name, f"{visits:,}", f"{let_in:,}", f"{visits - let_in:,}")
    return table


def _deciders(results: Results) -> Table:
    table = Table(*DECISION_COLUMNS, box=None, header_style="bold", pad_edge=False)
    for *words, gate, count in decision_rows(results):
        table.add_row(*map(escape, words), f"[green]{gate}[/]" if gate == "open" else f"[red]{gate}[/]", count)
    return table


def _comparable_line(journal: Path, out: Path, *, has_payments: bool) -> str:
    """Write the comparable journal; returns the line about it. The times of payment calls are the connector's own."""
    if has_payments:
        (out / _COMPARABLE).unlink(missing_ok=True)
        return "no journal without measured times: the connector makes its payment calls when it likes"
    return f"journal without measured times {out / _COMPARABLE}, SHA-256 {_write_comparable(journal, out)}"


def _write_comparable(journal: Path, out: Path) -> str:
    """Write the journal in the form that repeats byte for byte in another run of the same day. Returns its SHA-256."""
    digest = hashlib.sha256()
    with journal.open("rb") as whole, (out / _COMPARABLE).open("wb") as file:
        for line in comparable(whole):
            digest.update(line)
            file.write(line)
    return digest.hexdigest()
