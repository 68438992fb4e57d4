"""The shape of the simulator: all SQL in one folder, one composition root."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SQL = re.compile(r"\s*(SELECT .* FROM|INSERT (OR|INTO)|UPDATE .* SET|DELETE FROM|CREATE|PRAGMA|BEGIN)\b", re.DOTALL)
MADE_ONCE = {"PlatformClock", "Seed", "ConnectorClient", "Storage", "aws_clients"}
"""The clock, ids, clients and files of a platform."""


def simulator_modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "simulator").rglob("*.py")):
        yield path.relative_to(ROOT / "simulator").as_posix(), ast.parse(path.read_text("utf-8"))


def test_sql_is_in_the_storage_folder_alone() -> None:
    found = {
        (name, node.value)
        for name, module in simulator_modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    }

    assert {name for name, _ in found if not name.startswith("storage/")} == set()
    assert len(found) > 30


def test_only_the_composition_root_makes_clocks_ids_clients_and_storage() -> None:
    makers = {
        (name, node.func.id)
        for name, module in simulator_modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MADE_ONCE
    }

    assert makers == {("composition.py", name) for name in MADE_ONCE}


def test_no_simulator_module_makes_anything_at_import() -> None:
    made = {
        (name, node.func.id)
        for name, module in simulator_modules()
        for statement in module.body
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {*MADE_ONCE, "open"}
    }

    assert made == set()
