"""Servers of this project as processes of their own: the suite starts a command and meets it over HTTP only.

A server starts while other things go on; any process of the suite can wait for its address.
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
        """Wait for its address and return it. Raises HarnessBroke, with the end of its log, if none comes."""
        try:
            return self.announcement.url()
        except DidNotStart as error:
            raise HarnessBroke(str(error)) from error


@contextlib.contextmanager
def served(name: str, command: tuple[str, ...], settings: Mapping[str, str], folder: Path) -> Iterator[Server]:
    """Start a server with these variables, without waiting for it, and end it with the block; its files are there.

    The caller's own settings and AWS credentials stay away from it.
    """
    with launched(name, command, folder, {**environment_without("AWS_", "JWO_"), **settings}) as started:
        yield Server(started.announcement)
