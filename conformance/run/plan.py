"""The plan of a run: the selected scenarios in groups, divided by how they may run concurrently."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from conformance.catalogue import RATE, scenario_entries
from conformance.run.configuration import Selection
from conformance.run.controls import Pace
from jwo_contract.operations import Operation, operation_named
from jwo_contract.register import register

Group = tuple[str, ...]
"""The ids of one scenario, sorted; its examples stay together."""

MOST_WORKERS = 20
"""Each worker is a process, and gets a share of the calls that the connector answers concurrently."""
_MOST_WAITING = 7
"""Enough workers for scenarios that only wait; more would take CPU time from the scenarios in this process."""
_WORTH_WORKERS = 4
"""Fewer scenarios end before workers have started."""


class Plan(NamedTuple):
    """The groups by mode: `usual`, `waiting` (they wait for seconds), `alone` (nothing beside them), and `last`.

    `rate` has the groups that exceed the rate limit, if it holds at another address; they run after all others.
    """

    usual: tuple[Group, ...]
    waiting: tuple[Group, ...]
    alone: tuple[Group, ...]
    last: tuple[Group, ...]
    rate: tuple[Group, ...]
    ids: frozenset[str]
    """The selected cases. A group can also hold other cases, which are not judged."""


class Division(NamedTuple):
    """The groups for workers, the number of workers, and the groups that run in this process at the same time."""

    pooled: tuple[Group, ...]
    workers: int
    here: tuple[Group, ...]


def make_plan(selection: Selection, *, is_rate_apart: bool = False) -> Plan:
    """Select the scenarios and group them, in the order of their features' names; nothing runs.

    `is_rate_apart` says whether the rate limit holds at another address.

    The order matters under a declared rate limit. The platform sends the carts of visits at its own times, so a slow
    scan runs between the visits and the scenario that uses the whole rate.
    """
    modes: dict[Group, str] = {}
    for entry in sorted(scenario_entries(), key=lambda each: each.feature):
        if any(selection.has(each) for each in entry.ids):
            mode = RATE if is_rate_apart and entry.exceeds_rate else entry.mode
            modes.setdefault(tuple(sorted(entry.ids)), mode)
    usual, waiting, alone, last, rate = (
        tuple(group for group, mode in modes.items() if mode == wanted)
        for wanted in ("", "waits", "alone", "last", RATE)
    )
    ids = frozenset(each for group in modes for each in group if selection.has(each))
    return Plan(usual, waiting, alone, last, rate, ids)


def divide(plan: Plan, *, may_crowd: bool, pace_of: Callable[[Operation], Pace]) -> Division:
    """Choose the groups for workers: those that wait, and those of operations that are slow and concurrent.

    If an operation is slow and serial, the groups that call it all run in this process.
    """
    if not may_crowd or len(plan.usual) < _WORTH_WORKERS:
        return Division((), 0, plan.usual + plan.waiting)
    operations = dict.fromkeys(each for group in plan.usual + plan.waiting for each in operations_of(group))
    paces = {operation: pace_of(operation) for operation in operations}
    serial = {operation for operation, pace in paces.items() if pace.is_serial}
    crowded = {operation for operation, pace in paces.items() if pace.max_concurrency > 1}

    def is_pooled(group: Group) -> bool:
        called = operations_of(group) or frozenset(operations)
        return not called & serial and (group in plan.waiting or bool(called & crowded))

    long_ids = {each for entry in scenario_entries() if entry.is_long for each in entry.ids}
    chosen = (group for group in plan.waiting + plan.usual if is_pooled(group))
    pooled = tuple(sorted(chosen, key=long_ids.isdisjoint))  # long ones first; the order stays otherwise
    here = tuple(group for group in plan.usual + plan.waiting if not is_pooled(group))
    max_workers = min((paces[operation].max_concurrency for operation in crowded), default=_MOST_WAITING)
    return Division(pooled, min(max_workers, MOST_WORKERS, len(pooled)), here)


def operations_of(group: Group) -> frozenset[Operation]:
    """Return the operations that a scenario tests; empty for a scenario that tests the connector as a whole."""
    named = (operation_named(register()[each].api) for each in group)
    return frozenset(operation for operation in named if operation is not None)
