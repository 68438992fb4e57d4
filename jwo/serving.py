"""Serves an ASGI app on this machine. It binds the port first, so that the app can know its address."""

from __future__ import annotations

import os
from collections.abc import Callable

import uvicorn

from jwo.errors import Usage
from jwo_toolkit.announcing_server import AsgiApp, address, listen, run

__all__ = ["AsgiApp", "cannot_bind", "serve"]


def serve(make_app: Callable[[str], AsgiApp], port: int = 0, *, stop_within_s: int = 5) -> None:
    """Serve on 127.0.0.1 until a signal stops the process; `port` 0 takes a free one. Raises Usage if it is taken.

    `make_app` gets the app's address, since the platform returns links to itself.
    """
    try:
        listener = listen("127.0.0.1", port)
    except OSError as error:
        raise cannot_bind(port, error) from error
    with listener:
        config = uvicorn.Config(
            make_app(address(listener)),
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=stop_within_s,
            server_header=False,
        )
        run(config, listener)


def cannot_bind(port: int, error: OSError) -> Usage:
    """Return the error for a port that is taken, or forbidden to this user."""
    reason = os.strerror(error.errno) if error.errno else error
    return Usage(f"cannot use port {port}: {reason}; omit --port to take a free port")
