"""`jwo certify` against running connectors: exit codes, findings, files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.bench_certify import SlowCarts
from conformance.mutants.serving import served
from tests.jwo.conftest import Jwo

Mutant = Callable[[str], str]
WriteProfile = Callable[[str], Path]


ANY_CALLER = dict.fromkeys(("VIK-X.110", "VIK-X.111", "VIK-X.115", "CP-X.120", "CP-X.121", "CP-X.125"), "warn")
"""Findings in a connector whose profile declares credentials that it does not check."""


def read_report(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return report


def findings(report: dict[str, Any]) -> dict[str, str]:
    return {case["id"]: case["verdict"] for case in report["cases"] if case["verdict"] in {"fail", "warn", "error"}}


def test_correct_connector_is_conformant_and_report_files_exist(
    jwo: Jwo, mutant: Mutant, profile: WriteProfile, tmp_path: Path
) -> None:
    some = [word for each in ("VIK-1.1", "VIK-3.1", "CP-1.1", "CP-2") for word in ("--only", each)]
    done = jwo("certify", "--profile", str(profile(mutant(""))), "--out", "out", "--strict", *some)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Partial: nothing broken in 4 of " in done.stdout
    assert "it was not selected; run all cases of the tier, without --only" in done.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "attestation.json",
        "badge.svg",
        "junit.xml",
        "report.html",
        "report.json",
    ]
    assert findings(read_report(tmp_path / "out")) == {}


def test_partial_run_fails_only_where_completeness_is_required(jwo: Jwo, mutant: Mutant, profile: WriteProfile) -> None:
    path = str(profile(mutant("")))
    done = jwo("certify", "--profile", path, "--only", "VIK-3.1", "--require-complete")

    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "exit 1: --require-complete was given, and the run is partial"


@pytest.mark.slow
def test_files_in_the_callers_folder_do_not_reach_workers(profile: WriteProfile, tmp_path: Path) -> None:
    (tmp_path / "conformance").mkdir()
    for name in ("contract.py", "selectors.py", "conformance/__init__.py"):
        (tmp_path / name).write_text("raise SystemExit('shadowed')\n", encoding="utf-8")
    ids = [f"CP-3.{number}" for number in range(1, 7)]
    with served(SlowCarts()) as url:
        only = [word for each in ids for word in ("--only", each)]
        script = str(Path(sys.executable).with_name("jwo"))  # -P would hide the folder from its workers as well
        command = [script, "certify", "--profile", str(profile(url)), "--out", "out", *only]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert {case["id"]: case["verdict"] for case in read_report(tmp_path / "out")["cases"]} == dict.fromkeys(
        ids, "pass"
    )


def with_secret_header(profile: Path) -> Path:
    """Let the profile authenticate by a header with a secret value."""
    text = profile.read_text("utf-8").replace('auth = "none"', 'auth = "headers"\nheaders = { x-odd = "sesame-4711" }')
    profile.write_text(text, encoding="utf-8")
    return profile


def check_that_no_secret_is_in(folder: Path) -> None:
    files = [file.read_text("utf-8") for file in folder.iterdir()]
    for secret in ("sesame-4711", "dmFsaWRfc2hvcHBlcl9rZXk=", "shopper-uuid-001"):
        assert all(secret not in file for file in files)


@pytest.mark.parametrize(
    ("fault", "only", "found"),
    [
        ("opens_for_an_unknown_key", "VIK-1.1 VIK-2 VIK-3.4 CP-1.1", {"VIK-2": "fail"}),
        (
            "forgets_the_trip_id",
            "CP-1.1 CP-2 CP-X.1 CP-X.2 CP-X.3 CP-X.4 VIK-6",
            {"CP-2": "fail", "CP-X.1": "fail", "CP-X.2": "fail", "CP-X.3": "warn"},
        ),
        (
            "calls_everybody_an_associate",
            "VIK-1.1 VIK-1.2 VIK-2 VIK-X.3 VIK-X.27 CP-1.1 CP-2",
            {"VIK-1.1": "fail", "VIK-X.3": "warn", "VIK-X.27": "fail"},
        ),
        pytest.param(
            "accepts_an_overlong_quantity",
            "",
            {"CP-3.25": "fail", "CP-X.68": "fail", "CP-X.74": "fail", **ANY_CALLER},
            marks=pytest.mark.slow,
        ),
    ],
)
def test_only_the_faults_own_cases_fail_and_no_secret_is_reported(
    jwo: Jwo, mutant: Mutant, profile: WriteProfile, tmp_path: Path, fault: str, only: str, found: dict[str, str]
) -> None:
    chosen = [word for each in only.split() for word in ("--only", each)]
    path = with_secret_header(profile(mutant(fault)))
    done = jwo("certify", "--profile", str(path), "--out", "out", *chosen)

    assert done.returncode == 1, done.stdout + done.stderr
    assert findings(read_report(tmp_path / "out")) == found
    assert "x-odd" in (tmp_path / "out" / "report.html").read_text("utf-8")
    check_that_no_secret_is_in(tmp_path / "out")
    assert all(each in done.stdout for each in found)


@pytest.mark.slow
def test_only_the_latency_case_finds_late_answers(
    jwo: Jwo, mutant: Mutant, profile: WriteProfile, tmp_path: Path
) -> None:
    path = profile(mutant("answers_scans_after_2500_ms"))
    only = [word for each in ("VIK-9", "VIK-1.1", "VIK-3.1") for word in ("--only", each)]
    done = jwo("certify", "--profile", str(path), "--out", "o", *only)

    assert done.returncode == 1, done.stdout + done.stderr
    assert findings(read_report(tmp_path / "o")) == {"VIK-9": "fail"}
    assert "2.5" in done.stdout


def test_an_address_without_a_profile_gives_a_partial_verdict(jwo: Jwo, mutant: Mutant, tmp_path: Path) -> None:
    some = [word for each in ("VIK-1.1", "VIK-2", "VIK-3.1") for word in ("--only", each)]
    done = jwo("certify", "--connector", mutant(""), "--out", "out", *some)

    verdicts = {case["id"]: case["verdict"] for case in read_report(tmp_path / "out")["cases"]}
    assert done.returncode == 0, done.stdout + done.stderr
    assert verdicts["VIK-3.1"] == "pass"
    assert verdicts["VIK-1.1"] == "not_applicable"
    assert verdicts["VIK-2"] == "pass"


def test_connector_that_refuses_everything_does_not_pass(
    jwo: Jwo, mutant: Mutant, profile: WriteProfile, tmp_path: Path
) -> None:
    path = profile(mutant(""))
    path.write_text(path.read_text("utf-8").replace('"STORE-001"', '"ANOTHER-STORE"'), encoding="utf-8")

    done = jwo("certify", "--profile", str(path), "--out", "out", "--only", "VIK-3.1", "--only", "VIK-1.1")

    verdicts = {case["id"]: case["verdict"] for case in read_report(tmp_path / "out")["cases"]}
    assert done.returncode == 1, done.stdout + done.stderr
    assert verdicts["VIK-3.1"] == "blocked"
    assert verdicts["VIK-1.1"] == "fail"
