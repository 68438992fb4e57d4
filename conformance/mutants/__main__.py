"""`python -m conformance.mutants`: try every fault on all cores, print a table, exit with 1 if a fault survives."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from conformance.mutants.gallery import CLIENTS, GALLERY
from conformance.mutants.gate import FOUND, Outcome
from conformance.mutants.proof import Proof, prove
from jwo_toolkit.lifeline import end_with_starter


def main() -> int:
    """Try every fault, or each Nth with `--every N`, and return the exit code."""
    end_with_starter()
    parser = argparse.ArgumentParser(prog="python -m conformance.mutants", description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="try only each Nth fault (default: 1)")
    every = max(1, parser.parse_args().every)
    start = time.perf_counter()
    proof = prove(GALLERY[::every], CLIENTS[::every])
    show(proof, Console(), time.perf_counter() - start)
    return int(not proof.holds)


def show(proof: Proof, console: Console, took_s: float) -> None:
    """Print the table, the number of found faults, the names that need attention, and the false alarms."""
    console.print(_table(proof.outcomes))
    console.print(f"{proof.killed} of {len(proof.outcomes)} faults found by all ids that must, in {took_s:.0f} s")
    survivors = [outcome.fault.name for outcome in proof.outcomes if not outcome.killed]
    console.print(f"faults that survive: {', '.join(survivors) or 'none'}")
    console.print(f"checks that no fault proves: {', '.join(proof.unproven) or 'none'}")
    console.print(f"false alarms on the correct connector: {', '.join(proof.alarms) or 'none'}")


def _table(outcomes: Iterable[Outcome]) -> Table:
    table = Table("fault", "must be found by", "", box=None)
    for outcome in outcomes:
        ids = ", ".join(
            f"{each} {'' if verdict in FOUND else verdict}".strip() for each, verdict in outcome.verdicts.items()
        )
        table.add_row(outcome.fault.name, ids, "[green]found[/]" if outcome.killed else "[red]SURVIVES[/]")
    return table


if __name__ == "__main__":
    sys.exit(main())
