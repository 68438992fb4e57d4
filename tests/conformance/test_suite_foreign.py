"""No false alarm: connectors that share no code with this project pass as they are, lenient and strict."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.foreign.running import FOREIGN, Foreign, running

ROOMS = ("contract", "reference_connector", "simulator", "conformance", "load", "jwo", "tests")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda foreign: foreign.name)
def test_a_correct_foreign_connector_gets_no_finding(foreign: Foreign, tmp_path: Path) -> None:
    with running(foreign) as environment:
        profile = str(foreign.folder / "jwo.toml")
        command = [sys.executable, "-m", "jwo", "certify", "--strict", "--tier", "core,entry"]
        command += ["--profile", profile, "--out", "out"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=280, check=False, cwd=tmp_path, env=dict(environment)
        )

    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert report["verdict"] == "pass"
    assert report["counts"]["fail"] == report["counts"]["warn"] == report["counts"]["error"] == 0
    assert report["counts"]["pass"] >= 95
    written = "".join(path.read_text("utf-8") for path in (tmp_path / "out").iterdir())
    assert environment["SHOP_KEY"] not in written


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda foreign: foreign.name)
def test_a_foreign_connector_shares_no_code_with_us(foreign: Foreign) -> None:
    for file in foreign.folder.glob("*.*"):
        imported = re.findall(r"^\s*(?:from|import)\s+[\"'{\w ,}]*?([\w.]+)", file.read_text("utf-8"), re.MULTILINE)
        assert not {name.partition(".")[0] for name in imported} & set(ROOMS), file


def test_there_are_connectors_of_two_languages_and_four_ways_to_serve() -> None:
    assert len(FOREIGN) >= 4
    assert {next(foreign.folder.glob("connector.*")).suffix for foreign in FOREIGN} == {".py", ".mjs"}
