"""`jwo certify --expected FILE`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jwo.conftest import Jwo

Mutant = Callable[[str], str]
WriteProfile = Callable[[str], Path]
ENTRY = '[[expected]]\nid = "{}"\nreason = "known since May"\n'


@pytest.mark.parametrize(
    ("ids", "code", "text"),
    [
        (["CP-3.25"], 0, "Partial: nothing broken but 1 expected failure in 2 of"),
        (["CP-3.25", "CP-3.24"], 1, "STALE CP-3.24  it passes now"),
        (["CP-3.25", "CP-3.999"], 1, "STALE CP-3.999  there is no such case"),
        (["CP-3.1"], 1, "Not conformant"),
    ],
)
def test_only_named_broken_cases_are_excused(
    jwo: Jwo, mutant: Mutant, profile: WriteProfile, tmp_path: Path, ids: list[str], code: int, text: str
) -> None:
    profile(mutant("accepts_an_overlong_quantity"))
    (tmp_path / "known.toml").write_text("".join(map(ENTRY.format, ids)), encoding="utf-8")
    only = [word for each in ("CP-3.25", "CP-3.24") for word in ("--only", each)]

    done = jwo("certify", "--profile", "jwo.toml", "--expected", "known.toml", "--out", "out", *only)

    assert done.returncode == code, done.stdout + done.stderr
    assert text in done.stdout
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert report["expectedFailures"]["source"] == "known.toml"


def test_invalid_file_is_a_usage_error(jwo: Jwo, profile: WriteProfile, tmp_path: Path) -> None:
    profile("http://127.0.0.1:1")
    (tmp_path / "known.toml").write_text('[[expected]]\nid = "CP-2"', encoding="utf-8")

    done = jwo("certify", "--profile", "jwo.toml", "--expected", "known.toml")

    assert done.returncode == 2
    assert "an entry is: [[expected]] with an id and a reason" in done.stderr
