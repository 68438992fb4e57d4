"""What must hold before a release is built, and a sentence for each thing that does not."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

BRANCH = "main"
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(rc[1-9]\d*)?")
_HEADING = re.compile(r"## (?P<name>\S+)(?: \((?P<date>\d{4}-\d\d-\d\d)\b.*\))?")
_MOST_SHOWN = 3


def refusals(root: Path, version: str) -> list[str]:
    """Return why this version cannot be released from this clone; empty if it can."""
    if not version:
        return ["no version is named; name one: make release VERSION=0.2.0"]
    if not _VERSION.fullmatch(version):
        return [f"{version!r} is not a version of this project; write three numbers, such as 0.2.0 or 0.2.0rc1"]
    if not _is_clone(root):
        return ["this folder is not a git clone; release from a clone, since the tag names a commit"]
    return [*_of_git(root, version), *_of_version(root, version), *_of_changelog(root, version)]


def _is_clone(root: Path) -> bool:
    return _git(root, "rev-parse", "--show-toplevel") == str(root.resolve())


def _of_git(root: Path, version: str) -> list[str]:
    found = []
    branch = _git(root, "branch", "--show-current")
    if branch != BRANCH:
        found.append(f"the branch is {branch or 'none'}; switch to {BRANCH}, from which releases are made")
    if changed := _git(root, "status", "--porcelain").splitlines():
        names = ", ".join(line.split(maxsplit=1)[1] for line in changed[:_MOST_SHOWN])
        more = f" and {len(changed) - _MOST_SHOWN} more" if len(changed) > _MOST_SHOWN else ""
        found.append(f"the tree is not clean ({names}{more}); commit or remove these changes")
    if _git(root, "tag", "--list", f"v{version}"):
        found.append(f"the tag v{version} exists; a version is released once, so choose the next one")
    return found


def _of_version(root: Path, version: str) -> list[str]:
    written = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    if written == version:
        return []
    return [f"pyproject.toml has the version {written}; set it to {version} there, the only place of the version"]


def _of_changelog(root: Path, version: str) -> list[str]:
    dates = {match["name"]: match["date"] for match in map(_HEADING.fullmatch, _lines(root)) if match}
    found = []
    if version not in dates:
        found.append(f"CHANGELOG.md has no section {version}; add a line such as: ## {version} (2026-11-27, …)")
    elif not dates[version]:
        found.append(f"the section {version} of CHANGELOG.md has no date; write: ## {version} (2026-11-27, …)")
    elif not section(root, version):
        found.append(f"the section {version} of CHANGELOG.md is empty; say what changes for a user")
    if section(root, "Unreleased"):
        found.append(f"CHANGELOG.md has entries under Unreleased; move them to the section {version}")
    return found


def section(root: Path, name: str) -> str:
    """Return the text of a section of the changelog, without its heading; empty if there is none."""
    text: list[str] = []
    is_inside = False
    for line in _lines(root):
        if line.startswith("## "):
            heading = _HEADING.fullmatch(line)
            is_inside = bool(heading and heading["name"] == name)
        elif is_inside:
            text.append(line)
    return "\n".join(text).strip()


def _lines(root: Path) -> list[str]:
    return (root / "CHANGELOG.md").read_text("utf-8").splitlines()


def _git(root: Path, *words: str) -> str:
    """Return the output of a git command; empty if it fails."""
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)  # noqa: S603, S607 - the user's git
    return done.stdout.rstrip() if done.returncode == 0 else ""
