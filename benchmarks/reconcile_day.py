"""Runs a day of a mixed store with faults, kills connector and platform with SIGKILL, and reconciles the money.

    python benchmarks/reconcile_day.py [--trips 20000] [--kills 10] [--seed 1] [--shoppers 24]

Half of the shoppers enter by card, and Amazon charges them by the connector's payment calls. The others enter by app,
and the retailer charges them. In one trip of ten, a second shopper joins who enters in the other way. The platform
duplicates and loses messages, throttles payment calls, loses their answers, declines and delays adjustments, and
repeats and splits orders in the files. Connector and platform are killed in turn. At the end the carts, the charges,
the intra-day files, the event feed and the connector's books must agree to the cent. Exit 1 if they do not.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from platform_rig.money_day import Day, Place, Tally, finish, open_place, shop
from rich.console import Console
from rich.table import Table

from jwo.processes import Processes


async def kill_in_turn(place: Place, given: argparse.Namespace, tally: Tally) -> None:
    """Kill connector and platform in turn, spread over the day, and start the process again."""
    chance = random.Random(given.seed)  # noqa: S311 - a seeded run, so that it can be repeated
    for number in range(given.kills):
        due = given.trips * (number + chance.random()) / given.kills
        while tally.trips < min(due, given.trips - 1):  # noqa: ASYNC110 - a number, and no event
            await asyncio.sleep(0.05)
        name = ("connector", "platform")[number % 2]
        await asyncio.to_thread(place.processes.restart, name)
        tally.kills[name] += 1


async def run(place: Place, given: argparse.Namespace) -> Day:
    """Make all trips, with kills in between; return the result."""
    tally, numbers = Tally(), iter(range(given.trips))
    killing = asyncio.create_task(kill_in_turn(place, given, tally))
    shopping = [asyncio.create_task(_shop(place, numbers, given.seed, tally)) for _ in range(given.shoppers)]
    progress = asyncio.create_task(_report(tally, given.trips))
    await asyncio.gather(killing, *shopping)
    progress.cancel()
    return await finish(place, tally)


async def _shop(place: Place, numbers: Iterator[int], seed: int, tally: Tally) -> None:
    for number in numbers:
        await shop(place, number, random.Random(f"{seed}-{number}"), tally)  # noqa: S311 - as above


async def _report(tally: Tally, trips: int) -> None:
    while True:
        await asyncio.sleep(20)
        print(f"{tally.trips:,} of {trips:,} trips, {tally.refunds:,} refunds, kills {dict(tally.kills)}", flush=True)


def main() -> None:
    """Run, print the table and the figures, and exit with 1 if a book does not agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trips", type=int, default=20_000, help="trips to make (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=10, help="kills, in turn (default: %(default)s)")
    parser.add_argument("--shoppers", type=int, default=24, help="shoppers at once (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the times and carts (default: %(default)s)")
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="jwo-reconcile-") as name, Processes(Path(name)) as processes:
        day = asyncio.run(run(open_place(processes, Path(name), given.seed), given))
    console = Console(width=170)
    table = Table(*day.columns, title=f"mixed store, {day.tally.trips:,} trips, kills {dict(day.tally.kills)}")
    for row in day.rows:
        table.add_row(*row)
    console.print(table)
    for line in (*day.remarks, *day.disagreements[:50]):
        console.print(line, markup=False, soft_wrap=True)
    seconds = time.monotonic() - started
    asked = f"groups {day.tally.groups:,}, refused {day.tally.refused:,}; refunds asked for {day.tally.refunds:,}"
    console.print(
        f"difference {day.difference}, disagreements {len(day.disagreements):,}; "
        f"shoppers lost {day.tally.forgotten:,}, {asked}; {seconds:.0f} s"
    )
    sys.exit(1 if day.disagreements or day.tally.forgotten else 0)


if __name__ == "__main__":
    main()
