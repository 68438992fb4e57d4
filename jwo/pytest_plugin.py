"""A pytest plugin for any project: `pytest --jwo-profile jwo.toml` certifies a connector, with one test for each case.

pytest loads it wherever this kit is installed. Without the option it does nothing. The certification runs once, in a
process of its own, when its first test runs. The list of cases comes from such a process too. So the packages and the
pytest settings of the two projects do not mix.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from jwo_toolkit.launcher import JWO
from jwo_toolkit.lifeline import tied

STALE = "expected-failures"
COMPLETE = "completeness"
_LOCK, _RESULT, _WITHIN_S = ".jwo-{}.lock", ".jwo-{}.done", 1800
_RUN = pytest.StashKey["Run"]()


class CaseFailed(Exception):
    """A finding, or a failure of the kit, as a text without a traceback."""


class Run:
    """The one certification of a session. It starts when the first test needs it."""

    def __init__(self, config: pytest.Config, collected: int) -> None:
        self.collected = collected
        option = config.getoption
        folder = config.invocation_params.dir
        self.out = folder / option("--jwo-out")
        self._xdist_run_id = getattr(config, "workerinput", {}).get("testrunuid", "")
        self._folder = folder
        self._arguments = ["--profile", str(folder / option("--jwo-profile")), "--tier", option("--jwo-tier")]
        self._arguments += ["--out", str(self.out)]
        self._arguments += ["--edition", option("--jwo-edition")] if option("--jwo-edition") else []
        self._arguments += ["--strict"] if option("--jwo-strict") else []
        self._arguments += ["--expected", str(folder / option("--jwo-expected"))] if option("--jwo-expected") else []
        self.selected: Sequence[str] = ()
        """The ids to run; empty for all."""
        self.report: dict[str, Any] | None = None
        self._problem = ""

    def case(self, case_id: str) -> Mapping[str, Any]:
        """Return a case of the report. Without a report, raises CaseFailed once and then skips each test."""
        return next(case for case in self.whole_report()["cases"] if case["id"] == case_id)

    def whole_report(self) -> Mapping[str, Any]:
        """Return the report. Without one, raises CaseFailed once and then skips each test."""
        if self.report is None:
            self._certify()
        assert self.report is not None
        return self.report

    def _certify(self) -> None:
        if self._problem:
            pytest.skip(f"the certification did not run: {self._problem.splitlines()[0]}")
        self._problem = self._run_once() if self._xdist_run_id else self._run()
        if self._problem:
            raise CaseFailed(self._problem)
        self.report = json.loads((self.out / "report.json").read_text("utf-8"))

    def _run(self) -> str:
        """Run the command and return its error; an empty text if it wrote a report."""
        only = [word for case_id in self.selected for word in ("--only", case_id)]
        command = [*JWO, "certify", *self._arguments, *only]
        report = self.out / "report.json"
        report.unlink(missing_ok=True)
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self._folder, **tied())  # noqa: S603 - our own command
        return "" if report.is_file() else done.stderr.strip() or f"jwo certify ended with {done.returncode}"

    def _run_once(self) -> str:
        """Run the command in the pytest-xdist worker that gets the lock first; the others wait and read its result."""
        from filelock import FileLock, Timeout  # noqa: PLC0415 - only runs with several workers need it

        self.out.mkdir(parents=True, exist_ok=True)
        result = self.out / _RESULT.format(self._xdist_run_id)
        try:
            with FileLock(self.out / _LOCK.format(self._xdist_run_id), timeout=_WITHIN_S):
                if not result.is_file():
                    result.write_text(self._run(), encoding="utf-8")
                problem: str = result.read_text("utf-8")
                return problem
        except Timeout:
            return f"no report within {_WITHIN_S} s"


class Cases(pytest.Collector):
    """All cases of the certification."""

    def collect(self) -> list[pytest.Item]:
        """Return the cases of the chosen tiers."""
        option = self.config.getoption
        profile = str(self.config.invocation_params.dir / option("--jwo-profile"))
        rows = _ask_suite("cases", option("--jwo-tier"), profile, option("--jwo-edition"))
        items: list[pytest.Item] = [Case.from_parent(self, name=case_id, title=title) for case_id, title in rows]
        if self.config.getoption("--jwo-expected"):
            items.append(StaleEntries.from_parent(self, name=STALE))
        return items


class _Item(pytest.Item):
    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the profile as the test's file."""
        return Path(self.config.getoption("--jwo-profile")), None, f"jwo {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - pytest's signature
        """Return a finding without a traceback."""
        if excinfo.errisinstance(CaseFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args, **kwargs)

    @property
    def run(self) -> Run:
        """The session's certification."""
        return self.config.stash[_RUN]


class Case(_Item):
    """One requirement. It fails on a finding, skips if it is not applicable, and xfails if the failure is expected."""

    def __init__(self, *, title: str, **arguments: Any) -> None:  # noqa: ANN401 - pytest's own arguments
        super().__init__(**arguments)
        self.title = title

    def runtest(self) -> None:
        """Read the verdict from the report."""
        case = self.run.case(self.name)
        self.user_properties.append(("jwo_level", case["level"]))
        if reason := case.get("expectedFailure"):
            pytest.xfail(reason)
        _conclude(self, case)


class Completeness(_Item):
    """Fails if the run is partial, as `jwo certify --require-complete` does."""

    def runtest(self) -> None:
        """Read from the report which MUST rules were not judged."""
        part = self.run.whole_report().get("completeness")
        if part and not part["complete"]:
            missing = [f"  {each['id']}  {each['reason']}" for each in part["notJudged"]]
            first = f"the run is partial: it judged {part['judged']} of {part['total']} MUST rules; not judged:"
            raise CaseFailed("\n".join([first, *missing]))


class StaleEntries(_Item):
    """Fails if the file of expected failures names a case that is not broken any more."""

    def runtest(self) -> None:
        """Read the stale entries from the report."""
        if self.run.report is None:
            pytest.skip("no case ran")
        stale = self.run.report.get("expectedFailures", {}).get("stale", ())
        if stale:
            raise CaseFailed("\n".join(f"{entry['id']}: {entry['why']}; remove it from the file" for entry in stale))


def _conclude(item: Case, case: Mapping[str, Any]) -> None:
    verdict = case["verdict"]
    assert item.run.report is not None
    if verdict in {"not_applicable", "blocked"}:
        pytest.skip(case["reason"])
    if verdict in {"fail", "error"} or (verdict == "warn" and item.run.report["suite"]["strict"]):
        _raise(case)
    if verdict == "warn":
        item.add_report_section("call", "jwo warning", _describe(case))


def _raise(case: Mapping[str, Any]) -> NoReturn:
    raise CaseFailed(_describe(case))


def _describe(case: Mapping[str, Any]) -> str:
    names = {"rule": "rule", "expected": "expected", "got": "got", "because": "reason", "usually": "hint"}
    names |= {"follows": "followsFrom"} if case.get("followsFrom") else {}
    lines = [f"{case['id']}  {case['title']}"]
    lines += [f"  {label:<9} {case[member]}" for label, member in names.items() if _shows(case, member)]
    lines += [f"  {'curl':<9} {exchange['curl']}" for exchange in case["exchanges"][-1:] if exchange["curl"]]
    return "\n".join([*lines, f"  {'replay':<9} {case['replay']}"])


def _shows(case: Mapping[str, Any], member: str) -> bool:
    """Say whether a member helps a reader; a consequence has no hint of its own."""
    return bool(case[member]) and not (member == "hint" and case.get("followsFrom"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add this plugin's options to pytest."""
    group = parser.getgroup("jwo", "Just Walk Out connector")
    group.addoption(
        "--jwo-profile", metavar="FILE", help="certify the connector of this profile, one test for each case"
    )
    group.addoption(
        "--jwo-tier", metavar="TIERS", default="core", help="tiers, by commas: core, entry, catalog (default: core)"
    )
    group.addoption(
        "--jwo-strict", action="store_true", help="fail also if a SHOULD or a house rule is broken (default: off)"
    )
    group.addoption(
        "--jwo-require-complete",
        action="store_true",
        help="fail also if a MUST of the tiers was not judged (default: off)",
    )
    group.addoption(
        "--jwo-edition",
        metavar="EDITION",
        default="",
        help="edition of Amazon's documentation that judges (default: that of the profile, or the newest)",
    )
    group.addoption("--jwo-expected", metavar="FILE", help="file of known failures, with reasons (default: none)")
    group.addoption(
        "--jwo-out", metavar="DIR", default="jwo-report", help="folder for the reports (default: jwo-report)"
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> Generator[None]:
    """Add the cases to the session's tests, before -k and other options select tests.

    The test of completeness comes after them, since a selection of cases makes the run partial.
    """
    if not config.getoption("--jwo-profile"):
        return (yield)
    all_cases = Cases.from_parent(session, name="jwo", nodeid="jwo")
    cases = all_cases.collect()
    config.stash[_RUN] = Run(config, len(cases))
    items += cases
    result = yield
    if config.getoption("--jwo-require-complete") and any(isinstance(each, Case) for each in items):
        items.append(Completeness.from_parent(all_cases, name=COMPLETE))
    return result


def pytest_collection_finish(session: pytest.Session) -> None:
    """Pass the selected cases to the run."""
    if run := session.config.stash.get(_RUN, None):
        selected = [item for item in session.items if isinstance(item, _Item)]
        is_all = sum(not isinstance(item, Completeness) for item in selected) == run.collected
        run.selected = () if is_all else [item.name for item in selected if isinstance(item, Case)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the verdict and the path of the report."""
    run = config.stash.get(_RUN, None)
    if run and run.report:
        for line in _ask_suite("summary", str(run.out / "report.json")):
            terminalreporter.write_line(line)


def _ask_suite(question: str, *arguments: str) -> Any:  # noqa: ANN401 - any JSON
    """Ask a process of the suite, and return its answer. Raises UsageError if it fails."""
    command = [sys.executable, "-P", "-m", "jwo.pytest_process", question, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **tied())  # noqa: S603 - our own command
    if done.returncode:
        raise pytest.UsageError(f"the suite did not start: {done.stderr.strip()}")
    return json.loads(done.stdout)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Delete the files through which the pytest-xdist workers share the result."""
    run = config.stash.get(_RUN, None)
    if run is None and config.getoption("--jwo-profile") and not hasattr(config, "workerinput"):
        for path in (config.invocation_params.dir / config.getoption("--jwo-out")).glob(".jwo-*"):
            path.unlink(missing_ok=True)
