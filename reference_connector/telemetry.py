"""The connector's log, which has one JSON object a line, its metrics, and its spans.

The log has ids and outcomes only: it never has identity keys, tokens, secrets or shoppers' data.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from typing import Any, Protocol, TextIO

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

Clock = Callable[[], datetime]
Started = tuple[float, "Span | None"]
"""When a call began, and its span if OpenTelemetry is set up."""
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


system_clock: Clock = partial(datetime.now, UTC)
"""Returns the time in UTC."""


class EventLog:
    """Writes events to a stream, standard error by default.

    Within an event loop, the lines of one turn are written together, as a write costs more than a line.
    """

    def __init__(self, clock: Clock, stream: TextIO | None = None) -> None:
        self._clock = clock
        self._stream = stream
        self._entries: list[dict[str, object]] = []

    def event(self, name: str, **facts: object) -> None:
        """Write one event; a fact with the value None is left out."""
        self._entries.append({"at": self._clock(), "event": name, **facts})
        if len(self._entries) == 1:
            at_the_end_of_the_turn(self.flush)

    def flush(self) -> None:
        """Write the events that still wait."""
        entries, self._entries = self._entries, []
        if entries:
            (self._stream or sys.stderr).write(b"".join(map(_line, entries)).decode())


def at_the_end_of_the_turn(flush: Callable[[], None]) -> None:
    """Call `flush` when the event loop has finished its current turn, or at once if there is no event loop."""
    try:
        asyncio.get_running_loop().call_soon(flush)
    except RuntimeError:
        flush()


def _line(entry: dict[str, object]) -> bytes:
    if None in entry.values():
        entry = {key: value for key, value in entry.items() if value is not None}
    return orjson.dumps(entry, default=str, option=orjson.OPT_APPEND_NEWLINE)


class Span(Protocol):
    """The part of an OpenTelemetry span that the connector uses."""

    def set_attribute(self, key: str, value: Any) -> None:  # noqa: ANN401 - as OpenTelemetry declares it
        """Set an attribute."""

    def end(self) -> None:
        """End the span."""


def span_maker() -> Callable[[str], Span] | None:
    """Return the function that starts OpenTelemetry spans, or None if it is not installed or has no provider."""
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        return None
    from opentelemetry import trace  # noqa: PLC0415 - optional
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above

    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        return None
    return trace.get_tracer("jwo.reference_connector").start_span


class CallWatch:
    """Times and counts the answers to one operation; makes a span of each if OpenTelemetry is set up."""

    def __init__(self, name: str, seconds: Histogram, answers: Counter, new_span: Callable[[str], Span] | None) -> None:
        self._name = name
        self._seconds = seconds
        self._answers = answers
        self._new_span = new_span
        self._counters: dict[tuple[int, str], Counter] = {}

    def start(self) -> Started:
        """Start the timer of one call; give the result to `answered`."""
        return time.perf_counter(), self._new_span(self._name) if self._new_span else None

    def answered(self, started: Started, status: int, code: str) -> None:
        """Count and time one answer."""
        started_at, span = started
        self._note(time.perf_counter() - started_at, status, code)
        if span is not None:
            span.set_attribute("http.response.status_code", status)
            span.set_attribute("jwo.decision", code or "ok")
            span.end()

    def abandoned(self, started: Started) -> None:
        """End the span of a call that gets no answer, because the caller has disconnected."""
        _, span = started
        if span is not None:
            span.end()

    def _note(self, seconds: float, status: int, code: str) -> None:
        self._seconds.observe(seconds)
        self._counter(status, code).inc()

    def _counter(self, status: int, code: str) -> Counter:
        counter = self._counters.get((status, code))
        if counter is None:
            counter = self._counters[status, code] = self._answers.labels(self._name, str(status), code or "ok")
        return counter


class Telemetry:
    """The log and the metrics of one connector; /metrics shows `registry`."""

    def __init__(self, log: EventLog, new_span: Callable[[str], Span] | None = None) -> None:
        self.log = log
        self.registry = CollectorRegistry()
        self._new_span = new_span
        self._seconds = Histogram(
            "jwo_connector_answer_seconds",
            "Time from the request's arrival to its answer; the gate waits 2 s.",
            ["call"],
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._answers = Counter(
            "jwo_connector_answers",
            "Answers by status and outcome code; the code `replayed` counts repeated answers.",
            ["call", "status", "code"],
            registry=self.registry,
        )
        self.outbox_depth = Gauge(
            "jwo_connector_outbox_depth",
            "Charges that are not settled yet.",
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )
        self.payments_stuck = Gauge(
            "jwo_connector_payments_stuck",
            "Charges, pre-authorisations, refunds and payments of debts that an operator must take up again.",
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )
        self.dead_letters = Gauge(
            "jwo_connector_dead_letters",
            "Messages of the feeds that are not readable, kept for an operator.",
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )
        self.store_waiting = Gauge(
            "jwo_connector_store_waiting",
            "Inserts and units of work that wait for the writer.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def call(self, name: str, new_watch: type[CallWatch] = CallWatch) -> CallWatch:
        """Make the watch of one operation."""
        return new_watch(name, self._seconds.labels(name), self._answers, self._new_span)
