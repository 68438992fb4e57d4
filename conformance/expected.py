"""Expected failures: a file beside the connector that lists cases known to fail, each with a reason.

    [[expected]]
    id = "CP-X.9"
    reason = "carts with unknown items are refused until the clearing desk exists"

These cases do not fail a run. An entry that no longer applies is stale, and fails the run: it could hide a new breach.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from conformance.errors import BadExpectations
from conformance.run.configuration import Selection
from conformance.verdicts import Verdict
from jwo_contract.invalid import describe
from jwo_contract.register import register, rules

_BROKEN = {Verdict.FAIL, Verdict.WARN}


class Expected(BaseModel):
    """One case that is known to fail, and why that is accepted for now."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    expected: tuple[Expected, ...] = ()


class Stale(NamedTuple):
    """An entry that no longer applies, and why."""

    id: str
    reason: str
    why: str


class Expectations(NamedTuple):
    """The entries of a file; empty for a run without a file."""

    source: str = ""
    entries: tuple[Expected, ...] = ()

    def reasons(self, verdicts: Mapping[str, Verdict]) -> dict[str, str]:
        """Return the reason of each entry that applies, because its case fails or warns, by id."""
        return {entry.id: entry.reason for entry in self.entries if verdicts.get(entry.id) in _BROKEN}

    def stale(self, verdicts: Mapping[str, Verdict], selection: Selection) -> list[Stale]:
        """Return the entries that no longer apply. A case that the run leaves out is not stale."""
        found = ((entry, _why_stale(entry.id, verdicts, selection)) for entry in self.entries)
        return [Stale(entry.id, entry.reason, why) for entry, why in found if why]


NONE = Expectations()


def load(path: Path) -> Expectations:
    """Read a file of expected failures. Raises BadExpectations if the file is missing or not valid."""
    try:
        file = _File.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise BadExpectations(f"cannot read the expected failures {path}: {error.strerror}; name a file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadExpectations(f"the expected failures {path} are not valid TOML: {error}; fix it there") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {describe(_File, each)}" for each in error.errors())
        raise BadExpectations(f"{path}: {wrong}; an entry is: [[expected]] with an id and a reason") from error
    if twice := _twice([entry.id for entry in file.expected]):
        raise BadExpectations(f"{path}: more than one entry for {', '.join(twice)}; keep one entry for each id")
    return Expectations(path.name, file.expected)


def _twice(ids: Sequence[str]) -> list[str]:
    return sorted({each for each in ids if ids.count(each) > 1})


def _why_stale(case_id: str, verdicts: Mapping[str, Verdict], selection: Selection) -> str:
    if case_id not in register():
        return "there is no such case"
    if case_id not in verdicts:
        row, only = rules(selection.edition).get(case_id), selection.only
        was_wanted = row is not None and row.tier in selection.tiers and (not only or case_id in only)
        return "it has no scenario of its own" if was_wanted else ""
    causes = {Verdict.PASS: "it passes now", Verdict.NOT_APPLICABLE: "it is not applicable, so it was not judged"}
    return causes.get(verdicts[case_id], "")
