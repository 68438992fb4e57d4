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
        raise Usage(f"port {port} cannot be bound: {error.strerror}; leave --port out to take a free one") from error
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = make_app(url)
    print(f"{READY}{url}", flush=True)  # noqa: T201 - the address is this command's output
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=stop_within_s, server_header=False
    )
    uvicorn.Server(config).run(sockets=[listener])
