"""The image: its Dockerfile passes the linter, and its context and its steps give a wheel and a user without rights."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths

from tests.docs.page_steps import BIN

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "container" / "Dockerfile"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile with their text, continued lines joined as Docker does."""
    lines = [line for line in DOCKERFILE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", "").splitlines()
    return [(name, text) for name, _, text in (line.partition(" ") for line in joined)]


def test_linter_of_dockerfiles_finds_nothing() -> None:
    done = subprocess.run([BIN / "hadolint", DOCKERFILE], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stdout


def test_user_has_a_number_and_owns_only_the_working_folder() -> None:
    stage = instructions()[instructions().index(("COPY", "--from=build /opt/jwo /opt/jwo")) :]

    assert [text for name, text in stage if name == "USER"] == ["10001:10001"]
    assert [text for name, text in stage if name == "RUN"] == [
        "install --directory --owner 10001 --group 10001 /profile"
    ]
    assert ("WORKDIR", "/profile") in stage
    assert not [text for _, text in instructions() if ":latest" in text]


def test_change_of_the_code_does_not_install_the_dependencies_again() -> None:
    build = [(name, text) for name, text in instructions() if name in {"COPY", "RUN"}]
    (install,) = (at for at, (_, text) in enumerate(build) if "--requirement" in text)
    before = [text for name, text in build[:install] if name == "COPY"]

    assert before == ["pyproject.toml constraints.txt ./"]
    assert build[install + 1] == ("COPY", ". .")


@pytest.mark.parametrize("extra", ["", "platform", "load"])
def test_dependencies_are_those_of_the_kit_and_of_the_extra(extra: str) -> None:
    (step,) = (text for name, text in instructions() if name == "RUN" and "tomllib" in text)
    script = step.partition(" >requirements.txt")[0].replace("python ", f"{sys.executable} ", 1)

    command = ["sh", "-c", script]
    environment = os.environ | {"EXTRA": extra}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)

    extras = {"": []} | PROJECT["project"]["optional-dependencies"]
    assert done.stdout.splitlines() == PROJECT["project"]["dependencies"] + extras[extra]


def test_context_holds_what_the_wheel_needs_and_nothing_else() -> None:
    patterns = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] not in {"", "#"}]
    context = {path for path in exclude_paths(str(ROOT), patterns) if (ROOT / path).is_file()}
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    folders = [*wheel["packages"], *wheel["force-include"]]
    files = {"pyproject.toml", "constraints.txt", PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]}
    packaged = {path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()}

    assert {str(path.relative_to(ROOT)) for path in packaged if "__pycache__" not in path.parts} | files <= context
    assert {path.split("/")[0] for path in context - files - {".dockerignore"}} == {
        folder.split("/")[0] for folder in folders
    }
    assert not [path for path in context if "__pycache__" in path]
