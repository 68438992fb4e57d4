"""`jwo shop`: a simulated store day against a connector: a live display, a table at the end, a page of plots."""

from __future__ import annotations

import asyncio
import base64
import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from contract import profile as profiles
from contract.profile import Profile
from contract.sigv4 import Key
from jwo.errors import Usage
from jwo.processes import Processes
from jwo.progress import make_console
from simulator.connector import Connector
from simulator.errors import SimulatorError
from simulator.settings import PlatformSettings
from simulator.shop.curves import CURVES
from simulator.shop.day import Pace
from simulator.shop.plan import People, Shop
from simulator.shop.results import Results, latency
from simulator.shop.run import Outcome, Progress, run_day
from simulator.worlds import shipped_world

_NOWHERE = "http://127.0.0.1:9"
"""A day needs no AWS, so nothing is ever called there."""
_KEYS = 200
_SAMPLE_KEY, _SAMPLE_SKU = "dmFsaWRfc2hvcHBlcl9rZXk=", "SKU-001"


class Scene(NamedTuple):
    """Where a day takes place; `key` signs the calls of a connector in mode `sigv4`."""

    shops: tuple[Shop, ...]
    people: People
    connector: Connector
    key: Key | None = None

    def settings(self, seed: int, journal: Path) -> PlatformSettings:
        """Return the settings of the day's platform."""
        given: dict[str, Any] = {"base_url": _NOWHERE, "aws_endpoint_url": _NOWHERE}
        if self.key:
            names = ("connector_access_key_id", "connector_secret_access_key", "connector_session_token")
            given |= dict(zip(names, self.key, strict=True))
        return PlatformSettings(**given, seed=seed, journal_path=journal)


def shop(  # noqa: PLR0913, PLR0917 - one parameter an option of the command line
    stores: Annotated[int, typer.Option("--stores", min=1, max=1000)] = 3,
    gates: Annotated[int, typer.Option("--gates", min=1, max=50, help="Of each store.")] = 4,
    day: Annotated[str, typer.Option("--day", help=f"One of {', '.join(CURVES)}.")] = "busy_saturday",
    speed: Annotated[float, typer.Option("--speed", min=0, help="Platform seconds in a second; 0: full speed.")] = 0,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same day.")] = 7,
    trips: Annotated[int, typer.Option("--trips", min=0, help="Over all stores; 0: as many as the day has.")] = 0,
    connector: Annotated[str, typer.Option("--connector", metavar="URL", help="A connector that is running.")] = "",
    profile: Annotated[Path | None, typer.Option("--profile", metavar="FILE", help="Its jwo.toml.")] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR")] = Path("jwo-shop"),
) -> None:
    """Drive a store day: arrivals by hour, gates, carts, deliveries; the reference connector unless you name one."""
    if day not in CURVES:
        raise Usage(f"there is no day {day}; there are {', '.join(CURVES)}")
    console = make_console()
    out.mkdir(parents=True, exist_ok=True)
    journal = out / "journal.ndjson"
    journal.unlink(missing_ok=True)
    try:
        with _scene(stores, gates, connector, profile) as scene:
            outcome = _run(console, scene, scene.settings(seed, journal), day=day, trips=trips, speed=speed)
    except SimulatorError as error:
        raise Usage(str(error)) from error
    (out / "shop.html").write_text(outcome.html, "utf-8")
    summary = {**outcome.results.summary(), "deliveries": outcome.standing, "wallS": outcome.title.wall_s}
    (out / "shop.json").write_text(json.dumps(summary, indent=2), "utf-8")
    console.print(_final(outcome))
    console.print(f"Page {out / 'shop.html'}, numbers {out / 'shop.json'}, journal {journal}")
    undelivered = outcome.standing["pending"] + outcome.standing["dead_letter"]
    raise typer.Exit(1 if undelivered else 0)


def _run(console: Console, scene: Scene, settings: PlatformSettings, *, day: str, trips: int, speed: float) -> Outcome:
    with Live(console=console, transient=True, refresh_per_second=8) as live:

        def seen(progress: Progress) -> None:
            if console.is_terminal:
                live.update(_display(progress))

        shops, people, target, _ = scene
        pace = Pace(speed)
        return asyncio.run(run_day(settings, shops, people, target, day=day, trips=trips, pace=pace, seen=seen))


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
    results, standing = outcome.results, outcome.standing
    calls = Table("milliseconds", "calls", "p50", "p95", "p99", "worst", "over 2 s", box=None, header_style="bold")
    for name, counted in (("at the gate", results.gate_ms), ("Create Purchases", results.order_ms)):
        calls.add_row(name, *(f"{value:,}" for value in latency(counted)))
    carts = Table.grid(padding=(0, 3))
    carts.add_row("carts", f"{results.carts:,}", f"of them {results.empty_carts:,} empty, {results.lines:,} lines")
    carts.add_row("delivered", f"{standing['delivered']:,}", f"in {standing['attempts']:,} attempts")
    carts.add_row("not delivered", f"{standing['pending'] + standing['dead_letter']:,}", "")
    return Group(_causes(results), "", calls, "", carts)


@contextmanager
def _scene(stores: int, gates: int, url: str, profile: Path | None) -> Iterator[Scene]:
    """Yield somebody's own connector, or the reference connector with a retailer made for the day."""
    if url or profile:
        yield _own(profiles.load(profile) if profile else profiles.for_url(url), stores, gates)
        return
    ids = [f"STORE-{number:03d}" for number in range(1, stores + 1)]
    with TemporaryDirectory(prefix="jwo-shop-") as name, Processes(Path(name)) as processes:
        keys, skus = _retailer(Path(name), ids)
        started = processes.start("connector", ["connector"], _settings(Path(name)))
        yield Scene(_shops(ids, gates, skus), People(keys), Connector(started.url, "none"))


def _own(known: Profile, stores: int, gates: int) -> Scene:
    if stores > 1:
        raise Usage("somebody's own connector is driven as one store: say --stores 1")
    table = known.connector
    target = Connector(table.url, table.auth, tuple(table.headers.items()), table.region)
    shops = _shops([known.store.id or "STORE-001"], gates, tuple(known.catalog.skus) or (_SAMPLE_SKU,))
    people = People((known.keys.shopper or _SAMPLE_KEY,))
    return Scene(shops, people, target, table.key if table.auth == "sigv4" else None)


def _shops(ids: list[str], gates: int, skus: tuple[str, ...]) -> tuple[Shop, ...]:
    return tuple(Shop(one, tuple(f"{one}-GATE-{number}" for number in range(1, gates + 1)), skus) for one in ids)


def _retailer(folder: Path, ids: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write a retailer file and a price list for the reference connector; returns the app users' keys and the SKUs."""
    keys = [base64.b64encode(f"shopper-{number:04d}".encode()).decode() for number in range(_KEYS)]
    parts = ['[retailer]\ncurrency = "USD"\n', *(f'[[store]]\nid = "{one}"\n' for one in ids)]
    for number, key in enumerate(keys):
        parts.append(
            f'[[fixture_key]]\nidentity_key = "{key}"\nvisitor_id = "visitor-{number:04d}"\ntype = "SHOPPER"\n'
            f"stores = {json.dumps(ids)}\n"
        )
    (folder / "retailer.toml").write_text("\n".join(parts), "utf-8")
    with shipped_world().with_name("products.csv").open(encoding="utf-8", newline="") as shipped:
        rows = [row for row in csv.DictReader(shipped) if row["sold_by"] == "unit"]
    with (folder / "prices.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "store_id": one} for one in ids for row in rows)
    return tuple(keys), tuple(dict.fromkeys(row["item_sku"] for row in rows))


def _settings(folder: Path) -> dict[str, str]:
    return {
        "JWO_CONNECTOR_STORE__PATH": str(folder / "connector.sqlite3"),
        "JWO_CONNECTOR_RETAILER_FILES": json.dumps([str(folder / "retailer.toml")]),
        "JWO_CONNECTOR_PRICE_LISTS": json.dumps([str(folder / "prices.csv")]),
    }
