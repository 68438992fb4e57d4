from __future__ import annotations

import re
from pathlib import Path

import pytest

from jwo_contract.house import DEFAULT, House
from jwo_contract.operations import OPERATIONS
from jwo_contract.register import register

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs/spec").glob("*.md")), ROOT / "docs/glossary.md"]
GROUPS = "|".join(House.model_fields)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_setting_that_a_page_names_exists(page: Path) -> None:
    for name in re.findall(rf"`((?:{GROUPS})\.[a-z_]+)`", page.read_text("utf-8")):
        assert DEFAULT.value(name) is not None, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_file_of_the_project(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        where = (page.parent / target).parent if "*" in target else page.parent / target
        assert where.exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_requirement_that_a_page_names_is_in_the_register(page: Path) -> None:
    for row_id in re.findall(
        r"\b(?:VIK|CP|UC|PLAN)-[0-9][0-9.]*\d|\b(?:VIK|CP|UC|RS)-\d|\bSA-\d[a-z][.0-9]*\d", page.read_text("utf-8")
    ):
        assert any(row == row_id or row.startswith(row_id + ".") for row in register()), row_id


def test_the_overview_lists_every_call_with_its_path_and_success() -> None:
    overview = (ROOT / "docs/spec/README.md").read_text("utf-8")
    for operation in OPERATIONS:
        sides = "platform, connector" if operation.called_by == "platform" else "retailer, platform"
        row = f"| {operation.name} | `{operation.path}` | {sides} | {operation.tier} | {operation.success} |"
        assert row in overview
