"""The pages on GitHub, GitLab and Jenkins: their pipelines are valid, and the steps run as a runner runs them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from groovy_parser.parser import parse_groovy_content
from jsonschema import validators

from docs.generator.pages import DOCS
from jwo.profile_template import TEMPLATE
from tests.deploy.conftest import Runner
from tests.docs.page_steps import BIN, blocks

ROOT = DOCS.parent
HOW_TO = DOCS / "how_to"
WORKFLOWS = ROOT / ".github" / "workflows"
ACTION = ROOT / "deploy" / "github-action" / "action.yml"
PINNED = re.compile(r"\./.+|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def text_of(page: str, title: str) -> str:
    (text,) = (block.text for block in blocks(HOW_TO / page) if block.title == title)
    return text


GITHUB_PAGE = text_of("github.md", ".github/workflows/certify.yml")
GITLAB = text_of("gitlab.md", ".gitlab-ci.yml")
JENKINS = text_of("jenkins.md", "Jenkinsfile")
START = text_of("gitlab.md", "start-connector.sh")


def errors(schema: str, document: Any) -> list[str]:
    found = get_builtin_schema(schema)
    return [error.message for error in validators.validator_for(found)(found).iter_errors(document)]


def workflow() -> dict[str, Any]:
    return dict(yaml.safe_load((WORKFLOWS / "ci.yml").read_text("utf-8")))


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ("vendor.github-workflows", (WORKFLOWS / "ci.yml").read_text("utf-8")),
        ("vendor.github-workflows", GITHUB_PAGE),
        ("vendor.github-actions", ACTION.read_text("utf-8")),
        ("vendor.gitlab-ci", GITLAB),
    ],
    ids=["ci.yml", "page on GitHub", "action.yml", "page on GitLab"],
)
def test_file_matches_its_published_schema(schema: str, text: str) -> None:
    document = yaml.safe_load(text.replace("\non:", "\n'on':"))
    assert errors(schema, document) == []

    (name,) = {"jobs", "runs", "certify"} & set(document)
    assert errors(schema, document | {name: 1}) != []


def test_linter_of_workflows_finds_nothing(tmp_path: Path) -> None:
    page = tmp_path / ".github" / "workflows" / "certify.yml"
    page.parent.mkdir(parents=True)
    page.write_text(re.sub(r"@(v\d+\.\d+\.\d+)$", rf"@{'a' * 40} # \1", GITHUB_PAGE, flags=re.MULTILINE), "utf-8")

    command = [BIN / "zizmor", "--offline", "--no-progress", WORKFLOWS, ACTION, page]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("text", [(WORKFLOWS / "ci.yml").read_text("utf-8"), ACTION.read_text("utf-8")])
def test_actions_are_pinned_by_commit_with_their_version(text: str) -> None:
    used = re.findall(r"uses: (.+)", text)

    assert used
    assert [each for each in used if not PINNED.fullmatch(each)] == []


def test_workflow_runs_every_target_of_ci_and_every_supported_python() -> None:
    matrix = workflow()["jobs"]["make"]["strategy"]["matrix"]
    targets = {*matrix["target"], *(each["target"] for each in matrix["include"])}
    steps = (ROOT / ".ci" / "run").read_text("utf-8")
    in_ci = re.findall(r"^ *(?:nice -n \d+ )?make ((?:[a-z-]+ ?)+)", steps, re.MULTILINE)
    wanted = {word for words in in_ci for word in words.split()} - {"test-bytecode"} | {"docs"}
    classifiers = re.findall(
        r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text("utf-8")
    )

    assert targets == wanted - {"test-all"} | {"test", "test-slow"}
    assert matrix["python"] == classifiers
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert [each for each in targets if f"\n{each}:" not in makefile] == []


def test_jobs_have_the_least_permissions_and_a_time_limit() -> None:
    assert workflow()["permissions"] == {}
    for name, job in workflow()["jobs"].items():
        assert job["permissions"] == {"contents": "read"}, name
        assert job["timeout-minutes"] <= 45, name


def test_page_on_github_has_the_inputs_and_outputs_of_the_action() -> None:
    action = yaml.safe_load(ACTION.read_text("utf-8"))
    rows = re.findall(r"^\| `([\w-]+)` \| (?:`(.*)`)? ?\|", (HOW_TO / "github.md").read_text("utf-8"), re.MULTILINE)
    outputs = re.findall(r"^\| `([\w-]+)` \| [^|]+\|$", (HOW_TO / "github.md").read_text("utf-8"), re.MULTILINE)

    assert dict(rows) == {name: each["default"] for name, each in action["inputs"].items()}
    assert outputs == list(action["outputs"])


def test_workflows_give_inputs_and_read_outputs_that_the_action_has() -> None:
    action = yaml.safe_load(ACTION.read_text("utf-8"))
    for text, job in ((GITHUB_PAGE, "certify"), ((WORKFLOWS / "ci.yml").read_text("utf-8"), "action")):
        (step,) = (
            each for each in yaml.safe_load(text)["jobs"][job]["steps"] if "github-action" in each.get("uses", "")
        )
        read = set(re.findall(rf"steps\.{step['id']}\.outputs\.([\w-]+)", text))
        assert set(step["with"]) <= set(action["inputs"])
        assert read
        assert read <= set(action["outputs"])


def test_pages_name_the_present_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    for file in (ROOT / "README.md", *(HOW_TO / f"{name}.md" for name in ("github", "gitlab", "jenkins"))):
        named = re.findall(r"(?:kit-|github-action@v|kit@v)(\d+\.\d+\.\d+)", file.read_text("utf-8"))
        assert set(named) == {version}, file.name


def test_jenkinsfile_is_groovy_and_keeps_the_reports() -> None:
    assert parse_groovy_content(JENKINS).children
    always = JENKINS.partition("always {")[2]

    assert "junit testResults: 'jwo-report/junit.xml'" in always
    assert "archiveArtifacts artifacts: 'jwo-report/**'" in always


def steps_of_jenkins() -> list[str]:
    """Return the scripts of the `sh` steps; in three quotes they may have several lines."""
    found = re.findall(r"sh (?:'''(.*?)'''|'([^'\n]+)')", JENKINS, re.DOTALL)
    return [textwrap.dedent(long) or short for long, short in found]


def steps_of_gitlab() -> list[str]:
    """Return the job's script; GitLab runs its lines as one."""
    return ["\n".join(yaml.safe_load(GITLAB)["certify"]["script"])]


@pytest.mark.parametrize(
    ("steps", "shell"),
    [(steps_of_gitlab(), ("bash", "-eo", "pipefail")), (steps_of_jenkins(), ("sh", "-xe"))],
    ids=["GitLab", "Jenkins"],
)
def test_steps_of_a_page_certify_the_connector_that_they_start(
    runner: Runner, steps: list[str], shell: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    start = START.replace("8080", port).replace("/dev/null &\n", "/dev/null &\necho $! > connector.pid\n")
    (runner.workspace / "start-connector.sh").write_text(start, "utf-8")
    (runner.workspace / "jwo.toml").write_text(TEMPLATE.format(url=f"http://127.0.0.1:{port}"), "utf-8")

    try:
        done = [runner.run(step, *shell, KIT="tools/kit of today.whl") for step in steps]
    finally:
        os.kill(int((runner.workspace / "connector.pid").read_text("utf-8")), signal.SIGKILL)

    assert [each.returncode for each in done] == [*[0] * (len(steps) - 1), 1], done  # one case is not complete
    assert runner.installed == ["install", "--quiet", "tools/kit of today.whl[platform]"]
    report = json.loads((runner.workspace / "jwo-report" / "report.json").read_text("utf-8"))
    assert {name: count for name, count in report["counts"].items() if count} == {"pass": 1}
    kept = yaml.safe_load(GITLAB)["certify"]["artifacts"]
    assert (runner.workspace / kept["reports"]["junit"]).is_file()
    assert kept["paths"] == ["jwo-report"]
    assert kept["when"] == "always"
