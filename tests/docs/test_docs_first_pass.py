"""The tutorial of the first pass: its files, in order, lead to a connector that passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.generator.pages import DOCS
from tests.docs.reader import Reader

PAGE = DOCS / "tutorials" / "first_pass.md"


@pytest.mark.slow
def test_each_step_leads_to_the_pass_that_the_page_shows(tmp_path: Path) -> None:
    with Reader(tmp_path) as reader:
        reader.follow(PAGE)

    assert [line for line in reader.shown if "pass" in line] == [
        "2 cases: 2 pass",
        "4 cases: 4 pass",
        "4 cases: 4 pass",
    ]
    assert {file.name for file in tmp_path.glob("*.py")} == {"app.py", "messages.py", "carts.py"}
