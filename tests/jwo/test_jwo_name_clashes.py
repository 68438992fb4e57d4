"""A project whose own packages have the names of this kit's packages, and come first on the import path."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Mutant = Callable[[str], str]
WriteProfile = Callable[[str], Path]

PACKAGES = ("conformance", "contract", "features", "load", "reference_connector", "simulator")
CASES = ("VIK-1.1", "VIK-2", "VIK-3.1", "VIK-6", "VIK-X.20")
"""Enough cases that the last one, which waits, runs in a worker process."""
HOSTILE = """
import sys
if {"jwo", "jwo.pytest_process", "jwo_toolkit.own_packages"} & set(sys.orig_argv):
    raise RuntimeError("the kit imported the project's own package")
"""
CONFTEST = """
import os
from pathlib import Path

import pytest

Path(__file__).with_name("loaded").open("a").write(f"{os.getpid()}\\n")


@pytest.fixture(autouse=True)
def own() -> None:
    pass


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    assert config.rootpath == Path(__file__).parent
"""
OWN_TEST = f"import {', '.join(PACKAGES)}\n\n\ndef test_own() -> None:\n    assert load.__file__ == {{load!r}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(HOSTILE, encoding="utf-8")
    (tmp_path / "load" / "mint.py").write_text("print('dmFsaWRfc2hvcHBlcl9rZXk=')\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n", encoding="utf-8")
    own = OWN_TEST.format(load=str(tmp_path / "load" / "__init__.py"))
    (tmp_path / "test_own.py").write_text(own, encoding="utf-8")
    return tmp_path


def mint_with(profile: Path, module: str) -> None:
    """Replace the keys of a profile by a command."""
    command = json.dumps(shlex.join([sys.executable, "-m", module]))
    before = profile.read_text("utf-8").partition("[keys]")[0]
    profile.write_text(f"{before}[keys]\ncommand = {command}\n", encoding="utf-8")


def run_in(project: Path, *words: str, path: str = ".") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=110, check=False, cwd=project,
        env=environment | {"PYTHONPATH": path, "JWO_LOAD_LAG_BOUND_MS": "2000"},
    )  # fmt: skip


@pytest.mark.slow
def test_certification_from_pytest_uses_the_kits_packages(project: Path, mutant: Mutant, profile: WriteProfile) -> None:
    profile(mutant(""))
    cases = " or ".join(("own", "E2E-X.9", *CASES))

    done = run_in(project, "-m", "pytest", "-p", "no:cacheprovider", "--jwo-profile", "jwo.toml", "-k", cases)

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((project / "jwo-report" / "report.json").read_text("utf-8"))
    assert {case["id"]: case["verdict"] for case in report["cases"]}["E2E-X.9"] == "pass"
    assert "jwo: verdict pass" in done.stdout
    assert len((project / "loaded").read_text("utf-8").splitlines()) == 1, "the suite loaded the project's conftest.py"


@pytest.mark.slow
def test_worker_processes_mint_with_a_module_of_the_current_folder(
    tmp_path: Path, mutant: Mutant, profile: WriteProfile
) -> None:
    (tmp_path / "mint.py").write_text("print('dmFsaWRfc2hvcHBlcl9rZXk=')\n", encoding="utf-8")
    mint_with(profile(mutant("")), "mint")

    only = [word for case in CASES for word in ("--only", case)]
    done = run_in(tmp_path, "-P", "-m", "jwo", "certify", "--profile", "jwo.toml", *only, path="")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 cases: 5 pass" in done.stdout


@pytest.mark.slow
def test_load_test_uses_the_kits_packages_and_mints_with_the_projects(
    project: Path, mutant: Mutant, profile: WriteProfile
) -> None:
    mint_with(profile(mutant("")), "load.mint")

    flags = ["--profile", "jwo.toml", "--rate", "5", "--duration", "0.6", "--workers", "2"]
    done = run_in(project, "-m", "jwo", "load", *flags)

    assert done.returncode == 0, done.stdout + done.stderr
    counts = json.loads((project / "jwo-load" / "load.json").read_text("utf-8"))["counts"]
    assert counts["answered"] == counts["scheduled"] > 0
