"""`jwo load`: the options that it passes to the load test, and the defaults in its help."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from conformance.mutants.small_connector import SmallConnector
from jwo.cli import app
from load.__main__ import main
from load.settings import SCENARIOS, LoadOptions, scenario_names
from tests.load.short_runs import ROOT

BRIEF = {"JWO_LOAD_RATE": "40", "JWO_LOAD_DURATION_S": "1", "JWO_LOAD_LAG_BOUND_MS": "2000", "JWO_LOAD_SEED": "7"}


def test_environment_replaces_defaults_and_flags_replace_both(
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
def test_reports_folder_is_flag_then_variable_then_jwo_load(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], variable: str, out: list[str]
) -> None:
    passed_on: list[str] = []

    def run(words: list[str]) -> int:
        passed_on.extend(words)
        return 0

    monkeypatch.setattr("jwo.load_command._run", run)
    done = CliRunner().invoke(app, ["load", "--rate", "5", *flags], env={"JWO_LOAD_OUT": variable})

    assert done.exit_code == 0, done.output
    assert passed_on == ["--rate", "5.0", *out]


@pytest.mark.parametrize(
    ("option", "setting"),
    [
        ("scenario", "scenario"),
        ("rate", "rate"),
        ("duration", "duration_s"),
        ("budget", "budget_s"),
        ("workers", "workers"),
        ("seed", "seed"),
        ("lag_bound", "lag_bound_ms"),
        ("crossing", "crossing_ms"),
    ],
)
def test_help_shows_the_defaults_of_the_settings(option: str, setting: str) -> None:
    """The help holds copies, as `jwo load --help` must not import the load test."""
    parameters = get_command(app).commands["load"].params  # type: ignore[attr-defined]  # a group has commands
    (shown,) = [parameter.show_default for parameter in parameters if parameter.name == option]
    default = LoadOptions.model_fields[setting].default

    assert shown == (default if isinstance(default, str) else f"{default:g}")


SET_BY_PARENT = {"baseline_copy", "progress_fd"}
VARIABLES = {f"JWO_LOAD_{name.upper()}" for name in LoadOptions.model_fields.keys() - SET_BY_PARENT}


def test_help_names_every_variable() -> None:
    shown = CliRunner().invoke(app, ["load", "--help"]).output

    assert set(re.findall(r"JWO_LOAD_[A-Z_]+[A-Z]", shown)) == VARIABLES


def test_page_names_every_option_and_every_variable() -> None:
    page = (ROOT / "docs" / "load_with_locust.md").read_text("utf-8")
    parameters = get_command(app).commands["load"].params  # type: ignore[attr-defined]  # a group has commands
    options = {f"`{parameter.opts[0]}`" for parameter in parameters if parameter.opts[0] != "--list"}
    options |= {f"`{option}`" for option in ("--load-out", "--connector-profile")}

    assert set(re.findall(r"`(JWO_LOAD_[A-Z_]+)`", page)) == VARIABLES
    assert options <= set(re.findall(r"`--[a-z-]+`", page))


def test_list_has_a_sentence_on_each_scenario(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setattr("load.__main__.signal.signal", lambda *_: None)

    assert main(["--list"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == scenario_names()
    assert all(re.fullmatch(r"[a-z_]+ +[A-Z][^.]{20,}\.", line) for line in lines)
    assert last.endswith(str(SCENARIOS))
