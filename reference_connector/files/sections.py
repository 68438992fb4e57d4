"""The sections of all retailer files, read and checked row by row, and every problem with its place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from jwo_contract.invalid import describe
from reference_connector.errors import UnreadableFile
from reference_connector.files.names import meant
from reference_connector.files.problems import Problems
from reference_connector.files.text import read_file
from reference_connector.retailer_rows import Row

R = TypeVar("R", bound=Row)

_SECTIONS = (
    "retailer", "store", "shopper", "card_shopper", "member", "badge", "fixture_key", "product", "promotion", "tax"
)  # fmt: skip
_GROUPED_NUMBER = re.compile(
    r"^\s*\"?(\w+)\"?\s*=\s*[+-]?(?![0-9]{1,3}(?:_[0-9]{3})+\s*(?:#|$))[0-9]+(?:_[0-9]+)+", re.MULTILINE
)


class Placed(NamedTuple):
    """A row of a section or of a price list, and its place in the file."""

    file: str
    place: str
    row: Any

    def seen_from(self, other: Placed) -> str:
        """Return the place, with its file if the other row is in another file."""
        return self.place if self.file == other.file else f"{self.file}, {self.place}"


class _Document(NamedTuple):
    file: str
    content: dict[str, Any]
    lines: dict[str, list[int]]
    """The line of each `[[section]]`, by section."""

    def placed(self, section: str, number: int, row: object) -> Placed:
        """Return a row with its place; the line is known if the file writes each row under its own `[[section]]`."""
        lines, rows = self.lines.get(section, []), self.content[section]
        line = f"line {lines[number - 1]}, " if len(lines) == len(rows) else ""
        return Placed(self.file, f"{line}[[{section}]] number {number}", row)


class Sections:
    """All retailer files, read section by section as if they were one file, and the problems of all files."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.problems = Problems()
        self.digests: dict[str, str] = {}
        self.notes: list[str] = []
        self._documents = [self._document(path) for path in paths]

    def rows(self, section: str, kind: type[R]) -> Iterator[tuple[Placed, R]]:
        """Yield the valid rows of `[[section]]`, of all files."""
        for document in self._documents:
            rows = document.content.get(section, [])
            if not isinstance(rows, list):
                self.problems.add(document.file, f"[{section}]", "is one table", f"Write it as [[{section}]]")
                continue
            for number, row in enumerate(rows, 1):
                placed = document.placed(section, number, row)
                valid = self.checked(placed, kind)
                if valid is not None and not self._has_misspelt_member(placed, kind):
                    yield placed, valid

    def table(self, section: str, kind: type[R]) -> R:
        """Return `[section]`, or the defaults."""
        found = [
            Placed(document.file, f"[{section}]", document.content[section])
            for document in self._documents
            if section in document.content
        ]
        for placed in found[1:]:
            if placed.row != found[0].row:
                self.add(placed, f"is also in {found[0].file}, with other values", "Keep one of them")
        valid = self.checked(found[0], kind) if found else None
        if valid is None or self._has_misspelt_member(found[0], kind):
            return kind()
        return valid

    def unique(self, section: str, kind: type[R], key: Callable[[R], str]) -> list[tuple[Placed, R]]:
        """Return the valid rows of a section that has each key once."""
        seen: dict[str, Placed] = {}
        kept = []
        for placed, row in self.rows(section, kind):
            first = seen.setdefault(key(row), placed)
            if first is placed:
                kept.append((placed, row))
            else:
                self.add(placed, f"{key(row)} is there twice, first in {first.seen_from(placed)}", "Remove one of them")
        return kept

    def add(self, placed: Placed, problem: str, fix: str) -> None:
        """Add a problem of a row."""
        self.problems.add(placed.file, placed.place, problem, fix)

    def checked(self, placed: Placed, kind: type[R]) -> R | None:
        """Return a row in its type. Add each of its problems; return None if it has one."""
        try:
            row = kind.model_validate(placed.row)
        except ValidationError as error:
            for each in error.errors():
                member = ".".join(map(str, each["loc"])) or "row"
                if each["type"] == "missing":
                    self.add(placed, f"{member} is missing", "Add it")
                elif each["type"] == "extra_forbidden":
                    self._add_unknown(placed, member, kind)
                else:
                    fix = each.get("ctx", {}).get("fix", f"Set {member} to a valid value")
                    self.add(placed, f"{member}: {describe(kind, each)}", fix)
            return None
        return row

    def _has_misspelt_member(self, placed: Placed, kind: type[Row]) -> bool:
        """Find a member that looks like an absent one or is a section; other members belong to other programs."""
        absent = [name for name in kind.model_fields if name not in placed.row]
        for name, value in placed.row.items():
            if name in kind.model_fields:
                continue
            if name in _SECTIONS and isinstance(value, (dict, list)):
                self.add(
                    placed, f"{name} is in this table, where nothing reads it", f"Write it as [[{name}]] or [{name}]"
                )
                return True
            if near := meant(name, absent):
                self.add(placed, f"{name} is not known; did you mean {near}?", "Correct or remove it")
                return True
        return False

    def _add_unknown(self, placed: Placed, member: str, kind: type[Row]) -> None:
        near = meant(member.rpartition(".")[2], [name for name in kind.model_fields if name not in placed.row])
        end = f"; did you mean {near}?" if near else ""
        self.add(placed, f"{member} is not known{end}", "Correct or remove it: it may change what is charged")

    def text(self, path: Path, *, only_unicode: bool = False) -> str | None:
        """Read a file. Add a problem and return None if it is not a text."""
        try:
            text, digest, note = read_file(path, only_unicode=only_unicode)
        except UnreadableFile as error:
            self.problems.add(str(path), "", str(error), error.hint)
            return None
        self.digests[str(path)] = digest
        if note:
            self.notes.append(f"{path}: {note}")
        return text

    def _document(self, path: Path) -> _Document:
        file, text = str(path), self.text(path, only_unicode=True)
        if text is None:
            return _Document(file, {}, {})
        text = text.removeprefix("\ufeff")
        try:
            content = tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            self.problems.add(file, "file", f"is not valid TOML: {error}", "Fix it there")
            return _Document(file, {}, {})
        except (ValueError, ArithmeticError, RecursionError):
            what = "has a number that is too long, or too many brackets within each other"
            self.problems.add(file, "file", what, "Find that number or those brackets, and correct them")
            return _Document(file, {}, {})
        for found in _GROUPED_NUMBER.finditer(text):
            line = text.count("\n", 0, found.start(1)) + 1
            digits = found[0].rpartition("=")[2].strip()
            self.problems.add(
                file, f"line {line}", f"{found[1]}: {digits} is {int(digits)} in TOML", "Write 1.99 or 199"
            )
        absent = [name for name in _SECTIONS if name not in content]
        for name in content:
            if name not in _SECTIONS and (near := meant(name, absent)):
                self.problems.add(file, f"[{name}]", f"is not known; did you mean {near}?", "Correct or remove it")
        return _Document(file, content, _lines_of_sections(text))


def _lines_of_sections(text: str) -> dict[str, list[int]]:
    lines: dict[str, list[int]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if found := re.match(r"\s*\[\[\s*\"?(\w+)\"?\s*\]\]", line):
            lines.setdefault(found[1], []).append(number)
    return lines
