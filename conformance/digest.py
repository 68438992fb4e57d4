"""The digest of the suite itself: suites with equal digests have equal code, rules and features."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from conformance.catalogue import FEATURES

ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("jwo_contract", "conformance")
_KINDS = {".py", ".feature", ".json", ".toml", ".yaml", ".ini", ".j2", ".css", ".js"}


@lru_cache(maxsize=1)
def suite_digest() -> str:
    """Return the SHA-256 over the names and contents of the suite's files, as hex."""
    digest = hashlib.sha256()
    files = {path: path.relative_to(ROOT).as_posix() for name in _PACKAGES for path in (ROOT / name).rglob("*")}
    files |= {path: f"features/{path.relative_to(FEATURES).as_posix()}" for path in FEATURES.rglob("*")}
    for path, name in sorted(files.items(), key=lambda each: each[1]):
        if path.suffix in _KINDS:
            content = path.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
