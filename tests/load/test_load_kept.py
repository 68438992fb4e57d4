"""Kept connections that close: a request may cross a close, but a connector must not drop many requests."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator

import pytest

from load.run import run_load
from load.settings import LoadOptions

PURCHASE = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s"


class Dropping(socketserver.StreamRequestHandler):
    """Buys the first cart of each connection, and closes the connection at the second one without an answer."""

    purchases = 0

    def handle(self) -> None:
        if self._read_cart():
            Dropping.purchases += 1
            body = b'{"purchaseId":"p-%d"}' % Dropping.purchases
            self.wfile.write(PURCHASE % (len(body), body))
            self._read_cart()

    def _read_cart(self) -> bool:
        size = 0
        while (line := self.rfile.readline()).strip():
            name, _, value = line.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        return bool(self.rfile.read(size))


@pytest.fixture
def dropping() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dropping) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_connector_that_drops_requests_on_kept_connections_fails(dropping: str) -> None:
    at_once_ms = 2000  # it drops at once, but this machine may be busy
    options = LoadOptions(
        connector=dropping,
        scenario="walk_out_wave",
        rate=40,
        duration_s=1,
        lag_bound_ms=2000,
        crossing_ms=at_once_ms,
    )

    report = run_load(options, lambda _: None)

    assert report.document["counts"]["unanswered"] == 0
    assert report.exit_code == 1, report.document["verdict"]
    reasons = str(report.document["verdict"]["reasons"])
    assert "hit a connection that the connector had closed without `Connection: close`" in reasons
