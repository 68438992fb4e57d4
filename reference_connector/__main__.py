"""`python -m reference_connector`: serves the connector, in one process or several workers.

The settings are the variables JWO_CONNECTOR_* and JWO_DATABASE_URL. A wrong setting or file ends it with exit code 2.
"""

from __future__ import annotations

import argparse

from contract.errors import BadSettings
from reference_connector.errors import ConnectorError
from reference_connector.serving import serve

_LAST_PORT = 65_535


def main() -> None:
    """Serve until a signal stops the process."""
    parser = argparse.ArgumentParser(prog="python -m reference_connector", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; default 127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="default 0, a free port")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--stop-within", type=int, default=10, metavar="SECONDS", help="time for open requests at the end; default 10"
    )
    parser.add_argument(
        "--allow-unauthenticated",
        action="store_true",
        help="allow a --host that is not a loopback address, without authentication; default off",
    )
    given = parser.parse_args()
    if not 0 <= given.port <= _LAST_PORT:
        parser.error(f"--port: {given.port} is not a port; name one from 0 to {_LAST_PORT}")
    try:
        serve(
            given.host,
            given.port,
            workers=given.workers,
            stop_within_s=given.stop_within,
            allow_unauthenticated=given.allow_unauthenticated,
        )
    except (BadSettings, ConnectorError) as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"cannot listen on {given.host} port {given.port}: {error}")


if __name__ == "__main__":
    main()
