"""The digests of a certificate: of the suite itself, with all its code, and of the rules of one edition."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from conformance.catalogue import FEATURES, scenario_entries
from jwo_contract.register import rules

ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("jwo_contract", "conformance")
_KINDS = {".py", ".feature", ".json", ".toml", ".yaml", ".ini", ".j2", ".css", ".js"}


@lru_cache(maxsize=1)
def suite_digest() -> str:
    """Return the SHA-256 over the names and contents of the suite's files, as hex: equal digests mean equal suites."""
    digest = hashlib.sha256()
    files = {path: path.relative_to(ROOT).as_posix() for name in _PACKAGES for path in (ROOT / name).rglob("*")}
    files |= {path: f"features/{path.relative_to(FEATURES).as_posix()}" for path in FEATURES.rglob("*")}
    for path, name in sorted(files.items(), key=lambda each: each[1]):
        if path.suffix in _KINDS:
            content = path.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


@lru_cache(maxsize=8)
def revision(edition: str) -> str:
    """Return the SHA-256 over the rules of an edition and their scenarios, as hex: equal revisions have equal rules.

    Rules of other editions do not count, so a later version of the kit has the same revision of an earlier edition.
    """
    rows = rules(edition)
    proven = [([each for each in entry.ids if each in rows], entry.text) for entry in scenario_entries()]
    parts = [row.model_dump_json(exclude={"since", "until", "earlier"}) for row in rows.values()]
    parts += [f"{' '.join(ids)}\0{text}" for ids, text in proven if ids]
    return hashlib.sha256("\0\0".join(sorted(parts)).encode()).hexdigest()
