"""The bridge to pytest: scenario tags become requirement ids, outcomes become results, steps get their fixtures.

`conformance.run.worker` gives pytest this module as a plugin, and a `PytestBridge` as another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pytest_bdd.parser import Feature, Scenario
from pytest_bdd.parser import Step as BddStep

from conformance.catalogue import LEVELS, LONG, MODES, RATE
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.end_to_end.platform import Platform
from conformance.errors import Blocked, Finding, HarnessBroke, NotDeclared, OutOfTime
from conformance.match import Mismatch
from conformance.requests import Requests
from conformance.retailer_clients.clients import NO_CLIENTS, Clients
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.controls import ControlCalls
from conformance.run.plan import Group
from conformance.run.recorder import Recorder
from conformance.verdicts import CaseResult, Step, Verdict, worst
from jwo_contract.profile import Profile
from jwo_contract.register import register, rules

STEPS = (
    "given",
    "when",
    "then",
    "duplicates",
    "wire",
    "scans",
    "badges",
    "debts",
    "carts",
    "entry",
    "properties",
    "privacy",
    "end_to_end",
    "catalog_client",
    "payment_client",
    "checkout_client",
    "feed_consumer",
    "whole_run",
    "whole_run_memory",
    "whole_run_time",
    "authentication",
)
"""The modules of `conformance.steps`."""

_CASE = pytest.StashKey["Case"]()
_BRIDGE = pytest.StashKey["PytestBridge"]()


@dataclass(frozen=True)
class Equipment:
    """The objects that the scenarios of one process share; steps get each of them as a fixture."""

    configuration: RunConfiguration
    requests: Requests
    connector: ConnectorClient
    controls: ControlCalls
    recorder: Recorder
    platform: Platform | None = None
    clients: Clients = NO_CLIENTS
    shared: dict[str, Any] = field(default_factory=dict)
    """What one scenario did for others too, by name, such as a restart; pytest ends its fixtures after each of them."""


class PytestBridge:
    """Passes the equipment and the groups to pytest, and returns the error or the stop that ended the session."""

    def __init__(self, equipment: Equipment, groups: Iterable[Group]) -> None:
        self.equipment = equipment
        self.groups = groups
        self.broke: HarnessBroke | None = None
        self.stopped: SystemExit | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Store the bridge before another hook reads it."""
        config.stash[_BRIDGE] = self

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the error in the features; pytest itself only reports an interruption."""
        if report.failed:
            self.broke = HarnessBroke(f"the scenarios are not valid: {report.longreprtext}")


@dataclass
class Case:
    """The steps, warnings and notes of the running scenario, and the requirements that it proves."""

    ids: tuple[str, ...]
    edition: str = ""
    started: float = field(default_factory=time.perf_counter)
    steps: list[Step] = field(default_factory=list)
    warnings: list[Mismatch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def results(self, error: BaseException | None, exchanges: list[Exchange]) -> list[CaseResult]:
        """Judge the scenario: return one result for each of its requirements."""
        got, duration_s = "; ".join(self.notes), time.perf_counter() - self.started
        return [
            _judged(
                CaseResult(each, got=got, steps=self.steps, exchanges=exchanges, duration_s=duration_s),
                error,
                self.warnings,
                Verdict.FAIL if rules(self.edition)[each].level == "must" else Verdict.WARN,
            )
            for each in self.ids
        ]


def _judged(result: CaseResult, error: BaseException | None, warnings: list[Mismatch], broken: Verdict) -> CaseResult:
    """Give a result its verdict; `broken` is that of a finding."""
    if error is None and not warnings:
        result.verdict = Verdict.PASS
    elif error is None:
        result.verdict, (result.expected, result.got) = Verdict.WARN, warnings[0]
    elif isinstance(error, Finding):
        result.verdict, result.expected, result.got, result.story = broken, error.expected, error.got, error.story
    elif isinstance(error, NotDeclared):
        result.verdict, result.reason = Verdict.NOT_APPLICABLE, str(error)
    elif isinstance(error, Blocked | OutOfTime):
        result.verdict, result.reason, result.blocked_by = Verdict.BLOCKED, str(error), error.by
    else:
        result.verdict, result.reason = Verdict.ERROR, f"{type(error).__name__}: {error}"
    if warnings and result.verdict is Verdict.NOT_APPLICABLE:
        result.verdict = worst((Verdict.WARN, result.verdict))
    return result


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers that represent tags."""
    config.addinivalue_line("markers", "requirement(id): the row of the register that the scenario proves")
    config.addinivalue_line("markers", "level(name): must, should or house")
    config.addinivalue_line("markers", "alone: nothing else may call the connector meanwhile")
    config.addinivalue_line("markers", "long: takes more than a second, so that workers begin with it")
    config.addinivalue_line("markers", "last: judges the exchanges of the whole run")
    config.addinivalue_line("markers", "rate: exceeds the declared rate limit")
    config.addinivalue_line("markers", "waits: waits for seconds by its nature")


def pytest_bdd_apply_tag(tag: str, function: Callable[..., object]) -> bool:
    """Turn a scenario's tag into a marker. Raises UsageError, which stops the run, if the tag is unknown."""
    if tag in LEVELS:
        pytest.mark.level(tag)(function)
    elif tag in (*MODES, LONG, RATE):
        getattr(pytest.mark, tag)(function)
    elif tag in register():
        pytest.mark.requirement(tag)(function)
    else:
        raise pytest.UsageError(f"the tag @{tag} is neither a level, a mode nor an id of the requirement register")
    return True


def ids_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the requirement ids of an item, in the order of the feature file."""
    return tuple(str(mark.args[0]) for mark in item.iter_markers("requirement"))[::-1]


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, obj: object) -> list[pytest.Item] | None:
    """Make no item for a scenario that is not selected: the items of all scenarios take longer than most cases."""
    selection = _bridge(collector.config).equipment.configuration.selection
    ids = [str(mark.args[0]) for mark in getattr(obj, "pytestmark", ()) if mark.name == "requirement"]
    return [] if ids and not any(map(selection.has, ids)) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give each item a case with its selected ids."""
    selection = _bridge(config).equipment.configuration.selection
    for item in items:
        item.stash[_CASE] = Case(tuple(each for each in ids_of(item) if selection.has(each)), selection.edition)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start the case's clock."""
    item.stash[_CASE].started = time.perf_counter()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the scenarios of the bridge's groups, in the order in which the groups arrive."""
    if session.testsfailed:  # the features are not valid, which pytest reports itself
        return None
    items: dict[Group, list[pytest.Item]] = {}
    for item in session.items:
        items.setdefault(tuple(sorted(ids_of(item))), []).append(item)
    for group in _arriving(_bridge(session.config)):
        for item in items[group]:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    return True


def _arriving(bridge: PytestBridge) -> Iterator[Group]:
    """Yield the bridge's groups, and keep what ends them early; pytest itself would hide it."""
    try:
        yield from bridge.groups
    except HarnessBroke as error:
        bridge.broke = error
    except SystemExit as error:
        bridge.stopped = error
        raise KeyboardInterrupt from error


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Record the verdict at the end of a scenario. An error in the set-up or the clean-up is an error of the suite."""
    report = yield
    bridge = _bridge(item.config)
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, SystemExit):  # a stop from outside is no verdict
        bridge.stopped = error
        raise KeyboardInterrupt
    if call.when == "call" or error:
        recorder = bridge.equipment.recorder
        for result in item.stash[_CASE].results(error, recorder.take_exchanges()):
            recorder.record(result)
    return report


def pytest_bdd_after_step(request: pytest.FixtureRequest, step: BddStep) -> None:
    """Record a step that passed."""
    request.node.stash[_CASE].steps.append(Step(f"{step.keyword} {step.name}", ok=True))


def pytest_bdd_step_error(request: pytest.FixtureRequest, step: BddStep) -> None:
    """Record the step that failed."""
    request.node.stash[_CASE].steps.append(Step(f"{step.keyword} {step.name}", ok=False))


def pytest_bdd_step_func_lookup_error(
    request: pytest.FixtureRequest, feature: Feature, scenario: Scenario, step: BddStep, exception: Exception
) -> None:
    """Record a step that has no function."""
    del feature, scenario, exception
    request.node.stash[_CASE].steps.append(Step(f"{step.keyword} {step.name} (unknown step)", ok=False))


def _bridge(config: pytest.Config) -> PytestBridge:
    if _BRIDGE not in config.stash:
        raise pytest.UsageError("no certification is set up; run: jwo certify")
    return config.stash[_BRIDGE]


@pytest.fixture(scope="session")
def equipment(pytestconfig: pytest.Config) -> Equipment:
    """Return the objects that the scenarios of this process share; the fixtures below are its parts."""
    return _bridge(pytestconfig).equipment


@pytest.fixture(scope="session")
def profile(equipment: Equipment) -> Profile:
    """Return the profile of the connector under test."""
    return equipment.configuration.profile


@pytest.fixture(scope="session")
def selection(equipment: Equipment) -> Selection:
    """Return the selection of cases to run."""
    return equipment.configuration.selection


@pytest.fixture(scope="session")
def requests(equipment: Equipment) -> Requests:
    """Return the builder of requests."""
    return equipment.requests


@pytest.fixture(scope="session")
def connector(equipment: Equipment) -> ConnectorClient:
    """Return the client that calls the connector under test."""
    return equipment.connector


@pytest.fixture(scope="session")
def controls(equipment: Equipment) -> ControlCalls:
    """Return the control calls."""
    return equipment.controls


@pytest.fixture(scope="session")
def recorder(equipment: Equipment) -> Recorder:
    """Return the recorder, which also keeps exchanges that the platform made."""
    return equipment.recorder


@pytest.fixture(scope="session")
def platform(equipment: Equipment) -> Platform | None:
    """Return the simulated platform, or None for a run without one."""
    return equipment.platform


@pytest.fixture(scope="session")
def clients(equipment: Equipment) -> Clients:
    """Return the jobs of the retailer's clients, of which the undeclared ones have no jobs."""
    return equipment.clients


@pytest.fixture
def warn(request: pytest.FixtureRequest) -> Callable[[Mismatch], None]:
    """Return the function that records a warning; the scenario continues."""
    warnings: list[Mismatch] = request.node.stash[_CASE].warnings
    return warnings.append


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return the function that adds a note to the result, for a reader of a case that passes."""
    notes: list[str] = request.node.stash[_CASE].notes
    return notes.append
