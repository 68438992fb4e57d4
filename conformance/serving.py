"""Starts servers of this project as separate processes. The suite talks to them over HTTP only.

A server starts in the background; any process of the suite can wait for its address.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from conformance.errors import HarnessBroke
from jwo_toolkit.launcher import JWO, Announcement, DidNotStart, environment_without, launched

__all__ = ["JWO", "Server", "served"]


class Server(NamedTuple):
    """A server that is starting or running."""

    announcement: Announcement

    def url(self) -> str:
        """Wait for the server's address and return it. Raises HarnessBroke, with the end of the log, without one."""
        try:
            return self.announcement.url()
        except DidNotStart as error:
            raise HarnessBroke(str(error)) from error


@contextlib.contextmanager
def served(name: str, command: tuple[str, ...], settings: Mapping[str, str], folder: Path) -> Iterator[Server]:
    """Start a server without waiting for it, and end it after the block.

    `settings` are its environment variables; `folder` holds its files. The server does not get the caller's own
    settings and AWS credentials.
    """
    with launched(name, command, folder, {**environment_without("AWS_", "JWO_"), **settings}) as started:
        yield Server(started.announcement)
