"""`python -m reference_connector`: serves the connector, in one process or several workers.

The settings are the variables JWO_CONNECTOR_* and JWO_DATABASE_URL. A wrong setting or file ends it with exit code 2
before it opens a port.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from jwo_contract.errors import BadSettings
from jwo_toolkit.lifeline import end_with_starter
from reference_connector.errors import ConnectorError
from reference_connector.serving import serve


def main() -> None:
    """Serve until a signal stops the process."""
    end_with_starter()
    parser = argparse.ArgumentParser(prog="python -m reference_connector", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; default 127.0.0.1")
    parser.add_argument("--port", type=_number(0, 65_535), default=0, help="default 0, a free port")
    parser.add_argument("--workers", type=_number(1, 1000), default=1, help="processes that serve; default 1")
    parser.add_argument(
        "--stop-within",
        type=_number(0, 86_400),
        default=10,
        metavar="SECONDS",
        help="time for open requests at the end; default 10",
    )
    parser.add_argument(
        "--allow-unauthenticated",
        action="store_true",
        help="allow a --host that is not a loopback address, without authentication; default off",
    )
    given = parser.parse_args()
    try:
        serve(
            given.host,
            given.port,
            workers=given.workers,
            stop_within_s=given.stop_within,
            allow_unauthenticated=given.allow_unauthenticated,
        )
    except (BadSettings, ConnectorError) as error:
        hint = getattr(error, "hint", "")
        parser.error(f"{error}; {hint}" if hint and hint not in str(error) else str(error))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        parser.error(f"cannot listen on {given.host}:{given.port}: {reason}; name another --host or --port")


def _number(least: int, most: int) -> Callable[[str], int]:
    """Make a reader of an option's whole number."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return read


if __name__ == "__main__":
    main()
