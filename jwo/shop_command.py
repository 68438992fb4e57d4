"""The options of `jwo shop`, a simulated store day. The command imports `jwo.shop_day`, which runs the day."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from jwo.errors import Usage
from jwo.store_kind_option import StoreKindOption, checked_kind
from jwo_toolkit.extras import require

if TYPE_CHECKING:
    from simulator.entry.strategies import Strategy

_OWN_CONNECTOR = "name your own connector with --connector URL or --profile FILE"
_SEED, _OWN_SEEDS = 7, 1_000_000
FaultOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="NAME[=AMOUNT][@RATE]",
        help="Fault to inject, as in delay=60@0.02; a wrong name lists all faults. Repeat for more.",
        show_default="no fault",
    ),
]
InTurnOption = Annotated[
    bool,
    typer.Option(
        "--in-turn",
        help="Make one call at a time. Then the same seed also repeats numbers that depend on the order of calls.",
        show_default="off",
    ),
]
ShareOption = Annotated[
    list[str] | None,
    typer.Option(
        "--share",
        metavar="NAME=SHARE",
        help="Share of the visits of a kind, as in palm=0.05; a wrong name lists all shares. Repeat for more.",
        show_default="the shares of a store with all ways in, without palms",
    ),
]
StrategyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy",
        metavar="NAME",
        help="Fraud and Abuse strategy of the stores; a wrong name lists all. Repeat for each store in turn.",
        show_default="the first three in turn; with a profile amazon_recommendation, or no cards",
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option(
        "--seed",
        help="Seed of the day; the same seed repeats it, with the same ids of events and trips.",
        show_default=f"{_SEED}; a new one with --connector or --profile",
    ),
]
StoresOption = Annotated[
    int | None,
    typer.Option(
        "--stores", min=1, max=1000, help="Number of stores.", show_default="3; 1 with --connector or --profile"
    ),
]


def shop(  # noqa: PLR0913, PLR0917 - one parameter for each option of the command line
    stores: StoresOption = None,
    gates: Annotated[int, typer.Option("--gates", min=1, max=50, help="Number of gates in each store.")] = 4,
    day: Annotated[
        str, typer.Option("--day", metavar="NAME", help="Arrivals over the day; a wrong name lists all days.")
    ] = "busy_saturday",
    speed: Annotated[
        float, typer.Option("--speed", min=0, help="Simulated seconds per real second; 0 runs at full speed.")
    ] = 0,
    seed: SeedOption = None,
    trips: Annotated[
        int, typer.Option("--trips", min=0, help="Shopping trips in all stores together; 0 takes the day's own number.")
    ] = 0,
    connector: Annotated[
        str,
        typer.Option(
            "--connector",
            metavar="URL",
            help="Address of a running connector.",
            show_default="the address in the profile; without a profile, the reference connector",
        ),
    ] = "",
    profile: Annotated[
        Path | None,
        typer.Option(
            "--profile", metavar="FILE", help="Profile of the connector, a jwo.toml.", show_default="no profile"
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the page, the figures and the journal.")
    ] = Path("jwo-shop"),
    fault: FaultOption = None,
    in_turn: InTurnOption = False,  # noqa: FBT002 - a flag of the command line
    share: ShareOption = None,
    strategy: StrategyOption = None,
    store_kind: StoreKindOption = "retailer",
) -> None:
    """Simulate a store day against a connector. Exit code 1 means findings.

    The day has arrivals by hour, gates, carts and deliveries. A connector of your own gets the ways in that its profile
    declares.
    """
    require("the simulated platform", "platform")
    if not (connector or profile):
        require("the reference connector", "connector", instead=_OWN_CONNECTOR)
    _check_day(day)
    _check_strategies(strategy or [])
    kind = checked_kind(store_kind)
    from jwo.shop_day import Day, drive
    from jwo.shop_faults import check_faults, read_fault
    from jwo.shop_scene import Wanted
    from jwo.shop_shares import check_shares, read_shares

    faults = tuple(map(read_fault, fault or []))
    check_faults(faults, has_payments=kind != "retailer")
    shares, given = read_shares(share or [])
    check_shares(given, kind)
    wanted = Wanted(stores, gates, shares, given, tuple(cast("list[Strategy]", strategy or [])), kind)
    chosen = Day(day, wanted, trips, _seed_of(seed, is_own=bool(connector or profile)), speed, faults, in_turn)
    raise typer.Exit(drive(chosen, connector, profile, out))


def _check_day(name: str) -> None:
    """Raise Usage, with all days, if there is no day of this name."""
    from simulator.shop.curves import CURVES

    if name not in CURVES:
        raise Usage(f"there is no day {name}; take one of {', '.join(CURVES)}")


def _check_strategies(names: list[str]) -> None:
    """Raise Usage, with all strategies, if one of the names is not a strategy."""
    from simulator.entry.strategies import STRATEGIES

    unknown = [name for name in names if name not in STRATEGIES]
    if unknown:
        raise Usage(f"there is no strategy {unknown[0][:40]}; take one of {', '.join(STRATEGIES)}")


def _seed_of(given: int | None, *, is_own: bool) -> int:
    """Return the seed. For the user's own connector, which may remember earlier days, draw and print a new one."""
    if given is not None or not is_own:
        return _SEED if given is None else given
    seed = secrets.randbelow(_OWN_SEEDS)
    typer.echo(f"seed {seed}: --seed {seed} repeats the day, and your connector may then know its events and trips")
    return seed
