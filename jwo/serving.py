"""Serves an ASGI app: binds first, prints the address, then serves, so that port 0 works and nobody has to guess.

An app is made from its own address, since the platform hands out links to itself.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from jwo.errors import Usage

READY = "listening on "

AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


def serve(make_app: Callable[[str], AsgiApp], port: int = 0, *, stop_within_s: int = 5) -> None:
    """Serve on 127.0.0.1 until the process is told to stop; `port` 0 takes a free one."""
    try:
        listener = socket.create_server(("127.0.0.1", port), backlog=2048)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio leaves it off here
    except OSError as error:
        raise cannot_bind(port, error) from error
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = _Watched(make_app(url))
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=stop_within_s, server_header=False
    )
    try:
        _Announcing(config, url).run(sockets=[listener])
    except SystemExit:
        if app.failure is None:
            raise
    if app.failure:
        raise app.failure


def cannot_bind(port: int, error: OSError) -> Usage:
    """Say that a port is taken, or not ours to take."""
    return Usage(f"port {port} cannot be bound: {error.strerror}; leave --port out to take a free one")


class _Announcing(uvicorn.Server):
    """A server that prints its address once it is able to answer."""

    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            print(f"{READY}{self._url}", flush=True)  # noqa: T201 - the address is this command's output


class _Watched:
    """Passes everything on to an app and keeps the error with which its start failed."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self.failure: Exception | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - as ASGI has it
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if scope["type"] == "lifespan":
                self.failure = error
            raise
