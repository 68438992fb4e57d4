"""The tutorial of the first pass ends with a certificate of all rules that apply."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docs.generator.pages import DOCS
from tests.docs.reader import Reader


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_last_run_is_conformant(tmp_path: Path) -> None:
    with Reader(tmp_path) as reader:
        reader.follow(DOCS / "tutorials" / "first_pass.md", with_slow=True)

    assert reader.shown[-2:] == ["Partial: nothing broken", "Conformant"]
    report = json.loads((tmp_path / "jwo-report" / "report.json").read_text("utf-8"))
    assert report["completeness"]["complete"] is True
    assert report["counts"]["fail"] == 0
