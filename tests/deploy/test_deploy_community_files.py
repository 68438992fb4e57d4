"""The forms for issues, the updates of pins, and the files for contributors."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
FORMS = sorted(file for file in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if file.name != "config.yml")
SCHEMAS = {
    **dict.fromkeys(FORMS, "github-issue-forms"),
    GITHUB / "ISSUE_TEMPLATE" / "config.yml": "github-issue-config",
    GITHUB / "dependabot.yml": "dependabot",
}


def read(file: Path) -> Any:
    return yaml.safe_load(file.read_text("utf-8"))


@pytest.mark.parametrize(("file", "name"), SCHEMAS.items(), ids=lambda value: getattr(value, "name", value))
def test_file_is_valid_by_its_schema(file: Path, name: str) -> None:
    folder = resources.files("check_jsonschema.builtin_schemas") / "vendor"
    schema = json.loads((folder / f"{name}.json").read_text("utf-8"))

    jsonschema.validators.validator_for(schema)(schema).validate(read(file))


def test_there_is_a_form_for_each_kind_of_issue() -> None:
    assert [form.stem for form in FORMS] == ["bug", "documentation", "feature", "missed_fault", "wrong_finding"]


@pytest.mark.parametrize("name", ["bug", "missed_fault", "wrong_finding"])
def test_form_that_asks_for_output_asks_for_no_secrets(name: str) -> None:
    fields = {each.get("id"): each for each in read(GITHUB / "ISSUE_TEMPLATE" / f"{name}.yml")["body"]}

    (option,) = fields["safe"]["attributes"]["options"]
    assert option["required"] is True
    assert fields["version"]["validations"]["required"] is True


def test_each_line_of_the_pins_is_a_requirement_so_that_dependabot_reads_the_file() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()

    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9][\w.-]*==[0-9][\w.!+]*", line)] == []
    assert len({line.partition("==")[0].lower() for line in lines}) == len(lines) > 100


@pytest.mark.parametrize(
    ("kind", "name", "pin"),
    [
        ("github-actions", "action.yml", "uses: "),
        ("docker-compose", "compose.yaml", "image: \\S*[/.]\\S*:"),
    ],
)
def test_updates_cover_each_folder_with_pins(kind: str, name: str, pin: str) -> None:
    (update,) = [each for each in read(GITHUB / "dependabot.yml")["updates"] if each["package-ecosystem"] == kind]
    files = [file for file in (ROOT / "deploy").rglob(name) if re.search(pin, file.read_text("utf-8"))]

    assert files
    assert {f"/{file.parent.relative_to(ROOT)}" for file in files} == set(update["directories"]) - {"/"}


def test_security_page_names_no_mail_address() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")

    assert "Report a\nvulnerability" in text
    assert "@" not in text
