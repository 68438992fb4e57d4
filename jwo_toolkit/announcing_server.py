"""Serves an ASGI app with uvicorn on a socket that is already bound, and announces the address once it can answer."""

from __future__ import annotations

import copy
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from jwo_toolkit.announcement import announce

_SILENT = logging.Logger("lifespan")  # noqa: LOG001 - one that no configuration reaches
_SILENT.addHandler(logging.NullHandler())
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


def listen(host: str, port: int, *, backlog: int = 2048) -> socket.socket:
    """Bind a port for a server that sends small answers at once; 0 takes a free port. Raises OSError if that fails."""
    listener = socket.create_server((host, port), backlog=backlog)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it only on sockets that it creates
    return listener


def address(listener: socket.socket) -> str:
    """Return the URL of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def run(config: uvicorn.Config, listener: socket.socket) -> None:
    """Serve until the process receives a signal to stop. Raises the app's own error if it fails to start or to stop."""
    server = _AnnouncingServer(config, address(listener))
    try:
        server.run(sockets=[listener])
    except SystemExit:
        if server.failure is None:
            raise
    if server.failure is not None:
        raise server.failure


class _AnnouncingServer(uvicorn.Server):
    """A server that prints its address once it can answer, and stores the error of the app's start or stop."""

    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url
        self._lifespan_app: _FailureRecorder | None = None

    @property
    def failure(self) -> Exception | None:
        """The app's error, which uvicorn only logs."""
        return self._lifespan_app.failure if self._lifespan_app else None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start with a lifespan that stores the app's error; requests reach the app directly."""
        self._lifespan_app = _FailureRecorder(self.config.loaded_app)
        config = copy.copy(self.config)
        config.loaded_app = self._lifespan_app
        self.lifespan = config.lifespan_class(config)
        self.lifespan.logger = _SILENT  # it would log a traceback of the error that `run` raises
        await super().startup(sockets)
        if self.started:
            announce(self._url)


class _FailureRecorder:
    """Passes every call to an app, and stores the error that the app raises."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self.failure: Exception | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's signature
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            self.failure = error
            raise
