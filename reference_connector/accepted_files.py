"""The mark with which an operator accepts a file that the connector holds back: a file beside it with its SHA-256."""

from __future__ import annotations

from pathlib import Path

_LONGEST = 200


def mark_of(path: Path) -> Path:
    """Return the path of a file's mark: `prices.csv.accepted`."""
    return path.with_name(f"{path.name}.accepted")


def is_accepted(path: Path, digest: str) -> bool:
    """Return whether the mark of a file begins with this SHA-256, as `sha256sum` writes it."""
    try:
        with mark_of(path).open(encoding="utf-8", errors="replace") as mark:
            words = mark.read(_LONGEST).split()
    except OSError:
        return False
    return words[:1] == [digest]


def how_to_accept(path: Path) -> str:
    """Say how an operator accepts the present content of a file."""
    return f"sha256sum '{path}' > '{mark_of(path)}'"
