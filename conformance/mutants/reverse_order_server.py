"""A server that answers the pipelined requests of a connection in reverse order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from conformance.mutants.http_app import Message, Receive, Scope, Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]

_SILENCE_S = 0.15
"""After this time without a byte, the server expects no further pipelined request."""
_REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 405: "Method Not Allowed"}


async def serve_connection(app: App, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read all pipelined requests, and answer the last one first."""
    requests = []
    try:
        while True:
            requests.append(await asyncio.wait_for(_request(reader), _SILENCE_S))
    except (TimeoutError, asyncio.IncompleteReadError):
        pass
    for method, path, body in reversed(requests):
        writer.write(await _answer(app, method, path, body))
    writer.close()


async def _request(reader: asyncio.StreamReader) -> tuple[str, str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    lines = head.split("\r\n")
    lengths = [int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")]
    method, path = lines[0].split()[:2]
    return method, path, await reader.readexactly(lengths[0] if lengths else 0)


async def _answer(app: App, method: str, path: str, body: bytes) -> bytes:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": "http", "path": path, "method": method, "headers": []}, receive, send)
    status, content = int(sent[0]["status"]), bytes(sent[1]["body"])
    head = f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
