"""Changes the links of a written page for the site, in which the repository's other files do not exist."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from docs.generator.pages import AT_THE_TOP, DOCS, ROOT

_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```.*?^```)", re.DOTALL | re.MULTILINE)
_INSTEAD = {
    "README.md": "index.md",
    "docs/decisions": "decisions/README.md",
    "jwo_contract/house.py": "reference/house.md",
    "jwo_contract/requirements": "reference/requirements/index.md",
}
"""Pages of the site in place of files and folders of the repository."""


def for_the_site(text: str, file: Path, path: str) -> str:
    """Return a page's text with links that work in the site; `file` is its place in the repository, `path` in the site.

    A link to a file that the site does not have becomes its text.
    """

    def replaced(match: re.Match[str]) -> str:
        label, target = match.groups()
        if target.startswith(("http:", "https:", "mailto:", "#")):
            return match[0]
        name, mark, anchor = target.partition("#")
        to = _in_site((file.parent / name).resolve())
        if to is None:
            return label
        return f"[{label}]({os.path.relpath(to, Path(path).parent)}{mark}{anchor})"

    return _outside_code(text, lambda part: _LINK.sub(replaced, part))


def _in_site(target: Path) -> str | None:
    """Return the path in the site of a file of the repository; None if the site does not have it."""
    name = str(target.relative_to(ROOT)) if target.is_relative_to(ROOT) else ""
    if name in _INSTEAD:
        return _INSTEAD[name]
    if name in AT_THE_TOP:
        return name
    return str(target.relative_to(DOCS)) if target.is_relative_to(DOCS) and target.suffix == ".md" else None


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    parts = _FENCE.split(text)
    return "".join(part if part.startswith("```") else change(part) for part in parts)
