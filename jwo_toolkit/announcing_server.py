"""Serves an ASGI app with uvicorn on a socket that is already bound, and announces the address once it can answer."""

from __future__ import annotations

import copy
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from jwo_toolkit.announcement import announce

AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


def listen(host: str, port: int, *, backlog: int = 2048) -> socket.socket:
    """Bind a port, 0 for a free one, for a server that sends its answers at once. Raises OSError if that fails."""
    listener = socket.create_server((host, port), backlog=backlog)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio leaves it off on sockets made elsewhere
    return listener


def address(listener: socket.socket) -> str:
    """Return the URL of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def run(config: uvicorn.Config, listener: socket.socket) -> None:
    """Serve until the process is asked to stop. Raises the error with which the app fails to start or to stop."""
    server = _AnnouncingServer(config, address(listener))
    try:
        server.run(sockets=[listener])
    except SystemExit:
        if server.failure is None:
            raise
    if server.failure is not None:
        raise server.failure


class _AnnouncingServer(uvicorn.Server):
    """A server that prints its address once it can answer, and keeps the error of the app's start or stop."""

    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url
        self._lifespan_app: _KeepsFailure | None = None

    @property
    def failure(self) -> Exception | None:
        """The error, which uvicorn logs and does not raise."""
        return self._lifespan_app.failure if self._lifespan_app else None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start with a lifespan that keeps the app's error; requests reach the app itself."""
        self._lifespan_app = _KeepsFailure(self.config.loaded_app)
        config = copy.copy(self.config)
        config.loaded_app = self._lifespan_app
        self.lifespan = config.lifespan_class(config)
        await super().startup(sockets)
        if self.started:
            announce(self._url)


class _KeepsFailure:
    """Passes everything on to an app, and keeps an error that it raises."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self.failure: Exception | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - as ASGI has it
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            self.failure = error
            raise
