"""uvicorn's HTTP protocol without upgrades: a request that asks for another protocol is served as any other.

A server may ignore `Upgrade` (RFC 9110, section 7.8). httptools stops parsing at such a request and leaves its body
unread, and Java's HttpClient and `curl --http2` ask for h2c in each first request.
"""

from __future__ import annotations

from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_RawHeaders = list[tuple[bytes, bytes]]


class NoUpgradeProtocol(HttpToolsProtocol):
    """One connection; give the class to uvicorn as its `http`."""

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - of any version of uvicorn
        super().__init__(*given, **named)
        self.parser = _Parser(self)


class _Parser(httptools.HttpRequestParser):
    """A parser that parses a request with `Upgrade` again without that header, and then goes on with its body."""

    def __init__(self, protocol: HttpToolsProtocol, ignored: _RawHeaders | None = None) -> None:
        super().__init__(_Callbacks(protocol, ignored))
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
                if _is_connect(parser):
                    raise
                data = _head_without_upgrade(protocol, parser) + data[stop.args[0] :]
                ignored = [header for header in protocol.headers if header[0].lower() == b"upgrade"]
                parser = protocol.parser = _Parser(protocol, ignored)
            else:
                return


class _Callbacks:
    """Passes the events of a request to its protocol, except those of a request that will be parsed again."""

    def __init__(self, protocol: HttpToolsProtocol, ignored: _RawHeaders | None) -> None:
        self.on_message_begin = protocol.on_message_begin
        self.on_url = protocol.on_url
        self.on_header = protocol.on_header
        self.on_body = protocol.on_body
        self._protocol = protocol
        self._ignored = ignored

    def on_headers_complete(self) -> None:
        protocol = self._protocol
        if protocol.parser.should_upgrade() and not _is_connect(protocol.parser):
            return
        if self._ignored:
            protocol.headers += self._ignored  # a signature may cover them
            self._ignored = None
        protocol.on_headers_complete()

    def on_message_complete(self) -> None:
        protocol = self._protocol
        if not protocol.parser.should_upgrade() or _is_connect(protocol.parser):
            protocol.on_message_complete()


def _is_connect(parser: httptools.HttpRequestParser) -> bool:
    """Return whether the parser stops for another reason: CONNECT, which has no body."""
    return bool(parser.get_method() == b"CONNECT")


def _head_without_upgrade(protocol: HttpToolsProtocol, parser: httptools.HttpRequestParser) -> bytes:
    first = b"%s %s HTTP/%s\r\n" % (parser.get_method(), protocol.url, parser.get_http_version().encode())
    lines = [b"%s: %s\r\n" % header for header in protocol.headers if header[0].lower() != b"upgrade"]
    return b"".join([first, *lines, b"\r\n"])
