"""What every room's tests share: real servers on real sockets, on ports that the system picks."""

from __future__ import annotations

import gc
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from jwo_toolkit.no_upgrade import NoUpgradeProtocol

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

Serve = Callable[[Any], str]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell that starts the tests in the background ignores Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that hold slow tests first, so that no worker begins one when the others are nearly done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """Keep the garbage collector from walking over thousands of collected tests, again after each pytest session."""
    gc.collect()
    gc.freeze()


@contextmanager
def served(app: Any, port: int = 0) -> Iterator[str]:
    """Serve an ASGI app in a thread, on a free port or a given one; yields its address."""
    listener = socket.create_server(("127.0.0.1", port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio leaves it off on sockets made elsewhere
    server = uvicorn.Server(uvicorn.Config(app, http=NoUpgradeProtocol, ws="none", log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise RuntimeError("the test server did not start")
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve an ASGI app (or one made from its own address) until the test ends, and return its address."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(served(app))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Start Playwright, of which a process can have only one at a time."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only the tests in Chromium need it

    with sync_playwright() as started:
        yield started
