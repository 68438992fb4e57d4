"""Checks at start that this uvicorn is one whose internals the accelerated protocol was tested with.

`http_protocol` overrides, calls and reads what uvicorn does not promise to keep. Each of these names is listed here and
looked for, since one that is missing would else fail every call.
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

from contract.errors import BadSettings

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
"""Methods of uvicorn's protocol that are overridden or called, or that call the overridden ones."""
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
    "server_state",
    "tasks",
    "timeout_keep_alive",
    "timeout_keep_alive_task",
    "transport",
)
"""Attributes of uvicorn's protocol, each there from its construction on."""
FLOW = ("write_paused",)
STATE = ("default_headers", "total_requests")
PARSER = ("get_http_version", "get_method", "should_keep_alive", "should_upgrade")
CYCLE = ("disconnected", "keep_alive", "message_event", "response_complete")
"""What uvicorn's protocol reads of the current request, and sets."""


def check_uvicorn() -> None:
    """Raise BadSettings, with what to do, if uvicorn is not of the tested versions or lacks a name that is used."""
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
    """Name what is missing: of the module and the class first, as the rest cannot be made without them."""
    missing = [f"httptools_impl.{name}" for name in MODULE if not hasattr(httptools_impl, name)]
    if missing:
        yield from missing
        return
    own = vars(httptools_impl.HttpToolsProtocol)  # asyncio's base class has some of the names, and does nothing there
    yield from (f"HttpToolsProtocol.{name}" for name in METHODS if name not in own)
    for where, made, names in _probes():
        yield from (f"{where}.{name}" for name in names if not hasattr(made, name))


def _probes() -> list[tuple[str, Any, tuple[str, ...]]]:
    """Make one of each object whose attributes are used, without a connection."""
    state, loop = ServerState(), asyncio.new_event_loop()
    try:
        protocol = httptools_impl.HttpToolsProtocol(Config(_no_app, log_config=None, lifespan="off"), state, {}, loop)
        cycle_type: Any = httptools_impl.RequestResponseCycle  # what it is made of does not matter here
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
    """Stand in for an app: it is never called."""
