"""The requirement register: every published case and every check of this kit, as rows of TOML.

Either a scenario with the row's id as a tag proves a row, or `not_tested` says why no test from outside can. The shape
tests reject a row with both or with neither.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Literal, Self, cast

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from jwo_contract.errors import BrokenContractFile
from jwo_contract.house import DEFAULT

DOC_SET = "2026-02"
"""The edition of the public documentation that the register follows."""

EDITIONS: dict[str, str] = {}
"""By page name, the edition of each page that the register follows in another edition than `DOC_SET`."""

Level = Literal["must", "should", "house"]
Provenance = Literal["published", "title", "inferred", "recommended", "partner", "house"]
Tier = Literal["core", "entry", "catalog", "outer"]
NotTestedBecause = Literal["out_of_scope", "outside"]
"""Why a row has no test: this release does not judge it, or no test from outside the connector can judge it."""

_LEVELS: dict[str, Level] = {
    "published": "must",
    "title": "must",
    "inferred": "should",
    "recommended": "should",
    "partner": "should",
    "house": "house",
}


_OUT_OF_SCOPE = "Out of scope:"
"""The begin of the reason of each row that this release does not judge."""


class Requirement(BaseModel):
    """One row. `text` is the rule in our words, `page` the published page with the rule."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    title_exact: bool = True
    """False if only a short form of Amazon's title is known."""
    api: str
    tier: Tier
    kind: Literal["case", "section", "focus", "own"]
    side: Literal["connector", "platform", "process"]
    provenance: Provenance
    page: str
    """Name of the published page; empty if no page covers the rule."""
    inferred_from: str = ""
    """Id of the published rule from which an `inferred` row follows by reason; empty for all other rows."""
    is_binding: bool = False
    """True if the opposite of an `inferred` row would break the published rule itself: the row is then a MUST."""
    text: str
    usually: str = ""
    """The most frequent cause of a failure: the first place to look."""
    setting: str = ""
    """The house setting that the rule depends on, as `group.name`."""
    covers: tuple[str, ...] = ()
    """Published sections that a check of this kit covers."""
    proven_by: tuple[str, ...] = ()
    """Other ids; their scenarios prove this row too."""
    not_tested: str = ""

    @property
    def not_tested_because(self) -> NotTestedBecause | None:
        """The kind of the reason in `not_tested`; None for a row with a test."""
        if not self.not_tested:
            return None
        return "out_of_scope" if self.not_tested.startswith(_OUT_OF_SCOPE) else "outside"

    @property
    def level(self) -> Level:
        """The strictest level that the provenance allows."""
        return "must" if self.is_binding else _LEVELS[self.provenance]

    @property
    def edition(self) -> str:
        """The edition of the page that the row follows, as year and month; empty for a row without a page."""
        return EDITIONS.get(self.page, DOC_SET) if self.page else ""

    @model_validator(mode="after")
    def _names_its_source(self) -> Self:
        if (self.provenance == "inferred") is not bool(self.inferred_from):
            raise ValueError("a row has inferred_from if its provenance is inferred, and only then")
        if self.is_binding and not self.inferred_from:
            raise ValueError(
                "only an inferred row is marked as is_binding; the level of others follows from provenance"
            )
        return self


@lru_cache(maxsize=1)
def register() -> dict[str, Requirement]:
    """Load all rows, by id and in file order. Raises BrokenContractFile if a file or a row is wrong, and names it."""
    rows: dict[str, Requirement] = {}
    folder = resources.files("jwo_contract") / "requirements"
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
        raise BrokenContractFile(f"{file}: the id {requirement.id} is used twice; an id is never reused")
    rows[requirement.id] = requirement
