"""`python -m reference_connector`: serves the connector, in several worker processes where wanted.

It binds first, prints the address, then serves, so that port 0 works. Settings are the variables JWO_CONNECTOR_* and
JWO_DATABASE_URL; wrong ones end it with exit 2 before it binds.
"""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import tempfile

import uvicorn
from uvicorn.supervisors import Multiprocess

from contract.errors import BadSettings
from contract.settings import read
from reference_connector.fast_lane import FastLane
from reference_connector.settings import ConnectorSettings

_BACKLOG = 2048


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m reference_connector", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--stop-within", type=int, default=10, metavar="SECONDS", help="for requests in hand")
    given = parser.parse_args()
    try:
        read(ConnectorSettings)
    except BadSettings as error:
        parser.error(str(error))
    listener = socket.create_server((given.host, given.port), backlog=_BACKLOG)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio leaves it off here
    config = uvicorn.Config(
        "reference_connector.app:from_environment",
        factory=True,
        http=FastLane,
        workers=given.workers,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=given.stop_within,
    )
    print(f"listening on http://{given.host}:{listener.getsockname()[1]}", flush=True)  # noqa: T201 - this command's output
    if given.workers == 1:
        uvicorn.Server(config).run(sockets=[listener])
        return
    with tempfile.TemporaryDirectory(prefix="jwo-metrics-") as shared:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", shared)
        os.environ.setdefault("JWO_CONNECTOR_SIGN_IN__KEY", secrets.token_hex())  # a session is good at every worker
        Multiprocess(config, sockets=[listener]).run()


if __name__ == "__main__":
    main()
