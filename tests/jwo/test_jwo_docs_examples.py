"""The examples in the documents work: profiles load, commands and options exist, rows are valid."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from conformance.expected import Expected
from jwo.cli import app
from jwo.profile_template import TEMPLATE
from jwo_contract.errors import BadSettings
from jwo_contract.messages import document, message
from jwo_contract.profile import load
from jwo_contract.register import Requirement
from jwo_contract.settings import read
from reference_connector.settings import ConnectorSettings
from simulator.settings import PlatformSettings

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "pages.md"
USER, MAKER = ROOT / "docs" / "testing_your_connector.md", ROOT / "docs" / "adding_a_requirement.md"


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", document.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("text", [text for text in blocks(USER, "toml") if "[connector]" in text])
def test_an_example_profile_loads(text: str, tmp_path: Path) -> None:
    path = tmp_path / "jwo.toml"
    path.write_text(text, encoding="utf-8")

    assert load(path, {"CONNECTOR_KEY": "x"}).connector.url


def test_first_connector_answers_as_published() -> None:
    (source,) = blocks(PAGES, "python")
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(source, "app.py", "exec"), names)  # noqa: S102 - the example of our own document
    client = names["app"].test_client()
    profile = tomllib.loads(TEMPLATE)
    scan = document("verify_identity_keys.request")["examples"][0]
    cart = document("create_purchases.request")["examples"][0]

    known = client.post("/v1/identity/identity-keys", json={**scan, "identityKey": profile["keys"]["shopper"]})
    unknown = client.post("/v1/identity/identity-keys", json={**scan, "identityKey": "AAAA"})
    bought = client.post("/v1/order/purchases", json=cart)

    assert (known.status_code, unknown.status_code, bought.status_code) == (200, 401, 201)
    assert message("verify_identity_keys.response").violations(known.json) == []
    assert message("create_purchases.response").violations(bought.json) == []


def test_example_expected_failure_and_requirement_are_valid() -> None:
    (entries,) = (tomllib.loads(text) for text in blocks(USER, "toml") if "[[expected]]" in text)
    (rows,) = (tomllib.loads(text) for text in blocks(MAKER, "toml"))

    assert [Expected.model_validate(entry).id for entry in entries["expected"]] == ["CP-X.9"]
    assert Requirement.model_validate(rows["requirement"][0]).level == "house"


@pytest.mark.parametrize("document", [USER, MAKER], ids=lambda path: path.stem)
def test_commands_in_examples_have_their_options(document: Path) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]  # a group has commands
    lines = [shlex.split(line) for text in blocks(document, "sh") for line in text.splitlines()]
    ours = [words[1:] for words in lines if words[0] == "jwo"]

    assert ours
    for name, *words in ours:
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, name


def test_page_of_access_names_settings_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "docs" / "access.md").read_text("utf-8")
    for name in set(re.findall(r"JWO_[A-Z]+_[A-Z_]+[A-Z]", text)):
        monkeypatch.setenv(name, "{}")
    for kind in (ConnectorSettings, PlatformSettings):
        with pytest.raises(BadSettings) as refused:
            read(kind)
        assert "is not a setting" not in str(refused.value)
    assert [yaml.safe_load(block) for block in blocks(ROOT / "docs" / "access.md", "yaml")]


def test_profile_of_init_loads_with_and_without_its_comments(tmp_path: Path) -> None:
    path, text = tmp_path / "jwo.toml", TEMPLATE.format(url="http://127.0.0.1:8080")
    path.write_text(text, encoding="utf-8")
    assert load(path).store.id == "STORE-001"

    before, mark, after = text.partition("[tiers]")
    switched_on = "\n".join(line.removeprefix("# ") for line in after.splitlines())
    path.write_text(before + mark + switched_on, encoding="utf-8")
    assert load(path).house.ordering.duplicate_status == 200
