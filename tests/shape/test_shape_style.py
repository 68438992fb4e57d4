"""The words of docs/style.md: no docstring, comment, message, page or test name uses a forbidden form."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from tests.shape import prose
from tests.shape.style_rules import ALLOWED, Allowed, offences

ROOT = Path(__file__).resolve().parents[2]
READABLE = {".py", ".md", ".html", ".j2", ".js", ".mjs", ".css", ".feature", ".toml", ".yaml", ".yml", ".ini", ""}
OTHER_FOLDERS = {"benchmarks", "deploy", "docs", "features", "tests"}
NOT_OURS = {"LICENSE", "constraints.txt", ".gitignore", ".git"}
OLD_SENTENCES = (
    "A wish to handle one event.",
    "what was decided in a word, for the metrics",
    "Is told what became of a job, in the event loop that gave it.",
    "the last door: whatever broke, the gate gets its answer",
    "after an answer that nobody heard",
    "Be as new.",
    "met by a close without a word",
    "The user can mend it.",
    "We must mend it.",
    "used wrongly, 3",
    "Whom a scan belongs to, as Get Scan Details is asked for them.",
    "who was told of a job failed",
    "Return a code's parts; BadValue when it is none.",
)
OLD_NAMES = (
    "test_who_fails_at_the_news_keeps_it_from_nobody_else",
    "test_an_id_stands_in_one_scenario_only",
    "test_rules_that_are_alike_are_told_apart",
)
PLACES = (
    '"""SENTENCE"""\n',
    'def f():\n    """Return.\n\n    SENTENCE\n    """\n',
    "x = 1  # SENTENCE\n",
    'raise E("SENTENCE")\n',
    'typer.Option(help="SENTENCE")\n',
)


@cache
def readable() -> tuple[Path, ...]:
    """Return the files at the top, of every package, and of the folders that hold no package."""
    tops = [each for each in ROOT.iterdir() if each.name in OTHER_FOLDERS or (each / "__init__.py").is_file()]
    files = [*ROOT.iterdir(), *(file for top in tops for file in top.rglob("*"))]
    ours = [file for file in files if file.suffix in READABLE and file.name not in NOT_OURS and file.is_file()]
    return tuple(sorted(ours))


def folder_of(file: Path) -> str:
    """Return the folder that a file is reported under; documents, and files at the top, have an entry of their own."""
    parts = file.relative_to(ROOT).parts
    if len(parts) == 1 or parts[0] == "docs":
        return "docs/decisions" if parts[:2] == ("docs", "decisions") else "/".join(parts)
    return "/".join(parts[:2]) if parts[0] == "tests" and len(parts) > 2 else parts[0]


def found_in(file: Path, read: Callable[[Path], list[prose.Passage]]) -> list[str]:
    name = str(file.relative_to(ROOT))
    return [
        f"{name}:{passage.line}: {form!r}; write: {instead}"
        for passage in read(file)
        for form, instead in offences(passage.text, may_say_room=name == "ARCHITECTURE.md")
        if not any(allows(each, name, passage.text) for each in ALLOWED)
    ]


def allows(allowed: Allowed, name: str, text: str) -> bool:
    return fnmatch(name, allowed.files) and allowed.text in text


FOLDERS = sorted({folder_of(file) for file in readable()})
UNFINISHED = {
    "contract",
    "reference_connector",
    "tests/reference_connector",
}
"""Folders with texts that still have to be rewritten. One that follows the style fails until it is removed here."""


def parameters(folders: list[str]) -> list[object]:
    unfinished = pytest.mark.xfail(reason="its texts still have to be rewritten")
    return [pytest.param(each, marks=unfinished if each in UNFINISHED else ()) for each in folders]


@pytest.mark.parametrize("folder", parameters([each for each in FOLDERS if not each.startswith("tests")]))
def test_texts_follow_the_style(folder: str) -> None:
    files = [file for file in readable() if folder_of(file) == folder]

    assert [line for file in files for line in found_in(file, prose.passages)] == []


@pytest.mark.parametrize("folder", parameters([each for each in FOLDERS if each.startswith("tests")]))
def test_names_of_tests_follow_the_style(folder: str) -> None:
    files = [file for file in readable() if folder_of(file) == folder and file.suffix == ".py"]

    assert [line for file in files for line in found_in(file, prose.names_of_tests)] == []


@pytest.mark.parametrize("sentence", OLD_SENTENCES)
@pytest.mark.parametrize("place", PLACES)
def test_an_old_sentence_is_found_wherever_it_is_put(sentence: str, place: str, tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(place.replace("SENTENCE", sentence), encoding="utf-8")

    assert [form for passage in prose.passages(file) for form in offences(passage.text)]


@pytest.mark.parametrize("suffix", [".md", ".toml", ".html"])
def test_an_old_sentence_is_found_in_a_document(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"file{suffix}"
    comment = "# " if suffix == ".toml" else ""
    file.write_text("\n\n".join(f"{comment}{sentence}" for sentence in OLD_SENTENCES), encoding="utf-8")

    found = [passage for passage in prose.passages(file) if any(offences(passage.text))]

    assert len(found) == len(OLD_SENTENCES)


def test_a_form_is_found_over_a_line_end() -> None:
    assert [form for form, _ in offences("Return what\n    became\n    of it.")] == ["became of"]


def test_help_in_a_decorator_is_read_and_a_step_is_not(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text('@app.command(help="Runs what nobody asked.")\ndef f(): ...\n', encoding="utf-8")
    assert [passage.text for passage in prose.passages(file)] == ["Runs what nobody asked."]

    file.write_text('@given("a shopper whom nobody knows")\ndef f(): ...\n', encoding="utf-8")
    assert prose.passages(file) == []


@pytest.mark.parametrize("name", OLD_NAMES)
def test_an_old_name_of_a_test_is_found(name: str, tmp_path: Path) -> None:
    file = tmp_path / "test_module.py"
    file.write_text(f"def {name}():\n    pass\n", encoding="utf-8")

    assert [form for passage in prose.names_of_tests(file) for form in offences(passage.text)]


@pytest.mark.parametrize(
    "sentence",
    [
        "The shopper who opened the gate leaves with a cart.",
        "Who decides at the gate?",
        "Return the reply within 2 seconds. Raises BadValue if the text is not a code.",
        "The server has room for 200 connections.",
        "Understand the request, then answer it.",
    ],
)
def test_plain_english_is_left_alone(sentence: str) -> None:
    assert list(offences(sentence)) == []


def test_the_allow_list_is_short_and_gives_reasons() -> None:
    assert len(ALLOWED) <= 20
    assert all(each.reason for each in ALLOWED)


def test_every_entry_of_the_allow_list_is_needed() -> None:
    used = {
        each
        for each in ALLOWED
        for file in readable()
        if fnmatch(name := str(file.relative_to(ROOT)), each.files)
        for passage in prose.passages(file)
        if allows(each, name, passage.text) and any(offences(passage.text))
    }

    assert used == set(ALLOWED)


def test_code_in_a_document_is_not_prose(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text("Set `whom`.\n\n```\nwhom\n```\n\nSee [it](whom.md), whom.\n", encoding="utf-8")

    assert [
        (passage.line, passage.text.count("whom")) for passage in prose.passages(file) if "whom" in passage.text
    ] == [(7, 1)]
