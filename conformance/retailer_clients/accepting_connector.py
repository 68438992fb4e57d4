"""A connector that accepts every cart, so that a platform has orders for its files."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Accepting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Accept a cart; an empty cart makes no purchase."""
        cart = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        purchase = purchase_id(cart["idempotentShoppingTripId"]) if cart["cartItems"] else ""
        body = json.dumps({"purchaseId": purchase}).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Write no log."""


def purchase_id(trip_id: str) -> str:
    """Return the purchase of a trip."""
    return f"purchase-{trip_id}"


@contextmanager
def accepting_connector() -> Iterator[str]:
    """Run the connector until the end of the block, and yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Accepting)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
