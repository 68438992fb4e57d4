"""`jwo shop`: the options of a simulated store day. `jwo.shop_day` drives it, and is imported only then."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jwo.errors import Usage
from simulator.shop.curves import CURVES

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
    from jwo.shop_day import Day, drive
    from jwo.shop_faults import read_fault

    faults = tuple(map(read_fault, fault or []))
    chosen = Day(day, stores, gates, trips, seed, speed, faults, in_turn)
    raise typer.Exit(drive(chosen, connector, profile, out))
