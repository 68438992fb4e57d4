"""Serves the connector, in one process or several workers, for `python -m reference_connector` and `jwo`.

It checks the settings, the retailer files and the store first, then binds the port, and prints the address last, so
that port 0 works.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from contract.settings import read
from jwo_toolkit.announcement import announce
from jwo_toolkit.announcing_server import address, listen, run
from jwo_toolkit.lifeline import end_with_parent_process
from reference_connector.app import (
    METRICS_VARIABLE,
    check_start,
    create_app,
    from_environment,
    http_protocol,
    open_store_once,
)
from reference_connector.settings import ConnectorSettings

_APP = "reference_connector.serving:worker"
_KEY_VARIABLE = "JWO_CONNECTOR_SIGN_IN__KEY"


def serve(host: str, port: int, *, workers: int = 1, stop_within_s: int = 10) -> None:
    """Serve until a signal stops the process; open requests then have `stop_within_s` seconds. `port` 0 is a free port.

    Raises BadSettings or ConnectorError if the connector cannot start, and OSError if the port is not free.
    """
    settings = read(ConnectorSettings)
    check_start(settings)
    app = from_environment() if workers == 1 else create_app(settings)  # a worker would fail again and again
    open_store_once(settings)
    with listen(host, port) as listener:
        if workers == 1:
            run(_config(app, settings, stop_within_s), listener)
        else:
            del app
            _serve_in_workers(listener, settings, workers, stop_within_s)


def worker() -> FastAPI:
    """Make the connector in a worker, which ends if the process that started it ends."""
    end_with_parent_process()
    return from_environment()


def _serve_in_workers(listener: socket.socket, settings: ConnectorSettings, workers: int, stop_within_s: int) -> None:
    with tempfile.TemporaryDirectory(prefix="jwo-metrics-") as shared:
        os.environ.setdefault(METRICS_VARIABLE, shared)
        if not settings.sign_in.key.get_secret_value():
            _share_session_key()
        config = _config(_APP, settings, stop_within_s, factory=True, workers=workers)
        announce(address(listener))
        Multiprocess(config, sockets=[listener]).run()


def _share_session_key() -> None:
    """Make one key for all workers, so that each accepts a session of another. Remove an empty one, in any spelling."""
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
