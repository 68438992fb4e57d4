"""Checks at the start that the accelerated protocol was tested with this version of uvicorn.

`http_protocol` uses internals of uvicorn that another version may change. This module lists each name and looks it up,
since a missing one would make every call fail.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Iterator
from typing import Any

import httptools
import uvicorn
from uvicorn.config import Config
from uvicorn.protocols.http import flow_control, httptools_impl
from uvicorn.server import ServerState

from jwo_contract.errors import BadSettings

TESTED, FIRST_UNTESTED = (0, 54), (0, 55)
_FIX = "install the version in constraints.txt, or set JWO_CONNECTOR_ACCELERATED=false"

MODULE = ("HttpToolsProtocol", "RequestResponseCycle", "STATUS_LINE")
"""Names of uvicorn's module `httptools_impl`."""
METHODS = (
    "connection_lost",
    "connection_made",
    "data_received",
    "on_body",
    "on_header",
    "on_headers_complete",
    "on_message_begin",
    "on_message_complete",
    "on_response_complete",
    "on_url",
    "shutdown",
    "timeout_keep_alive_handler",
    "_unset_keepalive_if_required",
)
"""Methods of uvicorn's protocol that we override or call, or that call those that we override."""
PROTOCOL = (
    "app",
    "cycle",
    "expect_100_continue",
    "flow",
    "headers",
    "limit_concurrency",
    "loop",
    "parser",
    "pipeline",
    "root_path",
    "server",
    "server_state",
    "tasks",
    "timeout_keep_alive",
    "timeout_keep_alive_task",
    "transport",
)
"""Attributes of uvicorn's protocol, which its constructor sets."""
FLOW = ("write_paused",)
STATE = ("default_headers", "total_requests")
PARSER = ("get_http_version", "get_method", "should_keep_alive", "should_upgrade")
CYCLE = ("disconnected", "keep_alive", "message_event", "response_complete")
"""Attributes of the current request that uvicorn's protocol reads and sets."""


def check_uvicorn() -> None:
    """Raise BadSettings if this uvicorn is not a tested version, or lacks a name that we use."""
    found = tuple(int(number) for number in re.findall(r"\d+", uvicorn.__version__)[:2])
    if not TESTED <= found < FIRST_UNTESTED:
        tested = ".".join(map(str, TESTED))
        raise BadSettings(
            f"JWO_CONNECTOR_ACCELERATED: the accelerated path was tested with uvicorn {tested}, this is uvicorn"
            f" {uvicorn.__version__}; {_FIX}"
        )
    missing = list(_missing())
    if missing:
        raise BadSettings(
            f"JWO_CONNECTOR_ACCELERATED: this uvicorn {uvicorn.__version__} lacks {', '.join(missing)}, which the"
            f" accelerated path uses; {_FIX}"
        )


def _missing() -> Iterator[str]:
    """Yield the missing names. Those of the module come first, as the other checks need its classes."""
    missing = [f"httptools_impl.{name}" for name in MODULE if not hasattr(httptools_impl, name)]
    if missing:
        yield from missing
        return
    own = vars(httptools_impl.HttpToolsProtocol)  # asyncio's base class has some of the names too, but does nothing
    yield from (f"HttpToolsProtocol.{name}" for name in METHODS if name not in own)
    for where, made, names in _probes():
        yield from (f"{where}.{name}" for name in names if not hasattr(made, name))


def _probes() -> list[tuple[str, Any, tuple[str, ...]]]:
    """Make one object of each class, without a connection, to look at its attributes."""
    state, loop = ServerState(), asyncio.new_event_loop()
    try:
        protocol = httptools_impl.HttpToolsProtocol(
            Config(_no_app, log_config=None, lifespan="off", workers=1), state, {}, loop
        )
        cycle_type: Any = httptools_impl.RequestResponseCycle  # its arguments do not matter here
        cycle = cycle_type(**dict.fromkeys(_arguments()))
    finally:
        loop.close()
    return [
        ("HttpToolsProtocol", protocol, PROTOCOL),
        ("FlowControl", flow_control.FlowControl(asyncio.Transport()), FLOW),
        ("ServerState", state, STATE),
        ("HttpRequestParser", httptools.HttpRequestParser(protocol), PARSER),
        ("RequestResponseCycle", cycle, CYCLE),
    ]


def _arguments() -> list[str]:
    return list(inspect.signature(httptools_impl.RequestResponseCycle).parameters)


async def _no_app(_scope: Any, _receive: Any, _send: Any) -> None:  # noqa: ANN401 - an ASGI app's arguments
    """Serve as an app that is never called."""
