"""The requirement register: every published case and every check of our own, as rows of TOML.

A row is either proven by a scenario that carries its id as a tag, or says in `not_tested` why nothing can prove it from
outside. Both at once, or neither, is an error that the shape tests find.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from contract.errors import BrokenContractFile
from contract.house import DEFAULT

DOC_SET = "2026-02"
"""The edition of the public documentation that the register follows."""

Level = Literal["must", "should", "house"]
Provenance = Literal["published", "title", "recommended", "partner", "house"]
Tier = Literal["core", "entry", "catalog", "outer"]

_LEVELS: dict[str, Level] = {
    "published": "must",
    "title": "must",
    "recommended": "should",
    "partner": "should",
    "house": "house",
}


class Requirement(BaseModel):
    """One row. `text` is the rule in our words, `page` the published page that it follows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    title_exact: bool = True
    """False where only a short form of Amazon's title is known."""
    api: str
    tier: Tier
    kind: Literal["case", "section", "focus", "own"]
    side: Literal["connector", "platform", "process"]
    provenance: Provenance
    page: str
    """Name of the published page; empty where no page speaks of the matter."""
    text: str
    usually: str = ""
    """What most often breaks it: the first place to look."""
    setting: str = ""
    """The house setting that the rule rests on, as `group.name`."""
    covers: tuple[str, ...] = ()
    """Published sections that a check of our own fills in."""
    proven_by: tuple[str, ...] = ()
    """Ids whose scenarios prove this row as well."""
    not_tested: str = ""

    @property
    def level(self) -> Level:
        """The level that the provenance allows at most."""
        return _LEVELS[self.provenance]


@lru_cache(maxsize=1)
def register() -> dict[str, Requirement]:
    """Load every row, by id and in file order; BrokenContractFile names the file and the row that is wrong."""
    rows: dict[str, Requirement] = {}
    folder = resources.files("contract") / "requirements"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            for row in _rows(file.read_text("utf-8"), file.name):
                _add(rows, row, file.name)
    return rows


def _rows(text: str, file: str) -> list[dict[str, object]]:
    try:
        return cast("list[dict[str, object]]", tomllib.loads(text)["requirement"])
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise BrokenContractFile(f"{file} is not a list of requirements: {error}") from error


def _add(rows: dict[str, Requirement], row: dict[str, object], file: str) -> None:
    try:
        requirement = Requirement.model_validate(row)
        if requirement.setting:
            DEFAULT.value(requirement.setting)
    except (ValidationError, KeyError) as error:
        raise BrokenContractFile(f"{file}: row {row.get('id')}: {error}") from error
    if requirement.id in rows:
        raise BrokenContractFile(f"{file}: the id {requirement.id} stands twice; an id is never reused")
    rows[requirement.id] = requirement
