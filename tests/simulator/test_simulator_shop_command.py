"""The shop command: it ends with a table, a page, numbers and a journal, and its exit code says if carts are left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from jwo.errors import Usage
from jwo.shop_command import shop


def run(*words: str) -> Any:
    app = typer.Typer()
    app.command()(shop)
    return CliRunner().invoke(app, words)


def test_day_against_somebodys_connector_leaves_table_page_numbers_and_journal(connector: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["--connector", connector.url, "--stores", "1", "--trips", "30", "--seed", "3", "--out", str(out)]
    first = run(*words)
    assert first.exit_code == 0, first.output
    assert "Create Purchases" in first.output
    numbers = json.loads((out / "shop.json").read_text("utf-8"))
    assert numbers["decisions"] == 30
    assert numbers["deliveries"]["delivered"] == numbers["carts"] > 20
    assert (out / "shop.html").read_text("utf-8").startswith("<!doctype html>")
    lines = (out / "journal.ndjson").read_text("utf-8").splitlines()
    assert len(lines) > 60


def test_carts_that_stay_undelivered_are_told_by_the_exit_code(connector: Any, tmp_path: Path) -> None:
    connector.purchases = [(409, {})]
    words = ["--connector", connector.url, "--stores", "1", "--trips", "5", "--out", str(tmp_path)]
    assert run(*words).exit_code == 1


@pytest.mark.parametrize("words", [["--day", "doomsday"], ["--connector", "http://127.0.0.1:9", "--stores", "2"]])
def test_wrong_use_is_told(words: list[str], tmp_path: Path) -> None:
    assert isinstance(run(*words, "--out", str(tmp_path)).exception, Usage)
