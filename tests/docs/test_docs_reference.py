"""The generated reference holds every command, setting, key, rule and call of the code."""

from __future__ import annotations

import inspect
import json
import re
from collections import Counter
from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from conformance.mutants.gallery import CLIENTS, GALLERY
from docs.generator import commands, formats, requirements, settings
from docs.generator.fields import attribute_docs, type_name
from docs.generator.links import for_the_site
from docs.generator.pages import DOCS, REFERENCE, ROOT, generated_pages, written_pages
from jwo_contract.house import House
from jwo_contract.profile import Profile
from jwo_contract.register import register
from jwo_contract.settings import variables
from load.histogram import Tally, encoded
from load.recorder import GROUPS
from load.report import schema as load_schema
from load.report.document import document
from load.results import Results, Second
from load.settings import LoadOptions
from load.verdict import Verdict


@pytest.fixture(scope="module")
def rules() -> dict[str, str]:
    return requirements.requirement_pages()


def test_page_of_commands_has_every_command_and_option() -> None:
    text = commands.commands_page()

    assert len(list(commands.commands())) >= 20
    for name, command in commands.commands():
        section = text.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert (command.help or "").split(".")[0] in section
        for parameter in command.params:
            assert all(option in section for option in parameter.opts if option.startswith("--")), name


def test_page_of_exit_codes_has_all_codes() -> None:
    text = commands.exit_codes_page()

    assert [code for code in (0, 1, 2, 3, 130, 143) if f"| {code} |" not in text] == []
    assert "`jwo certify`" not in text.partition("## What a command")[0]
    assert "`jwo load`" in text
    assert "`BadProfile`" in text


@pytest.mark.parametrize("command", settings.KINDS)
def test_page_of_settings_has_every_variable(command: str) -> None:
    text, kind = settings.settings_page(), settings.KINDS[command]
    wanted = {name for name in variables(kind) if not name.endswith("*") and not is_of_house(kind, name)}

    assert {name for name in wanted - groups(kind) if f"`{name}`" not in text} == set()


def groups(kind: type[BaseModel]) -> set[str]:
    """Return the variables that hold a whole group as JSON."""
    prefix = str(kind.model_config["env_prefix"])  # type: ignore[typeddict-item]  # of pydantic-settings
    names = [name for name, field in kind.model_fields.items() if isinstance(field.annotation, type)]
    fields = kind.model_fields
    return {f"{prefix}{name.upper()}" for name in names if issubclass(fields[name].annotation or object, BaseModel)}


def is_of_house(kind: type[BaseModel], variable: str) -> bool:
    prefix = str(kind.model_config["env_prefix"])  # type: ignore[typeddict-item]  # of pydantic-settings
    group = variable.removeprefix(prefix).partition("__")[0].lower()
    return group in House.model_fields


def test_page_of_the_profile_has_every_key() -> None:
    text = settings.profile_page()

    for name, field in Profile.model_fields.items():
        section = text.partition(f"## [{name}]\n")[2].partition("\n## ")[0]
        assert section, name
        keys = settings.table_of(field.annotation).model_fields if name != "house" else {}
        assert [key for key in keys if f"| `{key}` |" not in section] == []
        assert [line for line in section.splitlines() if line.endswith("|  |")] == [], "a key has no meaning"


def test_page_of_house_rules_has_every_setting_and_its_rules() -> None:
    text = settings.house_page()

    for row in register().values():
        if row.setting:
            group, _, key = row.setting.partition(".")
            section = text.partition(f"\n## {group}\n")[2].partition("\n## ")[0]
            line = next(line for line in section.splitlines() if line.startswith(f"| `{key}` |"))
            assert f"({Path(requirements.FOLDER).name}/{row.id}.md)" in line


def test_every_rule_has_a_page_with_its_text_level_and_proof(rules: dict[str, str]) -> None:
    for row in register().values():
        text = rules[f"{requirements.FOLDER}/{row.id}.md"]
        assert row.text in text
        assert f"**{row.level}**" in text
        assert f"`{row.provenance}`" in text
        assert row.usually in text
        assert ("## Scenario" in text) + ("## Proof" in text) + ("## Not tested" in text) == 1
        assert f"[{row.id}]({row.id}.md)" in rules[f"{requirements.FOLDER}/index.md"]


def test_page_of_a_rule_names_its_mutants_and_shows_its_scenario(rules: dict[str, str]) -> None:
    for fault in (*GALLERY, *CLIENTS):
        for row_id in fault.found_by:
            assert f"`{fault.name}`" in rules[f"{requirements.FOLDER}/{row_id}.md"]
    text = rules[f"{requirements.FOLDER}/CP-2.md"]
    assert "@CP-2 @must\nScenario: Idempotency\n  Given a cart that the connector understands\n" in text
    assert "Then all answers name one purchase\n```" in text


def test_page_of_the_control_api_has_every_call() -> None:
    text = formats.control_page()

    for call in ("PUT /portal/stores/{store_id}", "POST /faults", "PUT /clock", "GET /journal", "GET /healthz"):
        assert f"\n{call}\n" in text
    assert Counter(re.findall(r"^### (.+)$", text, re.MULTILINE))["Arm a fault"] == 1


def test_pages_of_the_formats_have_every_member() -> None:
    assert "| `verdict` |" in formats.report_page()
    assert {name for name in load_schema()["properties"] if f"| `{name}` |" not in formats.load_page()} == set()


def test_every_part_of_the_schema_of_load_json_has_a_description() -> None:
    Draft202012Validator.check_schema(load_schema())

    assert [name for name, part in load_schema()["properties"].items() if not part.get("description")] == []


def test_load_json_fits_its_schema() -> None:
    tally = Tally({1500: 3})
    histograms = {name: encoded(tally) for name in (*GROUPS, "service", "lag", "read_delay")}
    second = Second(0, 3, 3, 0, 0, 0.1, 1.5, 1.5, None)
    counts = Counter(started=3, answered=3)
    results = Results(3, counts, Counter(), Counter(), Counter(), {}, histograms, [second], 0, 1, 1)
    scenario = {"name": "gate_rush", "title": "Scans.", "arrivals": "evenly spaced", "mix": {"scan": 1.0}}

    report = document(results, Verdict("pass", ("0 late",), 0.0, 1.0), LoadOptions(), scenario, None)

    Draft202012Validator(load_schema()).validate(json.loads(orjson.dumps(report)))


def test_docstrings_of_attributes_are_read_with_those_of_base_classes() -> None:
    class Base:
        first: int = 1
        """One."""

    class Derived(Base):
        second: int = 2
        """Two."""

    assert attribute_docs(Derived) == {"first": "One.", "second": "Two."}


def test_types_are_named_in_words() -> None:
    fields = LoadOptions.model_fields

    assert type_name(fields["rate"].annotation) == "number"
    assert type_name(fields["priority"].annotation) == '`"realtime"`, `"nice"`, `"none"`'


def test_links_outside_the_site_become_text() -> None:
    text = (
        "[`a.py`](../jwo_contract/house.py) [b](../jwo/cli.py) [c](spec/README.md#the-calls) [d](../ARCHITECTURE.md)\n"
    )
    fenced = "```\n[e](../jwo/cli.py)\n```\n"

    assert for_the_site(text + fenced, DOCS / "page.md", "page.md") == (
        "[`a.py`](reference/house.md) b [c](spec/README.md#the-calls) [d](ARCHITECTURE.md)\n" + fenced
    )


def test_a_rule_page_is_generated_and_never_committed() -> None:
    generated = set(generated_pages())

    assert set(REFERENCE) <= generated
    assert not generated & set(written_pages())
    assert inspect.getsourcefile(requirements) == str(ROOT / "docs" / "generator" / "requirements.py")
