"""A served app announces its address when it can answer, and its start-up error reaches the caller."""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path

import pytest

from jwo_toolkit.launcher import DidNotStart, launched

SERVER = """
import sys, uvicorn
from jwo_toolkit.announcing_server import listen, run
class TillBroken(Exception): pass
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
        return
    await receive()
    if "broken" in sys.argv:
        await send({"type": "lifespan.startup.failed"})
        raise TillBroken("the till does not open")
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
listener = listen("127.0.0.1", 0)
try:
    run(uvicorn.Config(app, log_level="critical"), listener)
except TillBroken as error:
    print("caught:", error, file=sys.stderr)
"""


def test_announced_address_answers(tmp_path: Path) -> None:
    with launched("app", (sys.executable, "-c", SERVER), tmp_path) as server:
        answer = urllib.request.urlopen(server.url())  # noqa: S310 - an address of this machine
        with answer:
            assert answer.read() == b"ok"
    assert server.process.returncode == -15


def test_start_up_error_is_raised_and_no_address_announced(tmp_path: Path) -> None:
    command = (sys.executable, "-c", SERVER, "broken")
    with launched("app", command, tmp_path) as server, pytest.raises(DidNotStart, match="caught: the till does not"):
        server.url()
