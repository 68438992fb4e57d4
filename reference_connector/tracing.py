"""Sends spans by OTLP over HTTP. OpenTelemetry's own variables, such as OTEL_EXPORTER_OTLP_ENDPOINT, say where to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import NamedTuple

from jwo_contract.errors import BadSettings
from reference_connector.telemetry import TRACER, NewSpan, nothing, span_maker

_SERVICE = "jwo-connector"
_CLOSE_WITHIN_S = 2.0


class Tracing(NamedTuple):
    """Starts spans, or makes none; `close` sends those that still wait, for at most 2 s."""

    new_span: NewSpan | None
    close: Callable[[], None]


def set_up(*, traces: bool) -> Tracing:
    """Send spans if the setting is on. Without it, make them for a provider that another program has set up."""
    return send_spans() if traces else Tracing(span_maker(), nothing)


def send_spans() -> Tracing:
    """Set up OpenTelemetry to send spans. OTEL_SERVICE_NAME replaces the name of the service, `jwo-connector`.

    Raises BadSettings if it is not installed, or if one of its variables has a wrong value.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - as above
    except ImportError as error:
        raise BadSettings(
            "JWO_CONNECTOR_TRACES is on, and OpenTelemetry's exporter is not installed; "
            "install it with: pip install 'jwo-conformance-kit[tracing]'"
        ) from error
    resource = Resource.create({"service.name": _SERVICE}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    try:
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    except ValueError as error:
        raise BadSettings(f"a variable OTEL_* has a wrong value: {error}; correct it, or unset it") from error
    new_span = partial(provider.get_tracer(TRACER).start_span, kind=SpanKind.SERVER)
    return Tracing(new_span, partial(_close, provider.shutdown))


def _close(shut_down: Callable[[], None]) -> None:
    """Send the spans that wait. Without a collector this takes long, so the process ends without it."""
    closing = Thread(target=shut_down, daemon=True)
    closing.start()
    closing.join(_CLOSE_WITHIN_S)
