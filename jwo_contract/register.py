"""The requirement register: every published case and every check of this kit, as rows of TOML.

Either a scenario with the row's id as a tag proves a row, or `not_tested` says why no test from outside can. The shape
tests reject a row with both or with neither.

The rows cover every edition of Amazon's documentation. `register` has all rows in their newest form, `rules` the rows
of one edition as that edition has them.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any, Literal, NamedTuple, Self, cast

from pydantic import BaseModel, ConfigDict, model_validator

from jwo_contract.errors import BrokenContractFile, UnknownEdition
from jwo_contract.house import DEFAULT

FOLDER = resources.files("jwo_contract") / "requirements"
"""The files of the register."""
EDITIONS_FILE = "editions.toml"
"""The file, beside the rows, that lists the editions of the public documentation, oldest first."""

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


_EDITION = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_OUT_OF_SCOPE = "Out of scope:"
"""The begin of the reason of each row that this release does not judge."""


class EarlierForm(BaseModel):
    """What was different about a row up to and with the edition `until`; None is as in the newest form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    until: str
    title: str | None = None
    text: str | None = None
    page: str | None = None
    provenance: Provenance | None = None
    inferred_from: str | None = None
    is_binding: bool | None = None


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
    since: str = ""
    """The first edition with the rule; empty for a rule of the oldest edition."""
    until: str = ""
    """The last edition with the rule; empty if the newest edition has it."""
    earlier: tuple[EarlierForm, ...] = ()
    """How earlier editions had the rule, such as with another provenance and therefore another level."""

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

    def in_edition(self, edition: str) -> Requirement | None:
        """Return the row as an edition has it; None if that edition lacks the rule."""
        if edition < self.since or (self.until and edition > self.until):
            return None
        forms = [each for each in self.earlier if edition <= each.until]
        if not forms:
            return self
        form = min(forms, key=lambda each: each.until)
        changes = form.model_dump(exclude={"until"}, exclude_none=True)
        return Requirement.model_validate(self.model_dump() | changes)

    def named_editions(self) -> list[str]:
        """Return the editions that the row names."""
        return [each for each in (self.since, self.until, *(form.until for form in self.earlier)) if each]

    @model_validator(mode="after")
    def _names_its_source(self) -> Self:
        if (self.provenance == "inferred") is not bool(self.inferred_from):
            raise ValueError("a row has inferred_from if its provenance is inferred, and only then")
        if self.is_binding and not self.inferred_from:
            raise ValueError(
                "only an inferred row is marked as is_binding; the level of others follows from provenance"
            )
        return self


class Contents(NamedTuple):
    """All rows by id, in file order, and the rows of each edition, oldest edition first."""

    rows: dict[str, Requirement]
    by_edition: dict[str, dict[str, Requirement]]


@lru_cache(maxsize=1)
def contents() -> Contents:
    """Load the files of the register. Raises BrokenContractFile if a file or a row is wrong, and names it."""
    known = _editions((FOLDER / EDITIONS_FILE).read_text("utf-8"))
    rows: dict[str, Requirement] = {}
    by_edition: dict[str, dict[str, Requirement]] = {edition: {} for edition in known}
    for file in sorted(FOLDER.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml") and file.name != EDITIONS_FILE:
            for row in _rows(file.read_text("utf-8"), file.name):
                _add(Contents(rows, by_edition), row, file.name)
    return Contents(rows, by_edition)


def register() -> dict[str, Requirement]:
    """Return every row of every edition, each in its newest form, by id and in file order."""
    return contents().rows


def editions() -> tuple[str, ...]:
    """Return the editions of the documentation that the register has, oldest first."""
    return tuple(contents().by_edition)


def newest_edition() -> str:
    """Return the edition by which the suite judges unless a profile or an option names another one."""
    return editions()[-1]


def rules(edition: str = "") -> dict[str, Requirement]:
    """Return the rows of an edition as it has them, or of the newest edition if the name is empty.

    Raises UnknownEdition, which lists the known editions.
    """
    try:
        return contents().by_edition[edition or newest_edition()]
    except KeyError:
        known = ", ".join(editions())
        raise UnknownEdition(f"this kit knows no edition {edition} of the documentation; it knows {known}") from None


def _editions(text: str) -> tuple[str, ...]:
    try:
        known = tuple(map(str, tomllib.loads(text)["editions"]))
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise BrokenContractFile(f"{EDITIONS_FILE} is not a list of editions: {error}") from error
    if not known or list(known) != sorted(set(known)) or not all(_EDITION.fullmatch(each) for each in known):
        raise BrokenContractFile(f"{EDITIONS_FILE}: editions are names such as 2026-02, each once, oldest first")
    return known


def _rows(text: str, file: str) -> list[dict[str, object]]:
    try:
        return cast("list[dict[str, object]]", tomllib.loads(text)["requirement"])
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise BrokenContractFile(f"{file} is not a list of requirements: {error}") from error


def _add(loaded: Contents, row: dict[str, Any], file: str) -> None:
    try:
        requirement = Requirement.model_validate(row)
        forms = {edition: requirement.in_edition(edition) for edition in loaded.by_edition}
        if requirement.setting:
            DEFAULT.value(requirement.setting)
    except (ValueError, KeyError) as error:
        raise BrokenContractFile(f"{file}: row {row.get('id')}: {error}") from error
    if unknown := sorted(set(requirement.named_editions()) - forms.keys()):
        raise BrokenContractFile(
            f"{file}: row {requirement.id}: {EDITIONS_FILE} does not list the edition {unknown[0]}"
        )
    if not any(forms.values()):
        raise BrokenContractFile(f"{file}: row {requirement.id}: its last edition is before its first one")
    if requirement.id in loaded.rows:
        raise BrokenContractFile(f"{file}: the id {requirement.id} is used twice; an id is never reused")
    loaded.rows[requirement.id] = requirement
    for edition, form in forms.items():
        if form:
            loaded.by_edition[edition][requirement.id] = form
