"""Reads a file as text, whole and unchanged: detects its encoding, and refuses what is not a text.

UTF-8, UTF-16 and UTF-32 are certain. Other bytes are read as Windows-1252 if the result looks like Western European
words. charset-normalizer is not used for this: in a file with few accents it prefers a wrong code page.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import re
import stat
import time
from pathlib import Path
from typing import NamedTuple

from reference_connector.errors import UnreadableFile

SAVE_AS_UTF8 = 'Save it again as UTF-8 (in a spreadsheet: "CSV UTF-8")'
_ATTEMPTS, _PAUSE_S = 5, 0.1
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, which begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OTHER_FILES = (
    (b"PK\x03\x04", "is an Excel workbook or another ZIP file"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook"),
    (b"\x1f\x8b", "is compressed with gzip"),
    (b"%PDF", "is a PDF"),
    (b"SQLite format 3\0", "is a SQLite database"),
)
_UTF8_SEQUENCE = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}")
_CAPITALS = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŒŠŽŸ"
_WESTERN = f"{_CAPITALS}ßàáâãäåæçèéêëìíîïñòóôõöøùúûüýœšžÿ"
_SIGNS = "“”\u2018\u2019\u2013—…•€£¥¢§©®™°±²³½¼¾µ·\u00b4«»¡¿º†\u00a0\u00ad"
_NOT_WESTERN = re.compile(
    rf"[^\x00-\x7f{_WESTERN}{_SIGNS}]"
    rf"|[{_WESTERN}]{{3}}"  # Cyrillic or Greek letters, read with the wrong table
    rf"|(?<![A-Za-z])[{_WESTERN}]{{2,}}(?![A-Za-z])"
    r"|[^\W\d_][“”•€£¥¢§©±²³½¼¾¡¿†][^\W\d_]"  # a sign within a word
    rf"|[a-z][{_CAPITALS}]"  # a capital letter within a word
)


class FileText(NamedTuple):
    """The text of a file, the SHA-256 of its bytes, and a note about a guessed encoding, or an empty text."""

    text: str
    digest: str
    note: str = ""


def read_file(path: Path, *, only_unicode: bool = False) -> FileText:
    """Read a text file. Raises UnreadableFile if it is not there, not a text, or changes all the time.

    With `only_unicode`, an older encoding such as Windows-1252 is an error too.
    """
    data = _read_whole(path)
    text, note = _decode(data, only_unicode=only_unicode)
    return FileText(text, hashlib.sha256(data).hexdigest(), note)


def _read_whole(path: Path) -> bytes:
    """Read bytes that no other program changes meanwhile."""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_S)
        try:
            with path.open("rb") as file:
                before, data = os.fstat(file.fileno()), file.read()
            after = path.stat()
        except OSError as error:
            raise UnreadableFile(f"cannot be read ({error.strerror or error})", "Check the path") from error
        if not stat.S_ISREG(before.st_mode) or (_version(before) == _version(after) and len(data) == before.st_size):
            return data
    raise UnreadableFile(
        "cannot be read, as it changes all the time", "Write it under another name, then rename it to this name"
    )


def _version(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _decode(data: bytes, *, only_unicode: bool) -> tuple[str, str]:
    for beginning, what in _OTHER_FILES:
        if data.startswith(beginning):
            raise UnreadableFile(f"{what}, and not a text", "Open it where it was made, and save it as CSV UTF-8")
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _decode_certain(data[len(bom) :], encoding), ""
    if b"\0" in data:
        return _decode_certain(data, _utf16_without_bom(data)), ""
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        return _decode_windows(data, error, only_unicode=only_unicode)


def _decode_certain(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        done = data[: error.start].decode(encoding, "ignore").count("\n")
        raise UnreadableFile(
            f"line {done + 1} is not valid {encoding.upper()}: the file is damaged or cut",
            "Export the file again, or copy it again",
        ) from error


def _utf16_without_bom(data: bytes) -> str:
    even, odd = data[::2].count(0), data[1::2].count(0)
    if max(even, odd) * 4 > len(data) and min(even, odd) * 20 < max(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    line = data[: data.index(b"\0")].count(b"\n") + 1
    raise UnreadableFile(f"line {line} has a zero byte, so it is not a text or is damaged", "Export the file again")


def _decode_windows(data: bytes, error: UnicodeDecodeError, *, only_unicode: bool) -> tuple[str, str]:
    line = data[: error.start].count(b"\n") + 1
    bad = f"line {line} has the byte 0x{data[error.start]:02X}, which is not valid UTF-8"
    if error.end == len(data) and error.reason == "unexpected end of data":
        raise UnreadableFile(
            f"{bad}: the file ends within a character, so it is cut", f"Copy the whole file again. {SAVE_AS_UTF8}"
        )
    if only_unicode:
        raise UnreadableFile(bad, SAVE_AS_UTF8)
    if _UTF8_SEQUENCE.search(data):
        raise UnreadableFile(f"{bad}, while other characters of the file are UTF-8", SAVE_AS_UTF8)
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        text = "\ufffd"
    if _NOT_WESTERN.search(text):
        raise UnreadableFile(f"{bad}, and does not look like Windows-1252 either", SAVE_AS_UTF8)
    return text, f"line {line} is not UTF-8; the file was read as Windows-1252. {SAVE_AS_UTF8} to be sure"
