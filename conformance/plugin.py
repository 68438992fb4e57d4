"""The pytest side: scenario tags become requirement ids, outcomes become verdicts.

Give pytest a `Certification` as a plugin object next to this module; `conformance.engine` does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pytest
from pytest_bdd.parser import Feature, Scenario
from pytest_bdd.parser import Step as BddStep

from conformance.certification import Certification
from conformance.drivers.http import ConnectorClient
from conformance.errors import Finding, HarnessBroke, NotDeclared
from conformance.lanes import MOST_LANES, STEPS, Group, Lanes, is_worth_it, measured
from conformance.match import Mismatch
from conformance.verdicts import CaseResult, Step, Verdict, worst
from contract.register import register

pytest_plugins = [f"conformance.steps.{each}" for each in STEPS]

LEVELS = ("must", "should", "house")
MODES = ("alone", "waits")
"""How a scenario runs: `alone` after all others with nothing beside it; `waits`, being slow itself, beside others."""
_WORTH_LANES = 4
"""Fewer scenarios are through before lanes are set up."""
_CASE = pytest.StashKey["Case"]()
_CERTIFICATION = pytest.StashKey[Certification]()
_CLIENT = pytest.StashKey[ConnectorClient]()
_HOLDER = pytest.StashKey["Holder"]()


@dataclass
class Case:
    """What one running scenario has gathered so far."""

    ids: tuple[str, ...]
    started: float = field(default_factory=time.perf_counter)
    steps: list[Step] = field(default_factory=list)
    warnings: list[Mismatch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def results(self, call: pytest.CallInfo[None], certification: Certification) -> list[CaseResult]:
        """Judge: one result for each requirement that the scenario carries."""
        exchanges = certification.exchanges_since_last()
        error = call.excinfo.value if call.excinfo else None
        got, duration_s = "; ".join(self.notes), time.perf_counter() - self.started
        return [
            _judged(
                CaseResult(each, got=got, steps=self.steps, exchanges=exchanges, duration_s=duration_s),
                error,
                self.warnings,
            )
            for each in self.ids
        ]


def _judged(result: CaseResult, error: BaseException | None, warnings: list[Mismatch]) -> CaseResult:
    broken = Verdict.FAIL if register()[result.id].level == "must" else Verdict.WARN
    if error is None and not warnings:
        result.verdict = Verdict.PASS
    elif error is None:
        result.verdict, (result.expected, result.got) = Verdict.WARN, warnings[0]
    elif isinstance(error, Finding):
        result.verdict, result.expected, result.got, result.story = broken, error.expected, error.got, error.story
    elif isinstance(error, NotDeclared):
        result.verdict, result.reason = Verdict.NOT_APPLICABLE, str(error)
    else:
        result.verdict, result.reason = Verdict.ERROR, f"{type(error).__name__}: {error}"
    if warnings and result.verdict is Verdict.NOT_APPLICABLE:
        result.verdict = worst((Verdict.WARN, result.verdict))
    return result


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers that tags turn into."""
    config.addinivalue_line("markers", "requirement(id): the row of the register that the scenario proves")
    config.addinivalue_line("markers", "level(name): must, should or house")
    config.addinivalue_line("markers", "alone: nothing else may call the connector meanwhile")
    config.addinivalue_line("markers", "waits: waits for seconds by its nature")


def pytest_bdd_apply_tag(tag: str, function: Callable[..., object]) -> bool:
    """Turn a scenario's tag into a marker; an unknown tag is our own mistake and stops the run."""
    if tag in LEVELS:
        pytest.mark.level(tag)(function)
    elif tag in MODES:
        getattr(pytest.mark, tag)(function)
    elif tag in register():
        pytest.mark.requirement(tag)(function)
    else:
        raise pytest.UsageError(f"the tag @{tag} is neither a level, a mode nor an id of the requirement register")
    return True


def ids_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the requirement ids of an item, in the order of the feature file."""
    return tuple(str(mark.args[0]) for mark in item.iter_markers("requirement"))[::-1]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what is selected."""
    certification = _certification(config)
    selection = certification.selection
    keep = []
    for item in items:
        wanted = [
            each
            for each in ids_of(item)
            if register()[each].tier in selection.tiers and (not selection.only or each in selection.only)
        ]
        if wanted:
            item.stash[_CASE] = Case(tuple(wanted))
            keep.append(item)
    items[:] = keep
    certification.on_selected(len({each for item in keep for each in item.stash[_CASE].ids}))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start the case's clock."""
    item.stash[_CASE].started = time.perf_counter()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the groups of scenarios: those handed in, or all of them, side by side where that saves time."""
    holder = session.config.stash[_HOLDER]
    if session.testsfailed:  # the features could not be read; pytest says so itself
        return None
    items: dict[Group, list[pytest.Item]] = {}
    for item in session.items:
        items.setdefault(tuple(sorted(ids_of(item))), []).append(item)
    if holder.groups is not None:
        _run_groups(items, holder.groups)
        return True
    try:
        _run_all(items, holder.certification, holder.client)
    except HarnessBroke as error:
        holder.broke = error
    return True


def _run_all(items: dict[Group, list[pytest.Item]], certification: Certification, client: ConnectorClient) -> None:
    """Run the quick scenarios here and what is waited for in lanes; those that want to be alone come last."""
    alone = [group for group, examples in items.items() if examples[0].get_closest_marker("alone")]
    waits = [group for group, examples in items.items() if examples[0].get_closest_marker("waits")]
    here = [group for group in items if group not in alone and group not in waits]
    may_crowd = len(here) >= _WORTH_LANES and not certification.profile.limits.rate_limit_per_second
    if may_crowd and is_worth_it(certification, client):
        with Lanes(certification, waits + here, MOST_LANES) as lanes:
            certification.side_by_side = measured(certification, client)
            lanes.open(certification.side_by_side)
            lanes.finish()
    elif may_crowd and waits:
        with Lanes(certification, waits, MOST_LANES) as lanes:
            lanes.open(MOST_LANES)
            _run_groups(items, here)
            lanes.finish()
    else:
        _run_groups(items, here + waits)
    _run_groups(items, alone)


def _run_groups(items: dict[Group, list[pytest.Item]], groups: Iterable[Group]) -> None:
    for group in groups:
        for item in items[group]:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Record the verdict when the scenario is over; trouble while setting up or clearing away is ours."""
    report = yield
    if call.excinfo and isinstance(call.excinfo.value, SystemExit):  # a stop from outside is no verdict
        item.config.stash[_HOLDER].stopped = call.excinfo.value
        raise KeyboardInterrupt
    if call.when == "call" or call.excinfo:
        certification = _certification(item.config)
        for result in item.stash[_CASE].results(call, certification):
            certification.record(result)
    return report


def pytest_bdd_after_step(request: pytest.FixtureRequest, step: BddStep) -> None:
    """Write a step down that held."""
    request.node.stash[_CASE].steps.append(Step(f"{step.keyword} {step.name}", ok=True))


def pytest_bdd_step_error(request: pytest.FixtureRequest, step: BddStep) -> None:
    """Write the step down that did not hold."""
    request.node.stash[_CASE].steps.append(Step(f"{step.keyword} {step.name}", ok=False))


def pytest_bdd_step_func_lookup_error(
    request: pytest.FixtureRequest, feature: Feature, scenario: Scenario, step: BddStep, exception: Exception
) -> None:
    """Name the step that nobody wrote."""
    del feature, scenario, exception
    request.node.stash[_CASE].steps.append(Step(f"{step.keyword} {step.name} (unknown step)", ok=False))


def _certification(config: pytest.Config) -> Certification:
    if _CERTIFICATION not in config.stash:
        raise pytest.UsageError("no certification is set up; run: jwo certify")
    return config.stash[_CERTIFICATION]


class Holder:
    """Carries the certification into pytest, and what broke in the harness out of it."""

    def __init__(
        self, certification: Certification, client: ConnectorClient, groups: Iterable[Group] | None = None
    ) -> None:
        self.certification = certification
        self.client = client
        self.groups = groups
        self.broke: HarnessBroke | None = None
        self.stopped: SystemExit | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Make the certification known before any other hook asks for it."""
        config.stash[_CERTIFICATION], config.stash[_CLIENT] = self.certification, self.client
        config.stash[_HOLDER] = self

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what is wrong with the features; pytest itself only says that it was interrupted."""
        if report.failed:
            self.broke = HarnessBroke(f"the scenarios could not be read: {report.longreprtext}")


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Certification:
    """Return the certification that the scenario belongs to."""
    return _certification(pytestconfig)


@pytest.fixture(scope="session")
def connector(pytestconfig: pytest.Config) -> ConnectorClient:
    """Return the connector under test."""
    return pytestconfig.stash[_CLIENT]


@pytest.fixture
def warn(request: pytest.FixtureRequest) -> Callable[[Mismatch], None]:
    """Write a warning down and go on."""
    warnings: list[Mismatch] = request.node.stash[_CASE].warnings
    return warnings.append


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say what was found, for a reader of a case that passes."""
    notes: list[str] = request.node.stash[_CASE].notes
    return notes.append
