"""`pytest --jwo-profile jwo.toml` in a user's project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Mutant = Callable[[str], str]
WriteProfile = Callable[[str], Path]
Done = subprocess.CompletedProcess[str]


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Done]:
    """Run pytest in a project that has its own test and its own strict settings."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    (tmp_path / "test_own.py").write_text("def test_own() -> None:\n    assert sorted([2, 1]) == [1, 2]\n")

    def run(*arguments: str) -> Done:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:schemathesis", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=110, check=False, cwd=tmp_path, env=environment
        )

    return run


def outcomes(done: Done) -> dict[str, int]:
    last = done.stdout.strip().splitlines()[-1]
    return {word.rstrip("s"): int(number) for number, word in re.findall(r"(\d+) (\w+)", last.rpartition(" in ")[0])}


def test_without_the_option_nothing_is_added(project: Callable[..., Done]) -> None:
    done = project("-v")

    assert outcomes(done) == {"passed": 1}
    assert "jwo" not in done.stdout.replace("jwo-", "").partition("collected")[2]


@pytest.mark.slow
def test_correct_connector_passes_beside_the_projects_own_tests(
    project: Callable[..., Done], mutant: Mutant, profile: WriteProfile, tmp_path: Path
) -> None:
    profile(mutant(""))

    one = "VIK-X.12" + "".join(f" and not VIK-X.12{digit}" for digit in range(10))
    done = project("--jwo-profile", "jwo.toml", "--jwo-strict", "-k", f"own or VIK-3 or ({one})")

    assert done.returncode == 0, done.stdout + done.stderr
    assert {name: outcomes(done)[name] for name in ("passed", "skipped")} == {"passed": 18, "skipped": 1}
    assert (tmp_path / "jwo-report" / "report.html").is_file()
    assert "jwo: verdict pass (Partial: nothing broken in 17 of" in done.stdout
    assert re.search(r"without a test: \d+ not testable from outside", done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_partial_run_fails_if_completeness_is_required(
    project: Callable[..., Done], mutant: Mutant, profile: WriteProfile, workers: tuple[str, ...]
) -> None:
    profile(mutant(""))

    done = project("--jwo-profile", "jwo.toml", "--jwo-require-complete", "-k", "VIK-3.1", *workers)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED jwo::completeness" in done.stdout
    assert "the run is partial: it judged 9 of" in done.stdout
    assert re.search(r"VIK-2 +it was not selected", done.stdout)


def test_completeness_is_not_judged_without_a_selected_case(
    project: Callable[..., Done], profile: WriteProfile
) -> None:
    profile("http://127.0.0.1:1")

    done = project("--jwo-profile", "jwo.toml", "--jwo-require-complete", "-k", "own")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_xdist_workers_share_one_certification(
    project: Callable[..., Done], mutant: Mutant, profile: WriteProfile, tmp_path: Path
) -> None:
    profile(mutant(""))

    done = project("--jwo-profile", "jwo.toml", "-n", "2", "-k", "VIK-3 or own", "-v")

    assert done.returncode == 0, done.stdout + done.stderr
    assert outcomes(done)["passed"] == 18
    assert "gw1" in done.stdout
    assert sorted(path.name for path in (tmp_path / "jwo-report").iterdir()) == [
        "attestation.json",
        "badge.svg",
        "junit.xml",
        "report.html",
        "report.json",
    ]


def test_finding_is_a_failed_test_that_says_what_to_do(
    project: Callable[..., Done], mutant: Mutant, profile: WriteProfile
) -> None:
    profile(mutant("accepts_an_overlong_quantity"))

    done = project("--jwo-profile", "jwo.toml", "-k", "CP-3.25 or CP-3.24", "--junit-xml", "junit.xml")

    assert done.returncode == 1, done.stdout + done.stderr
    assert {name: outcomes(done)[name] for name in ("passed", "failed")} == {"passed": 1, "failed": 1}
    assert "FAILED jwo::CP-3.25" in done.stdout
    for words in ("got       201", "replay    jwo replay CP-3.25", "curl -sS"):
        assert words in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.slow
def test_expected_failure_xfails_and_stale_one_fails(
    project: Callable[..., Done], mutant: Mutant, profile: WriteProfile, tmp_path: Path
) -> None:
    profile(mutant("accepts_an_overlong_quantity"))
    entries = [f'[[expected]]\nid = "{each}"\nreason = "later"\n' for each in ("CP-3.25", "CP-3.24")]
    (tmp_path / "known.toml").write_text("".join(entries), encoding="utf-8")

    done = project("--jwo-profile", "jwo.toml", "--jwo-expected", "known.toml", "-k", "CP-3.25 or CP-3.24 or expected")

    assert done.returncode == 1, done.stdout + done.stderr
    assert {name: outcomes(done)[name] for name in ("passed", "xfailed", "failed")} == {
        "passed": 1,
        "xfailed": 1,
        "failed": 1,
    }
    assert "FAILED jwo::expected-failures" in done.stdout
    assert "CP-3.24: it passes now" in done.stdout


def test_unreachable_connector_fails_once_with_a_reason(project: Callable[..., Done], profile: WriteProfile) -> None:
    profile("http://127.0.0.1:1")

    done = project("--jwo-profile", "jwo.toml")

    assert done.returncode == 1
    assert outcomes(done)["failed"] == 1
    assert outcomes(done)["passed"] == 1
    assert outcomes(done)["skipped"] > 100
    assert "cannot connect to http://127.0.0.1:1" in done.stdout
