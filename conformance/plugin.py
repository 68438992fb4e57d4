"""The pytest side: scenario tags become requirement ids, outcomes become verdicts.

Give pytest a `Certification` as a plugin object next to this module; `conformance.engine` does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from pytest_bdd.parser import Feature, Scenario
from pytest_bdd.parser import Step as BddStep

from conformance.certification import Certification
from conformance.drivers.http import ConnectorClient
from conformance.errors import Finding, NotDeclared
from conformance.match import Mismatch
from conformance.verdicts import CaseResult, Step, Verdict, worst
from contract.register import register

pytest_plugins = ["conformance.steps.given", "conformance.steps.when", "conformance.steps.then"]

LEVELS = ("must", "should", "house")
_CASE = pytest.StashKey["Case"]()
_CERTIFICATION = pytest.StashKey[Certification]()
_CLIENT = pytest.StashKey[ConnectorClient]()


@dataclass
class Case:
    """What one running scenario has gathered so far."""

    ids: tuple[str, ...]
    started: float = field(default_factory=time.perf_counter)
    steps: list[Step] = field(default_factory=list)
    warnings: list[Mismatch] = field(default_factory=list)

    def results(self, call: pytest.CallInfo[None], certification: Certification) -> list[CaseResult]:
        """Judge: one result for each requirement that the scenario carries."""
        exchanges = certification.exchanges_since_last()
        error = call.excinfo.value if call.excinfo else None
        return [
            _judged(CaseResult(each, steps=self.steps, exchanges=exchanges), error, self.warnings, self.started)
            for each in self.ids
        ]


def _judged(result: CaseResult, error: BaseException | None, warnings: list[Mismatch], started: float) -> CaseResult:
    result.duration_s = time.perf_counter() - started
    broken = Verdict.FAIL if register()[result.id].level == "must" else Verdict.WARN
    if error is None and not warnings:
        result.verdict = Verdict.PASS
    elif error is None:
        result.verdict, (result.expected, result.got) = Verdict.WARN, warnings[0]
    elif isinstance(error, Finding):
        result.verdict, result.expected, result.got = broken, error.expected, error.got
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


def pytest_bdd_apply_tag(tag: str, function: Callable[..., object]) -> bool:
    """Turn a scenario's tag into a marker; an unknown tag is our own mistake and stops the run."""
    if tag in LEVELS:
        pytest.mark.level(tag)(function)
    elif tag in register():
        pytest.mark.requirement(tag)(function)
    else:
        raise pytest.UsageError(f"the tag @{tag} is neither a level nor an id of the requirement register")
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Record the verdict when the scenario is over; trouble while setting up or clearing away is ours."""
    report = yield
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
    """Carries the certification into pytest."""

    def __init__(self, certification: Certification, client: ConnectorClient) -> None:
        self._parts = certification, client

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Make the certification known before any other hook asks for it."""
        config.stash[_CERTIFICATION], config.stash[_CLIENT] = self._parts


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
