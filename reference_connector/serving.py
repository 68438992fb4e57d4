"""Serves the connector, in one process or several workers, for `python -m reference_connector` and `jwo`.

It checks the settings, the retailer files and the store first, then binds the ports, and prints the addresses last, so
that port 0 works. The connector's listener and the admin listener belong to the same workers, which tell them apart by
the port of a connection.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from jwo_contract.errors import BadSettings
from jwo_contract.hosts import address_to_bind
from jwo_contract.settings import read
from jwo_toolkit.announcement import announce
from jwo_toolkit.announcing_server import address, listen, run
from jwo_toolkit.lifeline import end_with_parent_process
from reference_connector.app import (
    create_app,
    create_tuned_app,
    http_protocol,
    open_store_once,
)
from reference_connector.settings import ConnectorSettings
from reference_connector.start_checks import METRICS_VARIABLE, check_start

_APP = "reference_connector.serving:create_worker"
_KEY_VARIABLE = "JWO_CONNECTOR_SIGN_IN__KEY"
_ADMIN_PORT_VARIABLE = "JWO_CONNECTOR_ADMIN__PORT"
_HOW_TO_ALLOW = "JWO_CONNECTOR_ALLOW_UNAUTHENTICATED=true (or --allow-unauthenticated)"


def serve(
    host: str, port: int, *, workers: int = 1, stop_within_s: int = 10, allow_unauthenticated: bool = False
) -> None:
    """Serve until a signal stops the process; open requests then have `stop_within_s` seconds. `port` 0 is a free port.

    Raises BadSettings or ConnectorError if the connector cannot start, and OSError if the port is not free. A host that
    is not a loopback address needs authentication, or `allow_unauthenticated`, which is a setting too.
    """
    settings = read(ConnectorSettings)
    allowed, admin_rules = allow_unauthenticated or settings.allow_unauthenticated, settings.admin
    here = address_to_bind(host, settings.unauthenticated, allowed=allowed, how_to_allow=_HOW_TO_ALLOW)
    operators = (
        address_to_bind(admin_rules.host, admin_rules.unauthenticated, allowed=allowed, how_to_allow=_HOW_TO_ALLOW)
        if admin_rules.has_own_listener
        else ""
    )
    check_start(settings)
    http_protocol(settings)
    make_app = create_tuned_app if workers == 1 else create_app  # a worker would fail again and again
    app = make_app(settings, admin_port=0 if operators else None)
    open_store_once(settings)
    _say_where_files_are(settings)
    with listen(here, port) as listener, _admin_listener(operators, admin_rules.port or 0, listener) as admin:
        if workers == 1:
            if admin:
                app.move_admin(_port(admin))
            run(_config(app, settings, stop_within_s, workers=1), listener, admin)
        else:
            del app
            _serve_in_workers(listener, admin, settings, workers, stop_within_s)


def _say_where_files_are(settings: ConnectorSettings) -> None:
    path = settings.store.path.resolve()
    is_file = not settings.database_url.get_secret_value()
    records = f"{path} (JWO_CONNECTOR_STORE__PATH)" if is_file else "the PostgreSQL database of JWO_DATABASE_URL"
    said = f"records are in {records}, payments in {settings.payment_ledger.resolve()}"
    print(said, file=sys.stderr, flush=True)  # noqa: T201 - for the user


def create_worker() -> FastAPI:
    """Make the connector of one of several workers. The settings have the real port of the admin listener, if any.

    The worker ends if the process that started it ends.
    """
    end_with_parent_process()
    settings = read(ConnectorSettings)
    return create_tuned_app(settings, admin_port=settings.admin.port)


@contextmanager
def _admin_listener(here: str, port: int, public: socket.socket) -> Iterator[socket.socket | None]:
    """Bind the admin listener to an address; there is no such listener if it is empty."""
    if not here:
        yield None
        return
    try:
        listener = listen(here, port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise BadSettings(
            f"{_ADMIN_PORT_VARIABLE}: cannot listen on port {port} of {here}: {reason}; set another port, or 0"
            " for a free one"
        ) from error
    with listener:
        if _port(listener) == _port(public):  # possible on another address
            raise BadSettings(f"{_ADMIN_PORT_VARIABLE}: {port} is the connector's own port; set another one")
        yield listener


def _serve_in_workers(
    listener: socket.socket,
    admin: socket.socket | None,
    settings: ConnectorSettings,
    workers: int,
    stop_within_s: int,
) -> None:
    with tempfile.TemporaryDirectory(prefix="jwo-metrics-") as shared:
        os.environ.setdefault(METRICS_VARIABLE, shared)
        if not settings.sign_in.key.get_secret_value():
            _give_workers(_KEY_VARIABLE, secrets.token_hex())  # each accepts a session of another
        if admin:
            _give_workers(_ADMIN_PORT_VARIABLE, str(_port(admin)))
        config = _config(_APP, settings, stop_within_s, factory=True, workers=workers)
        announce(address(listener), address(admin) if admin else "")
        Multiprocess(config, sockets=[listener, admin] if admin else [listener]).run()


def _give_workers(variable: str, value: str) -> None:
    """Set a variable for all workers. Remove it first, in any spelling."""
    for name in [name for name in os.environ if name.upper() == variable]:
        del os.environ[name]
    os.environ[variable] = value


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


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
