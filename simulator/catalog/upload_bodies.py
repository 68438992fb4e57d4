"""The bodies of accepted uploads and archive calls until they are processed, in memory or in files.

A body is stored unparsed: ten thousand items as objects would slow every later garbage collection. Each body is a file
and not a database row, so that no answer waits while an ingestion writes its rows.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from simulator.errors import StorageFailed


class UploadBodies:
    """Bodies by ingestion id, also in files if `folder` is given; the first body creates the folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._bodies: dict[str, bytes] = {}

    def keep(self, ingestion_id: str, body: bytes) -> None:
        """Store a body, so that it survives a kill of the platform; blocks. Raises StorageFailed if the disk fails."""
        if self._folder:
            part = self._folder / f"{ingestion_id}.part"
            try:
                self._folder.mkdir(mode=0o700, exist_ok=True)
                part.write_bytes(body)
                part.replace(self._folder / f"{ingestion_id}.json")
            except OSError as error:
                with suppress(OSError):
                    part.unlink(missing_ok=True)
                raise StorageFailed(f"an upload could not be stored in {self._folder}: {error.strerror}") from error
        self._bodies[ingestion_id] = body

    def body(self, ingestion_id: str) -> bytes | None:
        """Return a body, or None if there is no such body; blocks."""
        body = self._bodies.get(ingestion_id)
        path = self._folder / f"{ingestion_id}.json" if self._folder else None
        return path.read_bytes() if body is None and path and path.is_file() else body

    def sweep(self, wanted: Collection[str]) -> None:
        """Delete the files of other ingestions and incomplete files, which a kill may leave; blocks."""
        for path in self._folder.glob("*") if self._folder else ():
            if path.suffix == ".part" or (path.suffix == ".json" and path.stem not in wanted):
                path.unlink()

    def drop(self, ingestion_id: str) -> None:
        """Delete a processed body; blocks."""
        self._bodies.pop(ingestion_id, None)
        if self._folder:
            (self._folder / f"{ingestion_id}.json").unlink(missing_ok=True)
