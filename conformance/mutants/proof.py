"""Tries every fault in worker processes, and the correct programs at the same time; the result is the proof."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any, NamedTuple, TypeVar

from conformance.end_to_end.platform import starting
from conformance.mutants import gate
from conformance.mutants.gallery import CONFORMANT, RATE_LIMIT
from conformance.mutants.gate import (
    NOWHERE,
    PROGRAMS,
    Outcome,
    certify,
    certify_client,
    platform_for_clients,
    profile_of,
    run_client_fault,
    run_fault,
    unproven,
    visits_of_the_limited,
)
from conformance.mutants.registry import Fault
from conformance.retailer_clients.addresses import Addresses
from conformance.retailer_clients.feed_day import FeedDay, play_day
from conformance.verdicts import CaseResult, Verdict
from jwo_toolkit.lifeline import end_with_parent_process

_WORKERS = 4
"""Processes for each core: most of them wait for a late answer."""
_NICENESS = 10
"""The faulty programs have a lower priority than the correct ones, in which a slow answer would be a false alarm."""
_CORRECT = 5
"""Processes for the correct programs, one for each: they mostly wait too."""
_FINE = {Verdict.PASS, Verdict.NOT_APPLICABLE}

T = TypeVar("T")
Run = Callable[[], T]
Results = Mapping[str, CaseResult]


class Proof(NamedTuple):
    """The outcome of each fault, the ids that no fault proves, and the false alarms on correct programs."""

    outcomes: tuple[Outcome, ...]
    unproven: tuple[str, ...]
    alarms: tuple[str, ...]

    @property
    def killed(self) -> int:
        """The number of faults that all their ids found."""
        return sum(outcome.killed for outcome in self.outcomes)

    @property
    def holds(self) -> bool:
        """Whether every fault was found, every check finds a fault, and there is no false alarm."""
        return self.killed == len(self.outcomes) and not self.unproven and not self.alarms


def correct_runs(addresses: Addresses, day: FeedDay | None = None) -> dict[str, Run[Results]]:
    """Return the runs of the correct programs, by name; each finding in them is a false alarm."""
    return {
        "the correct connector": partial(_results, ""),
        **{f"the correct {api.lower()}": partial(certify_client, "", addresses, (), api, day) for api in PROGRAMS},
        f"the correct connector at {RATE_LIMIT} calls a second": visits_of_the_limited,
        **{each.name: partial(_results, each.name, each.found_by) for each in CONFORMANT},
    }


def prove(
    faults: Sequence[Fault],
    client_faults: Sequence[Fault],
    correct: Callable[[Addresses, FeedDay], dict[str, Run[Results]]] = correct_runs,
) -> Proof:
    """Try faults, and the correct programs at the same time. At the end, try those without a verdict again, one by one.

    A case about time withholds its verdict while this machine is busy.
    """
    context = _context()
    with (
        starting(profile_of(NOWHERE)) as platform,
        platform_for_clients() as addresses,
        ProcessPoolExecutor(_CORRECT, context, end_with_parent_process) as correct_pool,
        ProcessPoolExecutor(_WORKERS * (os.cpu_count() or 1), context, _lower_priority) as faulty_pool,
    ):
        day = play_day(addresses)
        runs: dict[Fault, Run[Outcome]] = {each: partial(run_fault, each, platform) for each in faults}
        runs |= {each: partial(run_client_fault, each, addresses, day) for each in client_faults}
        slow_first = sorted(runs, key=lambda fault: not fault.slow)
        tried = {fault: faulty_pool.submit(runs[fault]) for fault in slow_first}
        running = {name: correct_pool.submit(run) for name, run in correct(addresses, day).items()}
        results = {name: future.result() for name, future in running.items()}
        outcomes = [tried[fault].result() for fault in runs]
        outcomes = [faulty_pool.submit(runs[each.fault]).result() if each.is_withheld else each for each in outcomes]
    return Proof(tuple(outcomes), tuple(sorted(unproven(set().union(*results.values())))), alarms(results))


def alarms(results: Mapping[str, Results]) -> tuple[str, ...]:
    """Return the findings on correct programs, each as the id and the program's name."""
    return tuple(
        f"{case_id} on {name}"
        for name, found in results.items()
        for case_id, result in sorted(found.items())
        if result.verdict not in _FINE
    )


def _context() -> Any:  # noqa: ANN401 - a context's class depends on the system
    """Return how worker processes start: fresh ones, not copies of this one, as the engine runs pytest in them.

    Where the system can fork them from a server, the server imports what they need once.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([gate.__name__, "conformance.run.preload"])
    return context


def _results(fault: str, only: tuple[str, ...] = ()) -> Results:
    return certify(fault, only).results


def _lower_priority() -> None:
    """Lower the priority of this worker, if the system has priorities."""
    end_with_parent_process()
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
