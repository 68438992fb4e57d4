"""Serves an ASGI app on this machine. It binds the port first, so that the app can know its address."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial

import uvicorn

from jwo.errors import Usage
from jwo_toolkit.announcing_server import AsgiApp, address, listen, run
from jwo_toolkit.no_upgrade import NoUpgradeProtocol

__all__ = ["AsgiApp", "cannot_bind", "serve"]


def serve(
    make_app: Callable[[str], AsgiApp],
    port: int = 0,
    *,
    address_here: str = "127.0.0.1",
    stop_within_s: int = 5,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve on a numeric address until a signal stops the process. Raises Usage if the port is taken; 0 is a free one.

    `make_app` gets the app's address, since the platform returns links to itself. `on_ready` gets it once the app can
    answer; without it, the address is printed.
    """
    try:
        listener = listen(address_here, port)
    except OSError as error:
        raise cannot_bind(port, error) from error
    with listener:
        url = address(listener)
        app = make_app(url)
        config = uvicorn.Config(
            app,
            http=NoUpgradeProtocol,
            ws="none",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=stop_within_s,
            server_header=False,
            workers=1,  # else uvicorn reads WEB_CONCURRENCY
        )
        before_stop = getattr(getattr(app, "state", None), "before_stop", lambda: None)
        run(config, listener, before_stop=before_stop, on_ready=partial(on_ready, url) if on_ready else None)


def cannot_bind(port: int, error: OSError) -> Usage:
    """Return the error for a port that is taken, or forbidden to this user, or for an address of another machine."""
    if error.errno == errno.EADDRNOTAVAIL:
        return Usage("--host: this machine does not have that address; name one that it has, such as 127.0.0.1")
    reason = os.strerror(error.errno) if error.errno else error
    return Usage(f"cannot use port {port}: {reason}; omit --port to take a free port")
