"""Serves the connector, in several worker processes where wanted: what `python -m reference_connector` and `jwo` run.

Settings are read and the port is bound first; the address is printed last, so that port 0 works. The fast lane leans on
the inside of uvicorn: with one that has other insides the connector serves all the same, only slower.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from contract.settings import read
from reference_connector.app import from_environment
from reference_connector.settings import ConnectorSettings

_APP = "reference_connector.app:from_environment"
_BACKLOG = 2048
_KEY_VARIABLE = "JWO_CONNECTOR_SIGN_IN__KEY"


def serve(host: str, port: int, *, workers: int = 1, stop_within_s: int = 10) -> None:
    """Serve until told to stop, then give requests in hand `stop_within_s`; `port` 0 takes a free one.

    BadSettings, OSError when the port cannot be bound, ConnectorError when one worker cannot start.
    """
    settings = read(ConnectorSettings)
    listener = socket.create_server((host, port), backlog=_BACKLOG)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio leaves it off here
    with listener:
        if workers == 1:
            _serve_here(listener, stop_within_s)
        else:
            _serve_in_workers(listener, settings, workers, stop_within_s)


def _serve_here(listener: socket.socket, stop_within_s: int) -> None:
    app, failures = from_environment(), list[Exception]()
    _keep_failure(app, failures)
    try:
        _Announcing(_config(app, stop_within_s), listener).run(sockets=[listener])
    except SystemExit:
        if not failures:
            raise
    if failures:
        raise failures[0]


def _serve_in_workers(listener: socket.socket, settings: ConnectorSettings, workers: int, stop_within_s: int) -> None:
    with tempfile.TemporaryDirectory(prefix="jwo-metrics-") as shared:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", shared)
        if not settings.sign_in.key.get_secret_value():
            _share_session_key()
        _announce(listener)
        Multiprocess(_config(_APP, stop_within_s, factory=True, workers=workers), sockets=[listener]).run()


def _share_session_key() -> None:
    """Make a key for the workers, so that a session is good at each; an empty one, however it is spelt, goes."""
    for name in [name for name in os.environ if name.upper() == _KEY_VARIABLE]:
        del os.environ[name]
    os.environ[_KEY_VARIABLE] = secrets.token_hex()


def _config(app: FastAPI | str, stop_within_s: int, **more: Any) -> uvicorn.Config:  # noqa: ANN401 - uvicorn's own options
    return uvicorn.Config(
        app,
        http=protocol(),
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=stop_within_s,
        **more,
    )


def protocol() -> type[asyncio.Protocol] | Literal["auto"]:
    """Return the fast lane, or uvicorn's own choice where this uvicorn lacks what the fast lane is made of."""
    try:
        from reference_connector.accelerated.http_protocol import AcceleratedProtocol  # noqa: PLC0415 - it may fail
    except ImportError as error:
        logging.getLogger("uvicorn.error").warning("no fast lane, calls will cost more: %s", error)
        return "auto"
    return AcceleratedProtocol


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


def _keep_failure(app: FastAPI, failures: list[Exception]) -> None:
    """Keep the error with which the app fails to start: uvicorn has it logged, and tells its caller nothing."""
    starts = app.router.lifespan_context

    @asynccontextmanager
    async def watched(of: FastAPI) -> AsyncIterator[Any]:
        try:
            async with starts(of) as state:
                yield state
        except Exception as error:
            failures.append(error)
            raise

    app.router.lifespan_context = watched
