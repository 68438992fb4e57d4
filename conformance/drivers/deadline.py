"""One deadline for a whole call: at the deadline the connection is closed, even while bytes still arrive.

The time-outs of an HTTP library apply to single reads, so a server that sends one header a second could hold a caller
for ever.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Any, Self

_CONNECTED = {"connection.connect_tcp.complete", "connection.start_tls.complete"}


class Deadline:
    """Closes the connection of a call at the deadline; `passed` is True after that.

    httpx needs the method `trace` as the request extension of that name.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Remember the connection that the call uses."""
        if event in _CONNECTED:
            self._socket = info["return_value"].get_extra_info("socket")
            if self.passed:
                self._cut()

    def _cut(self) -> None:
        self.passed = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
