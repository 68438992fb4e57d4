"""The bodies of accepted uploads and archive calls until their work is done: in memory, and in files beside a database.

A body is kept as it came: ten thousand items as objects would slow every later sweep of the collector. It is a file of
its own rather than a row, so that no answer waits for the rows of an ingestion that is being written.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path


class UploadBodies:
    """Bodies by ingestion id; `folder` is made when the first comes."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._bodies: dict[str, bytes] = {}

    def keep(self, ingestion_id: str, body: bytes) -> None:
        """Keep a body over a kill; blocks."""
        self._bodies[ingestion_id] = body
        if self._folder:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            part = self._folder / f"{ingestion_id}.part"
            part.write_bytes(body)
            part.replace(self._folder / f"{ingestion_id}.json")

    def body(self, ingestion_id: str) -> bytes | None:
        """Return a body; None when there is none. Blocks."""
        body = self._bodies.get(ingestion_id)
        path = self._folder / f"{ingestion_id}.json" if self._folder else None
        return path.read_bytes() if body is None and path and path.is_file() else body

    def sweep(self, wanted: Collection[str]) -> None:
        """Drop what lies in the folder for other ingestions, as a kill leaves it; blocks."""
        for path in self._folder.glob("*") if self._folder else ():
            if path.suffix == ".part" or (path.suffix == ".json" and path.stem not in wanted):
                path.unlink()

    def drop(self, ingestion_id: str) -> None:
        """Forget a body whose work is done; blocks."""
        self._bodies.pop(ingestion_id, None)
        if self._folder:
            (self._folder / f"{ingestion_id}.json").unlink(missing_ok=True)
