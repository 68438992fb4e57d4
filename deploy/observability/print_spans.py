"""Prints the spans that a connector sends by OTLP over HTTP, one JSON object a line. It needs the extra `tracing`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PORT = 4318


def spans(body: bytes) -> Iterator[dict[str, Any]]:
    """Yield the spans of a request: name, seconds, and attributes."""
    request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        service = next(each.value.string_value for each in resource.resource.attributes if each.key == "service.name")
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            attributes = {each.key: each.value.string_value or each.value.int_value for each in span.attributes}
            seconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
            yield {"service": service, "name": span.name, "seconds": round(seconds, 6), **attributes}


class Receiver(BaseHTTPRequestHandler):
    """Answers each export, and prints its spans."""

    def do_POST(self) -> None:
        """Answer an export."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for span in spans(decompress(body) if self.headers["Content-Encoding"] == "gzip" else body):
            print(json.dumps(span), flush=True)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing, as the spans are the output."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else PORT), Receiver).serve_forever()
