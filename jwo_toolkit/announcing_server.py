"""Serves an ASGI app with uvicorn on a socket that is already bound, and announces the address once it can answer."""

from __future__ import annotations

import copy
import logging
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import uvicorn

from jwo_toolkit.announcement import announce

_SILENT = logging.Logger("lifespan")  # noqa: LOG001 - one that no configuration reaches
_SILENT.addHandler(logging.NullHandler())
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


def listen(host: str, port: int, *, backlog: int = 2048) -> socket.socket:
    """Bind a port of a numeric address for a server that sends small answers at once; 0 takes a free port.

    Raises OSError if that fails.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=backlog)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it only on sockets that it creates
    return listener


def address(listener: socket.socket) -> str:
    """Return the URL of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(
    config: uvicorn.Config,
    listener: socket.socket,
    admin: socket.socket | None = None,
    *,
    before_stop: Callable[[], None] = lambda: None,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Serve until the process receives a signal to stop. The app also gets the connections of the socket `admin`.

    `before_stop` ends the answers that would not end by themselves, before the server waits for all answers.
    `on_ready` replaces the announcement.
    Raises the app's own error if it fails to start or to stop.
    """
    announcement = partial(announce, address(listener), address(admin) if admin else "")
    server = _AnnouncingServer(config, on_ready or announcement, before_stop)
    try:
        server.run(sockets=[listener, admin] if admin else [listener])
    except SystemExit:
        if server.failure is None:
            raise
    if server.failure is not None:
        raise server.failure


class _AnnouncingServer(uvicorn.Server):
    """A server that says when it can answer, and stores the error of the app's start or stop."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], before_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._before_stop = before_stop
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
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop after the answers that run now, without those that would never end."""
        self._before_stop()
        await super().shutdown(sockets)


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
