"""Each structural statement of ARCHITECTURE.md holds; the scan path and the simulator have tests of their own."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

from conformance.report import badge, html, json_file, junit, terminal
from conformance.report.model import Report
from conformance.verdicts import EXIT_CODES, Verdict

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
CONTRACTS = {each["name"]: each for each in SETTINGS["contracts"]}
OF_THE_CONNECTOR = {"SqliteStore", "PostgresStore", "SimulatedProvider", "Telemetry", "Dispatcher", "LeasedAnswers"}
OF_A_RUN = {"ConnectorClient", "Requests", "ControlCalls", "Recorder", "Equipment"}
WATCH_IMPORTS = """
import importlib, pathlib, pkgutil, sys, threading
package, root = sys.argv[1:]
FORBIDDEN = ("socket.bind", "socket.connect", "subprocess.Popen", "os.fork", "sqlite3.connect")
made = []

def is_ours(frame):
    # The project's own code did it, and not a library that it imports.
    while frame is not None and "importlib" not in frame.f_code.co_filename:
        if frame.f_code.co_filename.startswith(root) and ".venv" not in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False

def watch(event, arguments):
    writes = event == "open" and str(arguments[1] or "")[:1] in set("wax")
    if (writes or event in FORBIDDEN) and is_ours(sys._getframe(1)):
        made.append((event, str(arguments[0])))

if package == "load":
    import locust  # patches the standard library before other modules use it
sys.addaudithook(watch)
threads = {thread.name for thread in threading.enumerate()}
for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
    if not module.name.endswith(("__main__", "locustfile", "moto_server", "conformance.scenarios", "run.preload")):
        importlib.import_module(module.name)
made += [thread.name for thread in threading.enumerate() if thread.name not in threads]
print(made)
"""


def modules_of(package: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def makers(package: str, classes: set[str]) -> dict[str, set[str]]:
    """Return the classes that each module makes objects of."""
    found: dict[str, set[str]] = {}
    for name, module in modules_of(package):
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in classes:
                found.setdefault(name, set()).add(node.func.id)
    return found


def test_diagram_is_the_import_contract() -> None:
    diagram = re.findall(r"[a-z_]+", PAGE.partition("```")[2].partition("```")[0])
    layers = CONTRACTS["imports go from jwo to the four packages, to jwo_contract, to jwo_toolkit"]["layers"]

    assert diagram == re.findall(r"[a-z_]+", " ".join(reversed(layers)))
    assert set(diagram) == set(SETTINGS["root_packages"])


def test_table_names_every_package_of_the_wheel() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    rows = [line for line in PAGE.partition("## Rules")[0].splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)/`", row.split("|")[1])}

    inside_others = {folder for folder in build["force-include"] if "/" not in folder}
    assert named == {*build["packages"], *inside_others, "tests"}


def test_only_jwo_imports_several_packages() -> None:
    rooms = {"reference_connector", "simulator", "conformance", "load"}
    for room in rooms:
        for name, module in modules_of(room):
            imported = {
                (node.module or "").partition(".")[0] for node in ast.walk(module) if isinstance(node, ast.ImportFrom)
            }
            assert not imported & (rooms - {room}), name


def test_every_file_that_the_page_names_exists() -> None:
    folders = ("", "reference_connector", "conformance", "conformance/run", "simulator")
    named = set(re.findall(r"`([a-z_/]+(?:\.py|/))`", PAGE)) - {"storage/", "schemas/", "requirements/"}

    assert {name for name in named if not any((ROOT / folder / name).exists() for folder in folders)} == set()


def test_connectors_root_alone_makes_its_storage_clients_and_dispatcher() -> None:
    made = makers("reference_connector", OF_THE_CONNECTOR)

    assert made == {"reference_connector/app.py": OF_THE_CONNECTOR}


def test_parts_of_a_run_are_made_in_session_and_pool() -> None:
    made = makers("conformance", OF_A_RUN)

    assert set(made) == {"conformance/run/session.py", "conformance/run/pool.py"}
    assert made["conformance/run/session.py"] == OF_A_RUN


@pytest.mark.parametrize("package", SETTINGS["root_packages"])
def test_import_opens_nothing_and_starts_nothing(package: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCH_IMPORTS, package, str(ROOT)], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert done.stdout.strip() == "[]"


def test_run_folder_imports_one_way() -> None:
    layers = [
        layer.rpartition(".")[2] for layer in CONTRACTS["the modules of a suite run import in one direction"]["layers"]
    ]
    files = {path.stem for path in (ROOT / "conformance" / "run").glob("*.py")} - {"__init__", "preload"}

    assert (layers[0], layers[-1]) == ("session", "configuration")
    assert set(layers) == files


def test_report_is_frozen_and_each_reporter_takes_it() -> None:
    reporters = (
        terminal.render_summary, json_file.render_json, html.render_html, junit.render_junit, badge.render_badge
    )  # fmt: skip

    assert Report.__dataclass_params__.frozen  # type: ignore[attr-defined]  # a dataclass has it
    assert dataclasses.is_dataclass(Report)
    for reporter in reporters:
        assert get_type_hints(reporter)["report"] is Report


def test_page_names_every_verdict_and_exit_code() -> None:
    paragraph = PAGE.partition("The verdict of a case is ")[2].partition("\n\n")[0]

    assert set(re.findall(r"`([a-z_]+)`", paragraph.partition(".")[0])) == {str(each) for each in Verdict}
    assert {int(code) for code in re.findall(r"exit (\d)", paragraph)} == {*EXIT_CODES.values(), 2} - {0}
