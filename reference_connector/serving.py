"""Serves the connector, in several worker processes where wanted: what `python -m reference_connector` and `jwo` run.

Settings are read and the port is bound first; the address is printed last, so that port 0 works.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from contract.settings import read
from reference_connector.app import from_environment, http_protocol
from reference_connector.settings import ConnectorSettings

_APP = "reference_connector.app:from_environment"
_BACKLOG = 2048
_KEY_VARIABLE = "JWO_CONNECTOR_SIGN_IN__KEY"


def serve(host: str, port: int, *, workers: int = 1, stop_within_s: int = 10) -> None:
    """Serve until a signal, then give open requests `stop_within_s`; `port` 0 takes a free one.

    Raises BadSettings, OSError if the port cannot be bound, and ConnectorError if a single worker cannot start.
    """
    settings = read(ConnectorSettings)
    listener = socket.create_server((host, port), backlog=_BACKLOG)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio leaves it off here
    with listener:
        if workers == 1:
            _serve_here(listener, settings, stop_within_s)
        else:
            _serve_in_workers(listener, settings, workers, stop_within_s)


def _serve_here(listener: socket.socket, settings: ConnectorSettings, stop_within_s: int) -> None:
    app = from_environment()
    start = _Start(app)
    server = _Announcing(_config(app, settings, stop_within_s), listener)
    try:
        server.run(sockets=[listener])
    except SystemExit:
        if start.failure is None:
            raise
    if start.failure is not None:
        raise start.failure


def _serve_in_workers(listener: socket.socket, settings: ConnectorSettings, workers: int, stop_within_s: int) -> None:
    with tempfile.TemporaryDirectory(prefix="jwo-metrics-") as shared:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", shared)
        if not settings.sign_in.key.get_secret_value():
            _share_session_key()
        config = _config(_APP, settings, stop_within_s, factory=True, workers=workers)
        _announce(listener)
        Multiprocess(config, sockets=[listener]).run()


def _share_session_key() -> None:
    """Make a key for the workers, so that a session is good at each; an empty one, however it is spelt, goes."""
    for name in [name for name in os.environ if name.upper() == _KEY_VARIABLE]:
        del os.environ[name]
    os.environ[_KEY_VARIABLE] = secrets.token_hex()


def _config(
    app: FastAPI | str,
    settings: ConnectorSettings,
    stop_within_s: int,
    **more: Any,  # noqa: ANN401 - uvicorn's own options
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=http_protocol(settings),
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=stop_within_s,
        **more,
    )


class _Announcing(uvicorn.Server):
    """A server that prints its address once it is able to answer."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket) -> None:
        super().__init__(config)
        self._listener = listener

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            _announce(self._listener)


def _announce(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    print(f"listening on http://{host}:{port}", flush=True)  # noqa: T201 - this command's output


class _Start:
    """Keeps the error with which an app fails to start: uvicorn logs it, and its caller learns nothing of it."""

    def __init__(self, app: FastAPI) -> None:
        self.failure: Exception | None = None
        self._starts = app.router.lifespan_context
        app.router.lifespan_context = self._watched

    @asynccontextmanager
    async def _watched(self, app: FastAPI) -> AsyncIterator[Any]:
        try:
            async with self._starts(app) as state:
                yield state
        except Exception as error:
            self.failure = error
            raise
