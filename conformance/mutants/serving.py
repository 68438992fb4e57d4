"""Serves a small connector, correct or faulty, from a thread on a free port."""

from __future__ import annotations

import asyncio
import functools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from conformance.errors import HarnessBroke
from conformance.mutants.reverse_order_server import serve_connection
from conformance.mutants.small_connector import SmallConnector
from conformance.mutants.transport_faults import answers_in_reverse_order
from jwo_toolkit import announcing_server
from jwo_toolkit.no_upgrade import NoUpgradeProtocol


@contextmanager
def served(connector: SmallConnector) -> Iterator[str]:
    """Serve from a thread during the block, and yield the address."""
    listener = announcing_server.listen("127.0.0.1", 0)
    serving = _in_reverse_order if isinstance(connector, answers_in_reverse_order) else _ordinary
    with serving(connector, listener):
        yield announcing_server.address(listener)
    listener.close()


@contextmanager
def _ordinary(app: SmallConnector, listener: socket.socket) -> Iterator[None]:
    config = uvicorn.Config(app, http=NoUpgradeProtocol, log_level="critical", lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > deadline:
            raise HarnessBroke("a connector of the gallery did not start within 10 s")
        time.sleep(0.002)
    try:
        yield
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)


@contextmanager
def _in_reverse_order(app: SmallConnector, listener: socket.socket) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    accept = asyncio.start_server(functools.partial(serve_connection, app), sock=listener)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(accept, loop).result(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
