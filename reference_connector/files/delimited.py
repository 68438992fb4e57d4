"""Reads delimited text (CSV) strictly: its delimiter, header and rows, with the numbers of the file's own lines.

The known column names decide on the delimiter. csv.Sniffer would guess it from the rows, and names of goods mislead it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from reference_connector.files.names import meant, plain
from reference_connector.files.problems import Problems

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_LINE_END = re.compile(r"\r\n|\r|\n")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[,;\t]*', re.IGNORECASE)
_LISTED = 12
_OTHER_FORMATS = {
    "{": (
        "this is JSON, and not a table",
        "Save it as CSV. Catalog rows in JSON need a file name that ends with .json",
    ),
    "[": (
        "this is JSON, and not a table",
        "Save it as CSV. Catalog rows in JSON need a file name that ends with .json",
    ),
    "<": ("this is HTML or XML, and not a table", "Save it as CSV UTF-8"),
}


class Columns(NamedTuple):
    """The columns of a kind of file: those that are read, and those among them that must be there."""

    read: tuple[str, ...]
    required: tuple[str, ...]


class Line(NamedTuple):
    """A row: the number of its line in the file, and its values without the empty ones, by column."""

    number: int
    values: dict[str, str]


class Table(NamedTuple):
    """The rows of a file. `other_columns` are in the file and not among the columns that are read."""

    lines: list[Line]
    last_column: str = ""
    other_columns: tuple[str, ...] = ()
    is_whole: bool = True
    """Whether the last row ends with a line end, and not with the file."""


class _Record(NamedTuple):
    """The values of a row, which is in the lines from `first` to `last`, counted from 1; or what is wrong with them."""

    first: int
    last: int
    values: list[str]
    problem: str = ""
    fix: str = ""


def read_table(file: str, text: str, columns: Columns, problems: Problems) -> Table:
    """Read a text; add its problems to `problems`. Rows with a problem are not in the table."""
    return _Reader(file, text, columns, problems).table()


class _Reader:
    def __init__(self, file: str, text: str, columns: Columns, problems: Problems) -> None:
        self._file = file
        self._lines = _LINE_END.split(text.removeprefix("\ufeff"))
        self._is_whole = not self._lines[-1].strip("\x1a")  # an old mark of the end of a file
        if self._is_whole:
            self._lines.pop()
        self._columns = columns
        self._problems = problems

    def table(self) -> Table:
        start, given = self._start()
        if start == len(self._lines):
            self._problem("", "is empty", "Write a header line and a row for each product")
            return Table([])
        if what := _OTHER_FORMATS.get(self._lines[start].lstrip()[:1]):
            self._problem(f"line {start + 1}", f"begins with {self._lines[start].lstrip()[:20]!r}: {what[0]}", what[1])
            return Table([])
        delimiter = self._delimiter(start, given)
        header = next(_records(self._lines, start, delimiter))
        if header.problem:
            self._problem(f"line {header.first}", header.problem, header.fix)
            return Table([])
        names = self._names(header)
        if not names:
            return Table([])
        lines = list(self._rows(header, delimiter, names))
        others = tuple(name for name in names if name and name not in self._columns.read)
        last = next((name for name in reversed(names) if name), "")
        return Table(lines, last, others, self._is_whole)

    def _problem(self, place: str, problem: str, fix: str) -> None:
        self._problems.add(self._file, place, problem, fix)

    def _start(self) -> tuple[int, str]:
        """Return the index of the header's line, and the delimiter that a line `sep=;` above it names."""
        given = ""
        for index, line in enumerate(self._lines):
            if found := _SEPARATOR_LINE.fullmatch(line.strip(" ")):
                given = found[1]
            elif line.strip(" ,;|\t\xa0"):
                return index, given
        return len(self._lines), given

    def _delimiter(self, start: int, given: str) -> str:
        """Return the delimiter that splits the header into most known columns; one that the file names comes first."""

        def known(delimiter: str) -> int:
            names = next(_records(self._lines, start, delimiter)).values
            return sum(self._known_name(name) in self._columns.read for name in names)

        candidates = dict.fromkeys([*([given] if given else []), *_DELIMITERS])
        return max(candidates, key=known)  # the first of equals

    def _known_name(self, cell: str) -> str:
        """Return the column that a cell of the header names, in any spelling: `Item SKU` is `item_sku`."""
        known = {plain(name): name for name in self._columns.read}
        return known.get(plain(cell), cell.strip())

    def _names(self, header: _Record) -> list[str]:
        """Return the columns' names, empty for a column without one; no names if the header is wrong."""
        place = f"line {header.first}"
        names = [self._known_name(cell) for cell in header.values]
        found = ", ".join(name[:40] for name in names[:_LISTED] if name) or "nothing"
        missing = [name for name in self._columns.required if name not in names]
        if missing == list(self._columns.required):
            wanted = ", ".join(missing)
            fix = "Write the columns' names in the first line, with commas, semicolons or tabs between them"
            if len(names) == 1 and any(mark in names[0] for mark in _DELIMITERS):
                fix = "Remove the quotes around the whole line, here and in the rows: each value has its own quotes"
            self._problem(place, f"is not a header with the columns {wanted}; it has {found}", fix)
            return []
        before = len(self._problems)
        for name in missing:
            other = [each for each in names if each not in self._columns.read]
            near = next((each for each in other if meant(each, [name])), "")
            near = near or next(iter(get_close_matches(name, other, n=1, cutoff=0.7)), "")
            misspelt = f"; is it the column {near}?" if near else ""
            self._problem(place, f"{name} is missing among the columns {found}{misspelt}", f"Name a column {name}")
        for name in dict.fromkeys(name for name in names if name and names.count(name) > 1):
            places = " and ".join(str(number) for number, each in enumerate(names, 1) if each == name)
            self._problem(place, f"column {name} appears twice, as columns {places}", "Remove one of them")
        for name in names:
            absent = [each for each in self._columns.read if each not in names and each not in missing]
            if name and name not in self._columns.read and (near := meant(name, absent)):
                self._problem(place, f"column {name} is not known; did you mean {near}?", "Correct or remove it")
        return names if len(self._problems) == before else []

    def _rows(self, header: _Record, delimiter: str, names: list[str]) -> Iterator[Line]:
        for record in _records(self._lines, header.last, delimiter, names, frozenset(self._columns.read)):
            place = f"line {record.first}"
            if record.problem:
                self._problem(place, record.problem, record.fix)
                continue
            values = [value.strip() for value in record.values]
            if not any(values):
                continue
            if record.values[1:] == header.values[1:] and values[0].strip("\ufeff ") == header.values[0].strip():
                what = "the header is there again, so the file seems to be made of several files"
                self._problem(place, what, "Remove this line, and check that the rows below it belong to this list")
                continue
            if len(values) < len(names):
                self._problem(
                    place,
                    f"fewer values than the header has columns: {len(values)} instead of {len(names)}",
                    "Complete the row: the file may be cut, or a delimiter is missing",
                )
                continue
            if any(values[len(names) :]):
                self._problem(
                    place,
                    f"more values than the header has columns: {len(values)} instead of {len(names)}",
                    f"Quote values with {_DELIMITERS.get(delimiter, repr(delimiter))}, and write prices as 4.99",
                )
                continue
            row = {name: value for name, value in zip(names, values, strict=False) if value}
            if "" in row:
                self._problem(place, f"{row['']!r} is in a column without a name", "Name the column, or empty it")
                continue
            yield Line(record.first, row)


def _records(
    lines: Sequence[str], start: int, delimiter: str, names: Sequence[str] = (), strict: frozenset[str] = frozenset()
) -> Iterator[_Record]:
    """Yield the rows from an index of `lines` on. The columns in `strict` allow no line break.

    A row with an odd number of quotes continues in the next line with an odd number of them.
    """
    index = start
    while index < len(lines):
        line = lines[index]
        if '"' not in line:
            yield _Record(index + 1, index + 1, line.split(delimiter))
            index += 1
            continue
        last: int | None = index
        if line.count('"') % 2:
            last = next((later for later in range(index + 1, len(lines)) if lines[later].count('"') % 2), None)
        record = _quoted(lines, index, last, delimiter)
        if last is not None and last > index and not record.problem:
            record = _checked_break(record, lines, delimiter, names, strict)
        yield record
        index = record.last


def _quoted(lines: Sequence[str], first: int, last: int | None, delimiter: str) -> _Record:
    """Read the lines from `first` to `last` as one row, or without a `last` the first, in which a quote stays open.

    After a problem, the next row begins in the next line.
    """
    text = "\n".join(lines[first : (first if last is None else last) + 1])
    end = _well_formed(delimiter).match(text).end()  # type: ignore[union-attr] # it matches an empty text too
    fix = 'Put quotes around the whole value, and write a quote within it twice: "Pipe 5"""'
    if end == len(text) and last is not None:
        try:
            [values] = csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=True)
        except csv.Error as error:
            return _Record(first + 1, first + 1, [], f"is not a row, up to line {last + 1}: {error}", fix)
        return _Record(first + 1, last + 1, values)
    column = end - (text.rfind("\n", 0, end) + 1) + 1
    if last is None and text[end : end + 1] == '"' and not text[:end].rpartition(delimiter)[2].strip():
        return _Record(first + 1, first + 1, [], f"the quote at column {column} opens a value and is never closed", fix)
    if first + text.count("\n", 0, end) > first:
        what = f"a quote opens here, and the value goes on to line {first + text.count(chr(10), 0, end) + 1}"
    else:
        what = f"a stray quote near column {column}"
    return _Record(first + 1, first + 1, [], what, fix)


def _checked_break(
    record: _Record, lines: Sequence[str], delimiter: str, names: Sequence[str], strict: frozenset[str]
) -> _Record:
    """Refuse a row over several lines if a column in `strict` has the line break, or if it seems to hold other rows."""
    fix = "Close the quote in its own line; write a quote within a value twice, and a line break as a space"
    where = f"lines {record.first} to {record.last} are one row, as a quote opens in the first and closes in the last"
    broken = (name for name, value in zip(names, record.values, strict=False) if "\n" in value and name in strict)
    if name := next(broken, ""):
        return record._replace(problem=f"{name} has a line break: {where}", fix=fix)
    width = len(names or record.values)
    if any(lines[index].count(delimiter) >= width - 1 for index in range(record.first, record.last)):
        return record._replace(problem=where, fix=fix)
    return record


@lru_cache(maxsize=16)
def _well_formed(delimiter: str) -> re.Pattern[str]:
    """Match the longest beginning of a row in which each quote opens, closes or is doubled."""
    mark = re.escape(delimiter)
    value = rf'(?> *"(?:[^"]|"")*+"|[^"\n{mark}]*+)'
    return re.compile(rf"{value}(?:{mark}{value})*+")
