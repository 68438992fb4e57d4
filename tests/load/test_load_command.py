"""`jwo load`: what it hands to the load test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from conformance.mutants.small_connector import SmallConnector
from jwo.cli import app

BRIEF = {"JWO_LOAD_RATE": "40", "JWO_LOAD_DURATION_S": "1", "JWO_LOAD_LAG_BOUND_MS": "2000", "JWO_LOAD_SEED": "7"}


def _options(folder: Path, *flags: str, **environment: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["load", *flags], env=BRIEF | environment)
    assert done.exit_code == 0, done.output
    return dict(json.loads((folder / "load.json").read_text("utf-8"))["options"])


def test_the_environment_holds_where_no_flag_is_given(serve: Any, tmp_path: Path) -> None:
    url = serve(SmallConnector())

    options = _options(tmp_path, "--seed", "8", JWO_LOAD_CONNECTOR=url, JWO_LOAD_OUT=str(tmp_path))

    assert (options["connector"], options["rate"], options["duration_s"], options["seed"]) == (url, 40, 1, 8)


def test_reports_are_left_in_jwo_load_by_default(serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JWO_LOAD_OUT", raising=False)
    monkeypatch.chdir(tmp_path)

    options = _options(tmp_path / "jwo-load", "--connector", serve(SmallConnector()), "--rate", "50")

    assert options["rate"] == 50
