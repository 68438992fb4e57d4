"""A whole run: plan it, start its servers, run quick scenarios here and slow ones in workers, return the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import chain

from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.end_to_end.needs import platform_for
from conformance.errors import HarnessBroke, OutOfTime, ProfileBroke
from conformance.own_cases import run_own_cases
from conformance.requests import REGISTRY, Requests, is_answered
from conformance.retailer_clients.clients import clients_for, undeclared
from conformance.run.bridge import Equipment
from conformance.run.configuration import RunConfiguration
from conformance.run.controls import MOST_CALLS, ControlCalls, Known, Pace
from conformance.run.plan import Division, Group, Plan, divide, make_plan
from conformance.run.pool import Pool, Task
from conformance.run.recorder import OnCase, Recorder, ignore
from conformance.run.time_limit import end_of_cases, explain, late_first, limit_s
from conformance.run.worker import run_groups
from conformance.verdicts import CaseResult
from jwo_contract.operations import Operation
from jwo_contract.own_cases import OwnCase
from jwo_contract.register import register


@dataclass(frozen=True)
class FinishedRun:
    """The configuration of a run, the result of each case by id, and the results of the control calls."""

    configuration: RunConfiguration
    results: Mapping[str, CaseResult]
    known: Known
    exchanges: Sequence[Exchange] = ()
    """Every exchange with the connector, those of control calls included."""
    own: tuple[CaseResult, ...] = ()
    """The results of the profile's own cases, which are no part of the score."""


def run(
    configuration: RunConfiguration,
    *,
    on_case: OnCase = ignore,
    on_selected: Callable[[Sequence[str]], None] = lambda _ids: None,
    known: Known | None = None,
) -> FinishedRun:
    """Run the selected cases. `on_selected` first gets the ids of the cases, `on_case` then gets each result.

    `known` holds the results of control calls from an earlier run, which are not made again.

    Raises HarnessBroke if no case is selected or the features cannot run. A stop from outside is a SystemExit.
    """
    profile = configuration.profile
    selection = replace(configuration.selection, left_out=undeclared(profile))
    configuration = replace(configuration, selection=selection)
    plan = make_plan(selection, is_rate_apart=bool(profile.limits.url))
    if not plan.ids:
        raise HarnessBroke("no scenario is selected; see the ids with: jwo cases")
    on_selected([each for each in register() if each in plan.ids])
    recorder = Recorder(on_case)
    configuration = replace(configuration, until_s=min(configuration.until_s, end_of_cases(configuration)))
    with equipped(replace(configuration, profile=profile.at_usual_address), recorder, known) as equipment:
        _run_plan(plan, equipment)
        if plan.rate:
            _run_at_rate_limit(plan.rate, replace(configuration, profile=profile.at_rate_limit), equipment)
        own = () if configuration.selection.only else run_own_cases(equipment, configuration.profile.case)
    explain(
        recorder.results,
        {each: register()[each].api for each in recorder.results},
        limit_s(configuration.profile, deep=configuration.selection.deep),
    )
    return FinishedRun(configuration, recorder.results, equipment.controls.known, recorder.all_exchanges(), own)


def run_own_case(configuration: RunConfiguration, case: OwnCase) -> CaseResult:
    """Run one case of the profile, and nothing else."""
    with equipped(configuration, Recorder()) as equipment:
        (result,) = run_own_cases(equipment, [case])
    return result


@contextmanager
def equipped(configuration: RunConfiguration, recorder: Recorder, known: Known | None = None) -> Iterator[Equipment]:
    """Start the objects that the scenarios of this process share, and end them after the block."""
    requests = Requests(configuration.profile, configuration.now, known.accepted if known else None)
    with (
        ConnectorClient(configuration.profile, configuration.now, recorder.keep) as connector,
        clients_for(configuration) as clients,
        platform_for(configuration) as platform,
    ):
        connector.until = configuration.until_s
        controls = ControlCalls(requests, connector, recorder, known)
        yield Equipment(configuration, requests, connector, controls, recorder, platform, clients)


def _run_plan(plan: Plan, equipment: Equipment) -> None:
    division = _division(plan, equipment)
    if not division.pooled:
        run_groups(equipment, chain(division.here, _after(plan, equipment)))
        return
    known = _shared(equipment.controls.known, division.workers)
    task = Task(equipment.configuration, known, equipment.platform, division.pooled)
    with Pool(task, division.workers, equipment.recorder) as pool:

        def groups() -> Iterator[Group]:
            yield from division.here
            pool.finish()
            yield from _after(plan, equipment)

        run_groups(equipment, groups())  # one pytest session: to collect the scenarios takes half a second


def _run_at_rate_limit(groups: Sequence[Group], configuration: RunConfiguration, usual: Equipment) -> None:
    """Run the groups that exceed the rate limit, at its address. They use the platform of the usual run."""
    recorder, platform = usual.recorder, usual.platform
    requests = Requests(configuration.profile, configuration.now)
    with ConnectorClient(configuration.profile, configuration.now, recorder.keep) as connector:
        connector.until = configuration.until_s
        controls = ControlCalls(requests, connector, recorder)
        run_groups(Equipment(configuration, requests, connector, controls, recorder, platform), groups)


def _after(plan: Plan, equipment: Equipment) -> Iterator[Group]:
    """Yield the groups that run after all others, those about late answers first."""
    yield from late_first(plan.alone, equipment.connector)
    yield from plan.last


def _division(plan: Plan, equipment: Equipment) -> Division:
    profile = equipment.configuration.profile

    def pace_of(operation: Operation) -> Pace:
        is_called = operation in REGISTRY and is_answered(operation, profile)
        with suppress(ProfileBroke, OutOfTime):  # each case that needs the same call reports the error
            return equipment.controls.pace(operation) if is_called else Pace()
        return Pace()

    return divide(plan, may_crowd=not profile.limits.rate_limit_per_second, pace_of=pace_of)


def _shared(known: Known, workers: int) -> Known:
    """Return the results of control calls for one worker; of a limited number of concurrent calls it gets a share."""
    paces = {
        operation: pace
        if pace.max_concurrency == MOST_CALLS
        else pace._replace(max_concurrency=-(-pace.max_concurrency // workers))
        for operation, pace in known.paces.items()
    }
    return replace(known, paces=paces)
