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


def test_environment_holds_where_no_flag_is_given_and_reports_have_a_default_folder(
    serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JWO_LOAD_OUT", raising=False)
    monkeypatch.chdir(tmp_path)
    url = serve(SmallConnector())

    done = CliRunner().invoke(app, ["load", "--seed", "8"], env=BRIEF | {"JWO_LOAD_CONNECTOR": url})

    assert done.exit_code == 0, done.output
    options = json.loads((tmp_path / "jwo-load" / "load.json").read_text("utf-8"))["options"]
    assert (options["connector"], options["rate"], options["duration_s"], options["seed"]) == (url, 40, 1, 8)


@pytest.mark.parametrize(
    ("flags", "variable", "out"),
    [([], "", ["--out", "jwo-load"]), ([], "mine", []), (["--out", "here"], "mine", ["--out", "here"])],
)
def test_folder_of_the_reports_is_the_flag_then_the_variable_then_jwo_load(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], variable: str, out: list[str]
) -> None:
    given: list[str] = []

    def run(words: list[str]) -> int:
        given.extend(words)
        return 0

    monkeypatch.setattr("jwo.load_command._run", run)
    done = CliRunner().invoke(app, ["load", "--rate", "5", *flags], env={"JWO_LOAD_OUT": variable})

    assert done.exit_code == 0, done.output
    assert given == ["--rate", "5.0", *out]
