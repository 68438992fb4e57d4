"""The digest of the suite itself: suites with equal digests have equal code, rules and features."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_FOLDERS = ("contract", "conformance", "features")
_KINDS = {".py", ".feature", ".json", ".toml", ".yaml", ".ini", ".j2", ".css", ".js"}


@lru_cache(maxsize=1)
def suite_digest() -> str:
    """Return the SHA-256 over the names and contents of the suite's files, as hex."""
    digest = hashlib.sha256()
    files = [path for folder in _FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in _KINDS]
    for path in sorted(files, key=lambda each: each.relative_to(ROOT).as_posix()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
