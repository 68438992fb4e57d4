"""A base install holds the suite alone: each other part says in one sentence how to install it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from jwo_contract.register import newest_edition
from jwo_toolkit.extras import MODULES, MissingExtra, require

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DISTRIBUTIONS = {
    "hdrh": "hdrhistogram", "opentelemetry": "opentelemetry-api", "PIL": "pillow", "psycopg": "psycopg",
    "yaml": "pyyaml", "zxingcpp": "zxing-cpp",
}  # fmt: skip
"""The distributions with another name than their modules."""
COME_ALONG = {
    "_pytest": "pytest", "botocore": "boto3", "click": "typer", "pydantic": "pydantic-settings",
    "pydantic_core": "pydantic-settings", "referencing": "jsonschema", "starlette": "fastapi", "werkzeug": "moto",
}  # fmt: skip
"""Modules that come with a direct dependency."""
EXTRAS_OF_PACKAGES: dict[str, set[str]] = {
    "jwo_toolkit": set(),
    "jwo_contract": set(),
    "conformance": set(),
    "reference_connector": {"connector", "postgres", "tracing"},
    "simulator": {"platform"},
    "load": {"load"},
    "jwo": {"connector", "platform"},
}
NEEDS_PLATFORM = {"conformance/retailer_clients/queues.py"}
"""Modules of the suite that run only with the simulated platform."""

BASE_INSTALL = """
import contextlib, importlib, io, json, pkgutil, sys
sys.modules |= dict.fromkeys(json.loads(sys.argv[1]))  # an import of these now fails as without an install
from jwo.cli import app
from jwo.errors import run

def ended(words):
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            run(lambda: app(words))
        except SystemExit as end:
            return [end.code, output.getvalue()]

def imported(name):
    try:
        importlib.import_module(name)
    except ImportError as error:
        return str(error) if type(error).__name__ == "MissingExtra" else f"{type(error).__name__}: {error}"

result = {"commands": {words: ended(words.split()) for words in json.loads(sys.argv[2])}}
result["packages"] = {name: imported(name) for name in ("reference_connector.store", "simulator.app", "load.run")}
names = [each.name for top in ("jwo_toolkit", "jwo_contract", "conformance")
         for each in pkgutil.walk_packages(importlib.import_module(top).__path__, top + ".")]
kept = [name for name in names if not name.endswith((".__main__", "conformance.scenarios", "retailer_clients.queues"))]
result["suite"] = {name: text for name in kept if (text := imported(name))}
json.dump(result, sys.stdout)
"""
PLATFORM, CONNECTOR = (f"pip install 'jwo-conformance-kit[{each}]'" for each in ("platform", "connector"))
COMMANDS = {
    "platform": PLATFORM,
    "aws": PLATFORM,
    "shop": PLATFORM,
    "shop --connector http://127.0.0.1:1": PLATFORM,
    "play": "pip install 'jwo-conformance-kit[connector,platform]'",
    "connector": CONNECTOR,
    "catalog upload rows.csv": CONNECTOR,
    "catalog archive SKU --store S": CONNECTOR,
    "catalog status x": CONNECTOR,
    "catalog connectivity": CONNECTOR,
    "certify": "pip install 'jwo-conformance-kit[connector,platform]', or name your own connector with --connector URL",
    "load --connector http://127.0.0.1:1": "pip install 'jwo-conformance-kit[load]'",
    "load --list": "pip install 'jwo-conformance-kit[load]'",
}


@pytest.fixture(scope="module")
def base_install() -> dict[str, Any]:
    absent = {module for modules in MODULES.values() for module in modules}
    absent |= {"botocore", "opentelemetry", "starlette", "uvloop", "werkzeug"}
    words = [sys.executable, "-c", BASE_INSTALL, json.dumps(sorted(absent)), json.dumps(sorted(COMMANDS))]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("command", COMMANDS)
def test_missing_extra_is_one_sentence_with_the_command_to_type(base_install: dict[str, Any], command: str) -> None:
    code, output = base_install["commands"][command]

    assert code == 2
    assert f"is not installed; install it with: {COMMANDS[command]}" in output
    assert len(output.splitlines()) == 1


def test_import_of_a_part_that_is_not_installed_names_its_extra(base_install: dict[str, Any]) -> None:
    named = {name: text.partition("install it with: ")[2] for name, text in base_install["packages"].items()}

    assert named == {
        "reference_connector.store": CONNECTOR,
        "simulator.app": PLATFORM,
        "load.run": "pip install 'jwo-conformance-kit[load]'",
    }


def test_suite_imports_nothing_of_an_extra(base_install: dict[str, Any]) -> None:
    assert base_install["suite"] == {}


@pytest.mark.parametrize("package", EXTRAS_OF_PACKAGES)
def test_each_import_is_a_dependency_of_its_part(package: str) -> None:
    declared = names(PROJECT["dependencies"])
    for extra in EXTRAS_OF_PACKAGES[package]:
        declared |= names(PROJECT["optional-dependencies"][extra])
    own = {*EXTRAS_OF_PACKAGES, *sys.stdlib_module_names}
    for path in (ROOT / package).rglob("*.py"):
        more = names(PROJECT["optional-dependencies"]["platform"]) if in_root(path) in NEEDS_PLATFORM else set()
        found = {distribution(module) for module in imports(path) - own}
        assert found <= declared | more, in_root(path)


def test_all_is_every_extra_but_the_tools() -> None:
    extras = PROJECT["optional-dependencies"]
    (everything,) = map(Requirement, extras["all"])

    assert everything.extras == extras.keys() - {"all", "dev", "docs", "release"}


def test_part_that_is_installed_needs_no_sentence() -> None:
    require("the load test", "load", "platform")


def test_sentence_may_offer_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jwo_toolkit.extras.is_installed", lambda _extra: False)

    with pytest.raises(MissingExtra, match=r"x is not installed; .*\[load\]', or do y"):
        require("x", "load", instead="do y")


def test_version_names_the_edition_of_the_documentation(jwo: Any) -> None:
    done = jwo("--version")

    assert done.stdout == f"jwo {PROJECT['version']}, rules of the documentation of {newest_edition()}\n"


def test_every_package_is_typed() -> None:
    assert all((ROOT / package / "py.typed").is_file() for package in EXTRAS_OF_PACKAGES)


def in_root(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def names(requirements: list[str]) -> set[str]:
    return {Requirement(each).name for each in requirements}


def distribution(module: str) -> str:
    return COME_ALONG.get(module) or DISTRIBUTIONS.get(module) or module.replace("_", "-")


def imports(path: Path) -> set[str]:
    """Return the top-level modules that a file imports at run time."""
    tree = ast.parse(path.read_text("utf-8"))
    typing_only = {id(node) for block in ast.walk(tree) if is_typing_block(block) for node in ast.walk(block)}
    found = set()
    for node in ast.walk(tree):
        if id(node) not in typing_only:
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").partition(".")[0])
    return found


def is_typing_block(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
