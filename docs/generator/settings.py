"""Generates the pages of the settings: environment variables, the profile, and the house rules."""

from __future__ import annotations

import inspect
from typing import Any, get_args

from pydantic import BaseModel

from docs.generator.fields import described, inline, is_group
from docs.generator.markdown import code, page, table
from jwo_contract.house import House
from jwo_contract.not_offered import ENTRIES
from jwo_contract.profile import Profile
from jwo_contract.register import register
from jwo_contract.settings import RoomSettings
from jwo_toolkit.lifeline import PARENT_VARIABLE
from load.settings import LoadOptions
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.settings import ConnectorSettings
from simulator.settings import PlatformSettings

KINDS: dict[str, type[RoomSettings]] = {
    "jwo connector": ConnectorSettings,
    "jwo platform": PlatformSettings,
    "jwo catalog": CatalogClientSettings,
    "jwo load": LoadOptions,
}
"""The settings that a command reads from the environment."""
_COLUMNS = ["variable", "value", "default", "means"]


def settings_page() -> str:
    """Return the page of the environment variables."""
    return page(
        "Settings",
        "The variables of the environment that each command reads. A misspelt variable stops the "
        "start, and the error suggests "
        "the right name. Lists and tables are JSON. An option of the command line replaces the "
        "variable, which replaces the default.",
        *(_settings(command, kind) for command, kind in KINDS.items()),
        "## All commands",
        f"`{PARENT_VARIABLE}` holds the id of a process. The command ends when that process has ended; `make` sets it.",
    )


def profile_page() -> str:
    """Return the page of the profile, `jwo.toml`."""
    tables = [_profile_table(name) for name in Profile.model_fields if name != "house"]
    offers = [(code(name), f"`{entry}`") for name, entry in ENTRIES.items()]
    return page(
        "Profile",
        "The tables and keys of `jwo.toml`, which declares your connector to `jwo certify`, `jwo "
        "load`, `jwo shop` and `jwo play`. "
        "Only `[connector] url` is required. An empty value is not declared: the cases that need it "
        "are not applicable. "
        "A value of the form `env:NAME` is read from the environment. An unknown key is an error.",
        *tables,
        "## The names of not_offered",
        "`[suite] not_offered` takes these names. Each replaces one entry of the profile.",
        table(["name", "replaces"], offers),
        "## [house]",
        "The [house rules](house.md) have a page of their own.",
    )


def house_page() -> str:
    """Return the page of the house rules, with the requirements that depend on each."""
    return page(
        "House rules",
        "The decisions of this kit where Amazon publishes nothing. In a profile, the table is "
        "`[house.GROUP]`. For the reference connector and the "
        "platform, the variable is `JWO_CONNECTOR_GROUP__NAME` or `JWO_PLATFORM_GROUP__NAME`. If you "
        "change a value, the expectation of the suite "
        "changes with it.",
        *(_house_group(name) for name in House.model_fields),
    )


def table_of(kind: Any) -> type[BaseModel]:  # noqa: ANN401 - any annotation
    """Return the model of a table, which may be optional. Raises StopIteration if the type holds no model."""
    kinds = (kind, *get_args(kind))
    return next(each for each in kinds if isinstance(each, type) and issubclass(each, BaseModel))


def _settings(command: str, kind: type[RoomSettings]) -> str:
    prefix = str(kind.model_config.get("env_prefix", ""))
    house = [name for name in kind.model_fields if name in House.model_fields]
    own = [name for name in kind.model_fields if name not in house]
    parts = [f"## {command}", f"{inline(inspect.getdoc(kind) or '')} Prefix: `{prefix}`."]
    parts.append(table(_COLUMNS, [_variable(kind, name) for name in own if not is_group(kind.model_fields[name])]))
    for name in own:
        group = kind.model_fields[name].annotation
        if isinstance(group, type) and issubclass(group, BaseModel):
            parts += [f"### {prefix}{name.upper()}__", inline(inspect.getdoc(group) or "")]
            parts.append(
                table(_COLUMNS, [_variable(group, each, f"{prefix}{name.upper()}__") for each in group.model_fields])
            )
    if house:
        links = ", ".join(f"[{prefix}{name.upper()}__](house.md#{name})" for name in house)
        parts.append(f"It also reads the groups of the house rules: {links}.")
    return "\n\n".join(part for part in parts if part)


def _variable(model: type[BaseModel], name: str, prefix: str = "") -> tuple[str, str, str, str]:
    alias = model.model_fields[name].validation_alias
    before = prefix or str(model.model_config.get("env_prefix", ""))
    names = [str(alias)] if alias else []
    row = described(model, name)
    return " or ".join(map(code, [*names, f"{before}{name.upper()}"])), row.kind, row.default, row.meaning


def _profile_table(name: str) -> str:
    model = table_of(Profile.model_fields[name].annotation)
    rows = [described(model, key) for key in model.model_fields]
    listed = [(code(row.name), row.kind, row.default, row.meaning) for row in rows]
    return "\n\n".join(
        [f"## [{name}]", inline(inspect.getdoc(model) or ""), table(["key", "value", "default", "means"], listed)]
    )


def _house_group(name: str) -> str:
    model = table_of(House.model_fields[name].annotation)
    rows = []
    for key in model.model_fields:
        row = described(model, key)
        dependents = [each.id for each in register().values() if each.setting == f"{name}.{key}"]
        links = ", ".join(f"[{each}](requirements/{each}.md)" for each in dependents)
        rows.append((code(key), row.kind, row.default, row.meaning, links))
    return "\n\n".join(
        [
            f"## {name}",
            inline(inspect.getdoc(model) or ""),
            table(["key", "value", "default", "means", "rules that depend on it"], rows),
        ]
    )
