"""The generated pages, by their paths in the site, and the pages that are copied from this repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from docs.generator import commands, formats, requirements, settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
AT_THE_TOP = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md")
"""Pages of the site that are at the top of the repository, for those who read it there."""
_GENERATED: dict[str, Callable[[], str]] = {
    "reference/commands.md": commands.commands_page,
    "reference/exit_codes.md": commands.exit_codes_page,
    "reference/settings.md": settings.settings_page,
    "reference/profile.md": settings.profile_page,
    "reference/house.md": settings.house_page,
    "reference/report_json.md": formats.report_page,
    "reference/load_json.md": formats.load_page,
    "reference/control_api.md": formats.control_page,
}
REFERENCE = (*_GENERATED, f"{requirements.FOLDER}/index.md")
"""The paths of the generated pages that a written page may link to, within `docs/`."""


def generated_pages() -> dict[str, str]:
    """Return every generated page by its path."""
    return {path: make() for path, make in _GENERATED.items()} | requirements.requirement_pages()


def written_pages() -> dict[str, Path]:
    """Return the files of the written pages, by their paths in the site."""
    inside = {str(file.relative_to(DOCS)): file for file in sorted(DOCS.rglob("*.md"))}
    return inside | {name: ROOT / name for name in AT_THE_TOP}
