"""Writes parts of a Markdown page: tables and code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, with a line end after it; an empty text if there are no rows."""
    lines = [_row(each) for each in rows]
    return "\n".join([_row(names), _row(["---"] * len(names)), *lines, ""]) if lines else ""


def code(text: str) -> str:
    """Return inline code; an empty text stays empty."""
    if not text:
        return ""
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"


def block(language: str, text: str) -> str:
    """Return a block of code, with a line end after it."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def page(title: str, *parts: str) -> str:
    """Return a page of its parts, without the empty ones."""
    return "\n\n".join([f"# {title}", *(part.strip("\n") for part in parts if part.strip())]) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
