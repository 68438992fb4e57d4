"""What the documents say exists, exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from docs.generator.pages import DOCS, REFERENCE
from jwo.cli import app

ROOT = Path(__file__).resolve().parents[2]
SUFFIXES = {".py", ".md", ".toml", ".feature", ".yaml", ".j2", ".csv"}
PLACEHOLDERS = {"jwo_contract/schemas/NAME.request.json"}
GENERATED = {DOCS / page for page in REFERENCE}
"""Pages that exist in the built site only."""
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_that_a_document_names_exist(document: Path) -> None:
    known = set(get_command(app).commands)  # type: ignore[attr-defined]  # a group has commands
    named = set(re.findall(r"`(?:\$ )?(?:\.venv/bin/)?jwo ([a-z]+)", document.read_text("utf-8")))

    assert named <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_that_a_document_names_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", document.read_text("utf-8")))

    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text("utf-8"))
    targets = [(document.parent / link).resolve() for link in links]

    assert [target for target in targets if not target.exists() and target not in GENERATED] == []


def existing_bases(text: str) -> list[Path]:
    """Return the folders that a document's paths may start in: the root, and folders that the document names so."""
    return [ROOT, *(ROOT / folder for folder in re.findall(r"^Paths are in `([^`]+)`", text, re.MULTILINE))]


def paths_in(text: str) -> set[str]:
    """Return what a document's inline code names as files and folders of this repository."""
    code = set(
        re.findall(r"`([\w*-][\w.*-]*/[\w.*/-]*)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    )
    folders = {entry.name for entry in ROOT.iterdir() if entry.is_dir()}
    return {name for name in code - PLACEHOLDERS if name.split("/")[0] in folders or Path(name).suffix in SUFFIXES}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_that_a_document_names_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    missing = {
        name for name in paths_in(text) if not any([*base.glob(name.rstrip("/"))] for base in existing_bases(text))
    }

    assert missing == set()


def test_paths_are_found_in_inline_code() -> None:
    text = (
        "See `jwo/no_such.py`, `accelerated/gone.py`, `tests/`, `text/plain` and `/v1/events`.\n```\n`jwo/x.py`\n```\n"
    )

    assert paths_in(text) == {"jwo/no_such.py", "accelerated/gone.py", "tests/"}


def test_constraints_name_packages_and_versions_alone() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()

    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []
