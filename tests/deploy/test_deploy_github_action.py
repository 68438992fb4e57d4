"""The GitHub Action: its form, its steps as a runner would run them, and what it shows of a report."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.conformance.report.conftest import _case as a_case
from tests.conformance.report.conftest import _report as a_report
from tests.deploy.conftest import Runner, load_script
from tests.jwo.conftest import mutant, profile

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "github-action"
ACTION: dict[str, Any] = yaml.safe_load((FOLDER / "action.yml").read_text("utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
Done = subprocess.CompletedProcess[str]

__all__ = ["mutant", "profile"]


@pytest.fixture(scope="module")
def present() -> ModuleType:
    return load_script(FOLDER / "present.py")


@pytest.fixture
def certify_step(tmp_path: Path) -> Callable[..., Done]:
    """Run the step `certify` as a runner would: inputs filled in, files for summary and outputs."""
    (tmp_path / "temp").mkdir()
    (tmp_path / "temp" / "jwo").symlink_to(sys.prefix)
    step = next(step for step in STEPS if step.get("id") == "certify")

    def run(**given: str) -> Done:
        inputs = {name: str(each["default"]) for name, each in ACTION["inputs"].items()} | {
            name.replace("_", "-"): value for name, value in given.items()
        }

        def filled(text: str) -> str:
            text = text.replace("${{ github.action_path }}", str(FOLDER))
            return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: inputs[found[1]], text)

        environment = {
            **os.environ,
            **{name: filled(value) for name, value in step["env"].items()},
            "RUNNER_TEMP": str(tmp_path / "temp"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
        }
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=110, check=False, cwd=tmp_path, env=environment
        )

    return run


def test_the_action_has_the_form_of_a_composite_action() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert all(step["shell"] == "bash" and step["run"].strip() for step in STEPS if "uses" not in step)
    assert all(each["description"] and "default" in each for each in ACTION["inputs"].values())
    assert all(each["description"] and "value" in each for each in ACTION["outputs"].values())


def test_no_input_is_pasted_into_a_shell() -> None:
    assert not [step["name"] for step in STEPS if "${{" in step.get("run", "")]


def test_every_expression_names_an_input_or_a_step() -> None:
    text = (FOLDER / "action.yml").read_text("utf-8")
    ids = {step["id"] for step in STEPS if "id" in step}

    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    assert set(re.findall(r"steps\.([\w-]+)", text)) <= ids
    assert (FOLDER / "present.py").is_file()
    for file in ("constraints.txt", "pyproject.toml"):
        assert (FOLDER / "../.." / file).resolve() == ROOT / file
        assert (ROOT / file).is_file()


def test_every_variable_of_a_step_is_given_to_it() -> None:
    for step in (each for each in STEPS if "run" in each):
        used = set(re.findall(r"\$\{?([A-Z_]+)", step["run"])) - {"RUNNER_TEMP", "GITHUB_OUTPUT"}
        assert used == set(step["env"]), step["name"]


def test_suite_is_installed_with_the_pins_and_a_cache_that_they_name(runner: Runner, tmp_path: Path) -> None:
    names = {"JWO_PYTHON": "python3", "JWO_ACTION": str(FOLDER), "GITHUB_OUTPUT": str(tmp_path / "output")}
    for name in ("Find the key of the cache", "Install the suite"):
        (step,) = (each for each in STEPS if each["name"] == name)
        done = runner.run(step["run"], "bash", "-eo", "pipefail", **names)
        assert done.returncode == 0, done.stderr

    pins = hashlib.sha256((ROOT / "constraints.txt").read_bytes()).hexdigest()[:16]
    assert (tmp_path / "output").read_text("utf-8") == f"key={sys.version_info[0]}.{sys.version_info[1]}-{pins}\n"
    kit = f"{FOLDER}/../.."
    expected = ["--cache-dir", f"{runner.temporary}/jwo-packages", "--constraint", f"{kit}/constraints.txt"]
    assert runner.installed == ["install", "--quiet", "--disable-pip-version-check", *expected, f"{kit}[platform]"]
    (cache,) = (step for step in STEPS if "uses" in step)
    assert cache["with"]["path"] == "${{ runner.temp }}/jwo-packages"
    assert cache["with"]["key"].endswith("${{ steps.cache.outputs.key }}")


def test_a_finding_ends_the_step_with_1_an_annotation_and_a_summary(
    certify_step: Callable[..., Done],
    mutant: Callable[[str], str],
    profile: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    path = profile("http://127.0.0.1:1")
    declared = path.read_text("utf-8").replace("shopper_authorization = false", "shopper_authorization = true")
    path.write_text(f'{declared}\n[shopper_identities]\nlow_risk = "card-1"\n', encoding="utf-8")

    done = certify_step(connector=mutant("authorises_with_204"), out="a b", tier="entry")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "::error title=SA-7a.6 " in done.stdout
    outputs = dict(line.split("=") for line in (tmp_path / "output").read_text("utf-8").splitlines())
    assert outputs == {"verdict": "fail", "complete": "false", "badge": "a b/badge.svg"}
    assert (tmp_path / outputs["badge"]).is_file()
    assert "❌ <b>SA-7a.6</b>" in (tmp_path / "summary.md").read_text("utf-8")
    assert (tmp_path / "a b" / "report.html").is_file()


def test_the_log_cannot_run_workflow_commands(
    certify_step: Callable[..., Done],
    profile: Callable[[str], Path],
) -> None:
    profile("http://127.0.0.1:1")

    lines = certify_step(profile="missing.toml").stdout.splitlines()

    token = lines[0].removeprefix("::stop-commands::")
    assert re.fullmatch("[0-9a-f]{32}", token)
    assert f"::{token}::" in lines


def test_missing_report_keeps_the_exit_code_and_is_reported(certify_step: Callable[..., Done], tmp_path: Path) -> None:
    done = certify_step(profile="missing.toml")

    assert done.returncode == 2
    assert "There is no report" in (tmp_path / "summary.md").read_text("utf-8")
    assert (tmp_path / "output").read_text("utf-8") == "verdict=\ncomplete=\nbadge=\n"


def test_failing_findings_are_errors_and_others_warnings(present: ModuleType) -> None:
    cases = [a_case("VIK-3.4", "fail"), a_case("VIK-X.3", "warn"), a_case("VIK-1.1")]

    lenient = present.annotations(a_report(cases))
    strict = present.annotations(a_report(cases, strict=True))

    assert [line.partition(" ")[0] for line in lenient] == ["::error", "::warning"]
    assert [line.partition(" ")[0] for line in strict] == ["::error", "::error"]


def test_an_annotation_is_one_line(present: ModuleType) -> None:
    case = a_case("VIK-3.4", "fail", got="50%\r\n::warning::x", title="a: b, c\n::error::")

    (line,) = present.annotations(a_report([case]))

    assert "\n" not in line
    assert "\r" not in line
    assert line.startswith("::error title=VIK-3.4 a%3A b%2C c%0A%3A%3Aerror%3A%3A::")
    assert "50%25%0D%0A::warning::x" in line


def test_findings_above_githubs_limit_are_counted(present: ModuleType) -> None:
    lines = present.annotations(a_report([a_case(f"VIK-3.{at}", "fail") for at in range(1, 15)]))

    assert len(lines) == 10
    assert "5 more findings" in lines[-1]


def test_only_stale_expected_failures_are_errors(present: ModuleType) -> None:
    stale = {"id": "CP-2", "reason": "old", "why": "it passes now"}
    cases = [a_case("VIK-1.1"), a_case("VIK-3.4", "fail", expectedFailure="later")]
    report = a_report(cases, verdict="fail", expectedFailures={"source": "known.toml", "stale": [stale]})

    assert "VIK-3.4 is broken as expected: later" in present.summary(report)
    assert "CP-2 is a stale expected failure: it passes now" in present.summary(report)
    assert len(present.annotations(report)) == 1


def test_an_answer_cannot_format_the_summary(present: ModuleType) -> None:
    got = "```\n# Passed\n<script>alert(1)</script>"
    text = present.summary(a_report([a_case(verdict="fail", got=got, title="<b>*x*</b> | [a](b)")]))

    assert "````\n" in text
    assert "&lt;b&gt;&#42;x&#42;&lt;/b&gt; &#124; &#91;a&#93;(b)" in text


def test_the_largest_summary_stays_below_one_megabyte(present: ModuleType) -> None:
    cases = [a_case(f"VIK-3.{at}", "fail", got="x" * 100_000) for at in range(1, 400)]

    assert len(present.summary(a_report(cases)).encode()) < 200_000


def test_presenting_needs_only_a_report_file(present: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(a_report()), encoding="utf-8")

    command = [sys.executable, "-I", "-S", str(FOLDER / "present.py"), str(path)]
    done = subprocess.run(command, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    assert b"nothing is broken" in done.stdout
    assert present.main(tmp_path / "missing.json") == 0
