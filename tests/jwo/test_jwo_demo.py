"""The main job, whole: six stages as processes, and four reports."""

from __future__ import annotations

import json
from pathlib import Path

from tests.jwo.conftest import Jwo


def test_the_reference_connector_is_certified_in_a_store_day(jwo: Jwo, tmp_path: Path) -> None:
    done = jwo("certify", "--out", "out", "--strict")

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert [stage["name"] for stage in report["stages"]] == [
        "AWS",
        "Platform and connector",
        "Catalog",
        "Shoppers",
        "Conformance",
    ]
    assert "262 accepted, 6 rejected" in done.stdout
    assert report["counts"]["pass"] >= 104
    assert all(f"{number}/6" in done.stdout for number in range(1, 7))
