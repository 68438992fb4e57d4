"""uvicorn's HTTP protocol without upgrades: a request that asks for another protocol is served as any other.

A server may ignore `Upgrade` (RFC 9110, section 7.8). httptools stops parsing at such a request and leaves its body
unread, and Java's HttpClient and `curl --http2` ask for h2c in each first request.
"""

from __future__ import annotations

from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class NoUpgradeProtocol(HttpToolsProtocol):
    """One connection; give the class to uvicorn as its `http`.

    `has_stopped` says that the parser has stopped at the present request. `ignored` has the headers that this request
    lost before it was parsed again.
    """

    has_stopped = False
    ignored: tuple[tuple[bytes, bytes], ...] = ()

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - of any version of uvicorn
        super().__init__(*given, **named)
        self.parser = _Parser(self)

    def stops_here(self) -> bool:
        """Return whether the parser stops at this request; if it does not, give the request its headers back."""
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":  # CONNECT has no body
            self.has_stopped = True
        elif self.ignored:
            self.headers += self.ignored  # a signature may cover them
            self.ignored = ()
        return self.has_stopped

    def on_headers_complete(self) -> None:
        """Start the request, unless it will be parsed again."""
        if not self.stops_here():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the request, unless it will be parsed again."""
        if not self.has_stopped:
            super().on_message_complete()


class _Parser(httptools.HttpRequestParser):
    """A parser that parses a request with `Upgrade` again without that header, and then goes on with its body."""

    def __init__(self, protocol: NoUpgradeProtocol) -> None:
        super().__init__(protocol)
        self._protocol = protocol
        if hasattr(self, "set_dangerous_leniencies"):  # as uvicorn sets it
            self.set_dangerous_leniencies(lenient_data_after_close=True)

    def feed_data(self, data: Any) -> None:  # noqa: ANN401 - bytes, or another buffer
        """Parse data. A parser that has stopped at an upgrade cannot go on, so a new one takes its place."""
        parser, protocol = self, self._protocol
        while True:
            try:
                super(_Parser, parser).feed_data(data)
            except httptools.HttpParserUpgrade as stop:
                if not protocol.has_stopped:
                    raise
                data = _head_without_upgrade(protocol, parser) + data[stop.args[0] :]
                protocol.ignored = tuple(header for header in protocol.headers if header[0].lower() == b"upgrade")
                protocol.has_stopped = False
                parser = protocol.parser = _Parser(protocol)
            else:
                return


def _head_without_upgrade(protocol: NoUpgradeProtocol, parser: httptools.HttpRequestParser) -> bytes:
    first = b"%s %s HTTP/%s\r\n" % (parser.get_method(), protocol.url, parser.get_http_version().encode())
    lines = [b"%s: %s\r\n" % header for header in protocol.headers if header[0].lower() != b"upgrade"]
    return b"".join([first, *lines, b"\r\n"])
