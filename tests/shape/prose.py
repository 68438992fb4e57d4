"""Collects the sentences that people read in a file: docstrings, comments, messages, pages, and names of tests."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_FEWEST_WORDS = 3
"""A string literal with fewer words is a value, not a sentence."""
_PAGE_CODE = re.compile(r"<(script|style)\b.*?</\1>|<!--.*?-->|\{%.*?%\}|\{\{.*?\}\}|\{#|#\}|<[^>]*>", re.DOTALL)
_MARKDOWN_CODE = re.compile(r"```.*?```|`[^`\n]*`|\]\([^)]*\)", re.DOTALL)
_HASH_COMMENT = re.compile(r"(?:^|\s)#+\s?(.*)")
_C_COMMENT = re.compile(r"(?:^|\s)//[ \t]?([^\n]*)|/\*(.*?)\*/", re.DOTALL | re.MULTILINE)
_TEMPLATE_LITERAL = re.compile(r"`((?:[^`\\]|\\.)*)`")
_FILLED_IN = re.compile(r"\$\{[^}]*\}")
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_DESCRIPTION = re.compile(r"^\s*[Dd]escription:\s+(.*)")


class Passage(NamedTuple):
    """A piece of text and the line on which it begins."""

    line: int
    text: str


def passages(file: Path) -> list[Passage]:
    """Return all text in a file that a person reads."""
    text = file.read_text("utf-8")
    match file.suffix:
        case ".py":
            return [*_docstrings_and_messages(text), *_comments(text)]
        case ".md":
            return _lines(_blank_out(_MARKDOWN_CODE, text))
        case ".html" | ".j2":
            return _lines(_blank_out(_PAGE_CODE, text))
        case ".js" | ".mjs" | ".css":
            comments = [Passage(_line(text, found), found[1] or found[2] or "") for found in _C_COMMENT.finditer(text)]
            return [*comments, *_script_sentences(text)]
        case ".feature":
            return _lines(text)
        case _:
            return list(_hash_comments_and_strings(text))


def names_of_tests(file: Path) -> list[Passage]:
    """Return the names of a file's test functions as sentences: `test_a_late_answer` is "A late answer"."""
    tree = ast.parse(file.read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [
        Passage(node.lineno, node.name.removeprefix("test_").replace("_", " ").capitalize())
        for node in functions
        if node.name.startswith("test_")
    ]


def _docstrings_and_messages(source: str) -> Iterator[Passage]:
    """Yield every docstring and every string literal that is a sentence, except the step texts of scenarios."""
    tree = ast.parse(source)
    steps = {
        id(inner)
        for node in ast.walk(tree)
        for decorator in getattr(node, "decorator_list", [])
        if _is_step(decorator)
        for inner in ast.walk(decorator)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in steps:
            continue
        if len(node.value.split()) >= _FEWEST_WORDS:
            yield Passage(node.lineno, node.value)


def _is_step(decorator: ast.AST) -> bool:
    """Return whether a decorator binds a function to a step of a scenario."""
    return isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") in {"given", "when", "then", "step"}


def _comments(source: str) -> Iterator[Passage]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Passage(token.start[0], token.string.removeprefix("#").strip())


def _hash_comments_and_strings(text: str) -> Iterator[Passage]:
    """Yield what TOML, YAML, make and shell files say: comments, descriptions, and quoted sentences."""
    for number, line in enumerate(text.splitlines(), 1):
        strings = [found[1] for found in _QUOTED.finditer(line)]
        comments = [found[1] for found in _HASH_COMMENT.finditer(_QUOTED.sub("", line))]
        descriptions = [found[1] for found in _DESCRIPTION.finditer(line)]
        sentences = [each for each in strings if len(each.split()) >= _FEWEST_WORDS]
        yield from (Passage(number, each) for each in (*comments, *descriptions, *sentences))


def _script_sentences(text: str) -> Iterator[Passage]:
    """Yield what a script shows: quoted sentences, with their filled-in parts left out."""
    for form in (_QUOTED, _TEMPLATE_LITERAL):
        for found in form.finditer(text):
            said = _FILLED_IN.sub("·", found[1])
            if len(said.split()) >= _FEWEST_WORDS:
                yield Passage(_line(text, found), said)


def _blank_out(code: re.Pattern[str], text: str) -> str:
    """Replace code by as many line ends as it has, so that line numbers stay."""
    return code.sub(lambda found: "·" + "\n" * found[0].count("\n"), text)


def _lines(text: str) -> list[Passage]:
    """Return paragraphs: a sentence may run over a line's end."""
    found, start, block = [], 1, list[str]()
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.strip() and not block:
            start = number
        if line.strip():
            block.append(line.strip())
        elif block:
            found.append(Passage(start, "\n".join(block)))
            block = []
    return found


def _line(text: str, found: re.Match[str]) -> int:
    return text.count("\n", 0, found.start()) + 1
