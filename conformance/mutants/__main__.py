"""`python -m conformance.mutants`: run the gallery on all cores, print the table, exit 1 when a fault survives."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from rich.console import Console
from rich.table import Table

from conformance.end_to_end.platform import starting
from conformance.mutants.clients import CLIENTS, results_of_client
from conformance.mutants.clients import platform as platform_of_clients
from conformance.mutants.gallery import CONFORMANT, GALLERY, RATE_LIMIT
from conformance.mutants.gate import (
    Outcome,
    Proof,
    certify,
    profile_of,
    run_client,
    run_mutant,
    unproven,
    visits_of_the_limited,
)
from conformance.verdicts import CaseResult, Verdict

_WORKERS = 3
"""Processes for each core: most of them wait for an answer that is late."""
_NOWHERE = "http://127.0.0.1:9"
"""The address of no connector in particular: stores are set up at the platform with addresses of their own."""
_FINE = {Verdict.PASS, Verdict.NOT_APPLICABLE}


def main() -> int:
    """Run every fault, or each Nth with `--every N`, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m conformance.mutants", description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth fault, for a quick look")
    every = max(1, parser.parse_args().every)
    console, start = Console(), time.perf_counter()
    # the suite runs pytest in its process, so each worker must be a fresh one and not a copy of this
    context = multiprocessing.get_context("spawn")
    with (
        starting(profile_of(_NOWHERE)) as platform,
        platform_of_clients() as addresses,
        ProcessPoolExecutor(_WORKERS * (os.cpu_count() or 1), mp_context=context) as pool,
    ):
        limited = pool.submit(visits_of_the_limited)  # waits most of its time
        meet = partial(run_mutant, platform=platform)
        met = pool.map(meet, sorted(GALLERY[::every], key=lambda mutant: not mutant.waits))
        clients = pool.map(partial(run_client, addresses=addresses), CLIENTS[::every])
        correct_client = pool.submit(results_of_client, "", addresses)
        outcomes = [*sorted(met, key=lambda outcome: GALLERY.index(outcome.mutant)), *clients]
        results = {**correct_client.result(), **certify("").results}
        alarms = _alarming(results)
        for fault, only in CONFORMANT[1:]:
            alarms += [f"{each} on {fault}" for each in _alarming(certify(fault, only).results)]
        at_a_limit = limited.result()
    results |= at_a_limit
    alarms += [f"{each} at {RATE_LIMIT} calls a second" for each in _alarming(at_a_limit)]
    proof = Proof(tuple(outcomes), tuple(sorted(unproven(set(results)))), tuple(alarms))
    show(proof, console, time.perf_counter() - start)
    return int(not proof.holds)


def _alarming(results: Mapping[str, CaseResult]) -> list[str]:
    return sorted(each for each, result in results.items() if result.verdict not in _FINE)


def show(proof: Proof, console: Console, took_s: float) -> None:
    """Print the table, and what the gate says of it."""
    console.print(_table(proof.outcomes))
    console.print(f"{proof.killed} of {len(proof.outcomes)} faults found by the ids that must, in {took_s:.0f} s")
    console.print(f"checks that no fault proves: {', '.join(proof.unproven) or 'none'}")
    console.print(f"false alarms on the correct connector: {', '.join(proof.alarms) or 'none'}")


def _table(outcomes: Iterable[Outcome]) -> Table:
    table = Table("fault", "must be found by", "", box=None)
    for outcome in outcomes:
        ids = ", ".join(
            f"{each} {'' if verdict in {'fail', 'warn'} else verdict}".strip()
            for each, verdict in outcome.verdicts.items()
        )
        table.add_row(outcome.mutant.fault, ids, "[green]found[/]" if outcome.killed else "[red]SURVIVES[/]")
    return table


if __name__ == "__main__":
    sys.exit(main())
