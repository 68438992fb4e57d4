"""A small HTTP/1.1 client on asyncio streams. It runs on the server's machine, so it must use little CPU."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import NamedTuple, Self


class Reply(NamedTuple):
    """An answer."""

    status: int
    body: bytes


class Connection:
    """One kept connection to a server on 127.0.0.1. The first request opens it, and the first one after a failure."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drop()

    async def post(self, path: str, body: bytes, headers: bytes = b"") -> Reply:
        """Send a JSON body. Raises OSError or EOFError if the server does not run, or ends."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(
                b"POST %s HTTP/1.1\r\nhost: 127.0.0.1\r\n%scontent-type: application/json\r\n"
                b"content-length: %d\r\n\r\n%s" % (path.encode(), headers, len(body), body)
            )
            return await _reply(reader)
        except (OSError, EOFError, ValueError):
            self.drop()
            raise

    def drop(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


async def _reply(reader: asyncio.StreamReader) -> Reply:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    start = head.lower().index(b"content-length:") + 15
    length = int(head[start : head.index(b"\r\n", start)])
    return Reply(status, await reader.readexactly(length))
