"""A pytest plugin for any project: `pytest --jwo-profile jwo.toml` certifies a connector, one test a case.

It is loaded wherever this kit is installed, and does nothing unless the option is given. The certification runs once,
as a process of its own, when the first of its tests does; so neither project's pytest settings reach into the other.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

STALE = "expected-failures"
_LOCK, _RESULT, _WITHIN_S = ".jwo-{}.lock", ".jwo-{}.done", 1800
_RUN = pytest.StashKey["Run"]()


class Broken(Exception):
    """A finding, or trouble with the harness, as a text for people: no traceback belongs to it."""


class Run:
    """The one certification of a session; it happens when its first case is asked for."""

    def __init__(self, config: pytest.Config, collected: int) -> None:
        self.collected = collected
        option = config.getoption
        folder = config.invocation_params.dir
        self.out = folder / option("--jwo-out")
        self._xdist_run = getattr(config, "workerinput", {}).get("testrunuid", "")
        self._folder = folder
        self._words = ["--profile", str(folder / option("--jwo-profile")), "--tier", option("--jwo-tier")]
        self._words += ["--out", str(self.out)]
        self._words += ["--strict"] if option("--jwo-strict") else []
        self._words += ["--expected", str(folder / option("--jwo-expected"))] if option("--jwo-expected") else []
        self.selected: Sequence[str] = ()
        """The ids to run; empty for all."""
        self.report: dict[str, Any] | None = None
        self._trouble = ""

    def case(self, case_id: str) -> Mapping[str, Any]:
        """Return a case of the report; Broken the first time that there is none, and skip from then on."""
        if self.report is None:
            self._certify()
        assert self.report is not None
        return next(case for case in self.report["cases"] if case["id"] == case_id)

    def _certify(self) -> None:
        if self._trouble:
            pytest.skip(f"the certification did not run: {self._trouble.splitlines()[0]}")
        self._trouble = self._run_once() if self._xdist_run else self._run()
        if self._trouble:
            raise Broken(self._trouble)
        self.report = json.loads((self.out / "report.json").read_text("utf-8"))

    def _run(self) -> str:
        """Run the command and return what went wrong; nothing when there is a report."""
        only = [word for case_id in self.selected for word in ("--only", case_id)]
        command = [sys.executable, "-P", "-m", "jwo", "certify", *self._words, *only]
        report = self.out / "report.json"
        report.unlink(missing_ok=True)
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self._folder)  # noqa: S603 - our own command
        return "" if report.is_file() else done.stderr.strip() or f"jwo certify ended with {done.returncode}"

    def _run_once(self) -> str:
        """Run the command in the pytest-xdist worker that gets the lock first; the others wait and read its result."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 - only runs with several workers need it

        self.out.mkdir(parents=True, exist_ok=True)
        result = self.out / _RESULT.format(self._xdist_run)
        try:
            with FileLock(self.out / _LOCK.format(self._xdist_run), timeout=_WITHIN_S):
                if not result.is_file():
                    result.write_text(self._run(), encoding="utf-8")
                trouble: str = result.read_text("utf-8")
                return trouble
        except Timeout:
            return f"no report within {_WITHIN_S} s"


class Cases(pytest.Collector):
    """All cases of the certification."""

    def collect(self) -> list[pytest.Item]:
        """Return the cases of the chosen tiers."""
        from conformance.catalogue import scenario_entries  # noqa: PLC0415 - loaded only where it is asked for
        from contract.register import register  # noqa: PLC0415 - as above

        tiers = [tier.strip() for tier in self.config.getoption("--jwo-tier").split(",")]
        proven = {each for entry in scenario_entries() for each in entry.ids}
        rows = [row for row in register().values() if row.id in proven and row.tier in tiers]
        items: list[pytest.Item] = [Case.from_parent(self, name=row.id, title=row.title) for row in rows]
        if self.config.getoption("--jwo-expected"):
            items.append(StaleEntries.from_parent(self, name=STALE))
        return items


class _Item(pytest.Item):
    def reportinfo(self) -> tuple[Path, None, str]:
        """Return where it comes from: the profile."""
        return Path(self.config.getoption("--jwo-profile")), None, f"jwo {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - pytest's signature
        """Return a finding as it reads best: without a traceback."""
        return str(excinfo.value) if excinfo.errisinstance(Broken) else super().repr_failure(excinfo, *args, **kwargs)

    @property
    def run(self) -> Run:
        """The certification that it belongs to."""
        return self.config.stash[_RUN]


class Case(_Item):
    """One requirement: fails on a finding, skips what is not applicable, and is xfailed where that is expected."""

    def __init__(self, *, title: str, **arguments: Any) -> None:  # noqa: ANN401 - pytest's own arguments
        super().__init__(**arguments)
        self.title = title

    def runtest(self) -> None:
        """Look the verdict up."""
        case = self.run.case(self.name)
        self.user_properties.append(("jwo_level", case["level"]))
        if reason := case.get("expectedFailure"):
            pytest.xfail(reason)
        _conclude(self, case)


class StaleEntries(_Item):
    """Fails when the file of expected failures names what is not broken any more."""

    def runtest(self) -> None:
        """Look the entries up."""
        if self.run.report is None:
            pytest.skip("no case ran")
        stale = self.run.report.get("expectedFailures", {}).get("stale", ())
        if stale:
            raise Broken("\n".join(f"{entry['id']}: {entry['why']}; take it out" for entry in stale))


def _conclude(item: Case, case: Mapping[str, Any]) -> None:
    verdict = case["verdict"]
    assert item.run.report is not None
    if verdict == "not_applicable":
        pytest.skip(case["reason"])
    if verdict in {"fail", "error"} or (verdict == "warn" and item.run.report["suite"]["strict"]):
        _raise(case)
    if verdict == "warn":
        item.add_report_section("call", "jwo warning", _told(case))


def _raise(case: Mapping[str, Any]) -> NoReturn:
    raise Broken(_told(case))


def _told(case: Mapping[str, Any]) -> str:
    names = {"rule": "rule", "expected": "expected", "got": "got", "because": "reason", "usually": "hint"}
    lines = [f"{case['id']}  {case['title']}"]
    lines += [f"  {label:<9} {case[member]}" for label, member in names.items() if case[member]]
    lines += [f"  {'curl':<9} {exchange['curl']}" for exchange in case["exchanges"][-1:] if exchange["curl"]]
    return "\n".join([*lines, f"  {'replay':<9} {case['replay']}"])


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("jwo", "Just Walk Out connector")
    group.addoption("--jwo-profile", metavar="FILE", help="certify the connector of this profile, one test a case")
    group.addoption("--jwo-tier", metavar="TIERS", default="core", help="core, entry, catalog; separated by commas")
    group.addoption("--jwo-strict", action="store_true", help="a broken SHOULD or house rule fails as well")
    group.addoption("--jwo-expected", metavar="FILE", help="failures that are known, each with a reason")
    group.addoption("--jwo-out", metavar="DIR", default="jwo-report", help="where the reports go")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the cases to the session's tests, before -k and others choose among them."""
    if config.getoption("--jwo-profile"):
        cases = Cases.from_parent(session, name="jwo", nodeid="jwo").collect()
        config.stash[_RUN] = Run(config, len(cases))
        items += cases


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the run which cases are left."""
    if run := session.config.stash.get(_RUN, None):
        left = [item for item in session.items if isinstance(item, _Item)]
        run.selected = [item.name for item in left if isinstance(item, Case)] if len(left) < run.collected else ()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say where the report lies."""
    run = config.stash.get(_RUN, None)
    if run and run.report:
        terminalreporter.write_line(f"jwo: verdict {run.report['verdict']}; see {run.out / 'report.html'}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Clear away what the workers of pytest-xdist left for each other."""
    run = config.stash.get(_RUN, None)
    if run is None and config.getoption("--jwo-profile") and not hasattr(config, "workerinput"):
        for path in (config.invocation_params.dir / config.getoption("--jwo-out")).glob(".jwo-*"):
            path.unlink(missing_ok=True)
