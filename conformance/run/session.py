"""A whole run: plan it, start what it needs, run quick scenarios here and slow ones in workers, return the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from conformance.catalog_client.servers import jobs_for
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.end_to_end.needs import platform_for
from conformance.errors import HarnessBroke
from conformance.requests import REGISTRY, Requests, is_answered
from conformance.run.bridge import Equipment
from conformance.run.configuration import RunConfiguration
from conformance.run.controls import MOST_CALLS, ControlCalls, Known, Pace
from conformance.run.plan import Division, Plan, divide, make_plan
from conformance.run.pool import Pool, Task
from conformance.run.recorder import OnCase, Recorder, ignore
from conformance.run.worker import run_groups
from conformance.verdicts import CaseResult
from contract.operations import Operation


@dataclass(frozen=True)
class FinishedRun:
    """What a run got, the result of each case by id, and what the control calls showed."""

    configuration: RunConfiguration
    results: Mapping[str, CaseResult]
    known: Known
    exchanges: Sequence[Exchange] = ()
    """Every exchange with the connector, those of control calls included."""


def run(
    configuration: RunConfiguration,
    *,
    on_case: OnCase = ignore,
    on_selected: Callable[[int], None] = lambda _count: None,
    known: Known | None = None,
) -> FinishedRun:
    """Run what is selected. `on_case` hears each result as it comes, `on_selected` first how many cases there are.

    What is `known` of the connector from an earlier run is not measured again.

    Raises HarnessBroke if nothing is selected or the features cannot run. A stop from outside is a SystemExit.
    """
    plan = make_plan(configuration.selection)
    if not plan.ids:
        raise HarnessBroke("no scenario is selected; see the ids with: jwo cases")
    on_selected(len(plan.ids))
    recorder = Recorder(on_case)
    with equipped(configuration, recorder, known) as equipment:
        _run_plan(plan, equipment)
    return FinishedRun(configuration, recorder.results, equipment.controls.known, recorder.all_exchanges())


@contextmanager
def equipped(configuration: RunConfiguration, recorder: Recorder, known: Known | None = None) -> Iterator[Equipment]:
    """Start what the scenarios of this process work with, and end it with the block."""
    requests = Requests(configuration.profile, configuration.now, known.accepted if known else None)
    with (
        ConnectorClient(configuration.profile, configuration.now, recorder.keep) as connector,
        jobs_for(configuration) as jobs,
        platform_for(configuration) as platform,
    ):
        controls = ControlCalls(requests, connector, recorder, known)
        yield Equipment(configuration, requests, connector, controls, recorder, platform, jobs)


def _run_plan(plan: Plan, equipment: Equipment) -> None:
    division = _division(plan, equipment)
    if not division.pooled:
        run_groups(equipment, division.here + plan.alone + plan.last)
        return
    known = _shared(equipment.controls.known, division.workers)
    task = Task(equipment.configuration, known, equipment.platform, division.pooled)
    with Pool(task, division.workers, equipment.recorder) as pool:
        if division.here:
            run_groups(equipment, division.here)
        pool.finish()
    if plan.alone + plan.last:
        run_groups(equipment, plan.alone + plan.last)


def _division(plan: Plan, equipment: Equipment) -> Division:
    profile = equipment.configuration.profile

    def pace_of(operation: Operation) -> Pace:
        is_called = operation in REGISTRY and is_answered(operation, profile)
        return equipment.controls.pace(operation) if is_called else Pace()

    return divide(plan, may_crowd=not profile.limits.rate_limit_per_second, pace_of=pace_of)


def _shared(known: Known, workers: int) -> Known:
    """Return what a worker must know of the connector: its share of the calls at once, where a limit was found."""
    paces = {
        operation: pace
        if pace.max_concurrency == MOST_CALLS
        else pace._replace(max_concurrency=-(-pace.max_concurrency // workers))
        for operation, pace in known.paces.items()
    }
    return replace(known, paces=paces)
