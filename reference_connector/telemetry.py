"""The connector's log, which has one JSON object a line, its metrics, and its spans.

The log has ids and outcomes only: it never has identity keys, tokens, secrets or shoppers' data.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple, Protocol, TextIO

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.registry import Collector

from jwo_contract.gate import ANSWER_WITHIN_S
from reference_connector.store import PaymentBacklog

Clock = Callable[[], datetime]
Started = tuple[float, "Span | None"]
"""When a call began, and its span if OpenTelemetry is set up."""
Subject = tuple[str, str] | tuple[()]
"""What a call is about: the name of a span's attribute, and an id of the platform. It is never a shopper's."""
TRIP, AUTH_EVENT, SCAN_EVENT = "jwo.shopping_trip_id", "jwo.auth_event_id", "jwo.scan_event_id"
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, ANSWER_WITHIN_S, 5.0)
_TROUBLES = (
    "books_wait",
    "feed_dead_letter",
    "feed_message_failed",
    "feed_waits",
    "outbox_waits",
    "provider_failed",
    "retailer_files_held_back",
    "retailer_files_wrong",
    "watch_waits",
)
"""The events of the log that an operator must look at."""
_BACKLOG = (
    ("outbox_depth", "Steps of charges, pre-authorisations and transfers that wait for the payment provider."),
    (
        "payments_stuck",
        "Charges, pre-authorisations, refunds and payments of debts that an operator must take up again.",
    ),
    ("outbox_overdue_seconds", "Time since the oldest waiting step was due; 0 if no step is due."),
    (
        "oldest_unpaid_seconds",
        "Time since the purchase of the oldest charge that the provider has not settled; 0 if there is none.",
    ),
)
"""The gauges of the members of PaymentBacklog, in their order."""
TRACER = "jwo.reference_connector"


system_clock: Clock = partial(datetime.now, UTC)
"""Returns the time in UTC."""


class EventLog:
    """Writes events to a stream, standard error by default.

    Within an event loop, the lines of one turn are written together, as a write costs more than a line.
    """

    def __init__(self, clock: Clock, stream: TextIO | None = None) -> None:
        self.clock = clock
        self._stream = stream
        self._entries: list[dict[str, object]] = []
        self._listeners: dict[str, Callable[[Mapping[str, object]], None]] = {}

    def listen(self, name: str, note: Callable[[Mapping[str, object]], None]) -> None:
        """Call `note` with the facts of each later event of this name."""
        self._listeners[name] = note

    def event(self, name: str, **facts: object) -> None:
        """Write one event; a fact with the value None is left out."""
        self._entries.append({"at": self.clock(), "event": name, **facts})
        if name in self._listeners:
            self._listeners[name](facts)
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


NewSpan = Callable[[str], Span]


def span_maker() -> NewSpan | None:
    """Return the function that starts OpenTelemetry spans, or None if it is not installed or has no provider."""
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        return None
    from opentelemetry import trace  # noqa: PLC0415 - optional
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above

    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        return None
    return partial(trace.get_tracer(TRACER).start_span, kind=trace.SpanKind.SERVER)


class CallMeters(NamedTuple):
    """The metrics of one operation. `answers` still needs the labels of its status and its outcome code."""

    seconds: Histogram
    answers: Counter
    late: Counter


class CallWatch:
    """Times and counts the answers to one operation; makes a span of each if OpenTelemetry is set up."""

    def __init__(self, name: str, meters: CallMeters, new_span: NewSpan | None) -> None:
        self._name = name
        self._meters = meters
        self._new_span = new_span
        self._counters: dict[tuple[int, str], Counter] = {}

    def start(self) -> Started:
        """Start the timer of one call; give the result to `answered`."""
        return time.perf_counter(), self._new_span(self._name) if self._new_span else None

    def answered(self, started: Started, status: int, code: str, subject: Subject = ()) -> None:
        """Count and time one answer."""
        started_at, span = started
        self._note(time.perf_counter() - started_at, status, code)
        if span is not None:
            span.set_attribute("http.response.status_code", status)
            span.set_attribute("jwo.decision", code or "ok")
            if subject:
                span.set_attribute(*subject)
            span.end()

    def abandoned(self, started: Started) -> None:
        """End the span of a call that gets no answer, because the caller has disconnected."""
        _, span = started
        if span is not None:
            span.end()

    def _note(self, seconds: float, status: int, code: str) -> None:
        self._time(seconds)
        self._counter(status, code).inc()

    def _time(self, seconds: float) -> None:
        self._meters.seconds.observe(seconds)
        if seconds > ANSWER_WITHIN_S:
            self._meters.late.inc()

    def _counter(self, status: int, code: str) -> Counter:
        counter = self._counters.get((status, code))
        if counter is None:
            answers = self._meters.answers
            counter = self._counters[status, code] = answers.labels(self._name, str(status), code or "ok")
        return counter


def nothing() -> None:
    """Do nothing."""


class Telemetry:
    """The log and the metrics of one connector; /metrics shows `registry`."""

    def __init__(
        self,
        log: EventLog,
        new_span: NewSpan | None = None,
        more: Sequence[Collector] = (),
        close: Callable[[], None] = nothing,
    ) -> None:
        self.log = log
        self.more = tuple(more)
        """Metrics that this process does not count itself."""
        self.close = close
        """Sends the spans that wait."""
        self.registry = CollectorRegistry()
        self._new_span = new_span
        self._meters = CallMeters(
            Histogram(
                "jwo_connector_answer_seconds",
                "Time from the request's arrival to its answer; the gate waits 2 s.",
                ["call"],
                buckets=_BUCKETS_S,
                registry=self.registry,
            ),
            self._counter(
                "answers",
                "Answers by status and outcome code; the code `replayed` counts repeated answers.",
                "call",
                "status",
                "code",
            ),
            self._counter("late_answers", "Answers after more than 2 s, for which the gate no longer waits.", "call"),
        )
        self._steps = self._counter(
            "payment_steps",
            "Steps of charges, pre-authorisations and transfers, by the states before and after the step.",
            "kind",
            "before",
            "after",
        )
        self.dead_letters = self._gauge("dead_letters", "Messages of the feeds that are not readable.")
        self._troubles = self._counter("troubles", "Events of the log that an operator must look at.", "event")
        self._backlog = tuple(self._gauge(*each) for each in _BACKLOG)
        self._store_waiting = self._gauge(
            "store_waiting", "Inserts and units of work that wait for the writer.", mode="livesum"
        )
        self._count_events()

    def call(self, name: str, new_watch: type[CallWatch] = CallWatch) -> CallWatch:
        """Make the watch of one operation."""
        meters = self._meters._replace(seconds=self._meters.seconds.labels(name), late=self._meters.late.labels(name))
        return new_watch(name, meters, self._new_span)

    def show(self, backlog: PaymentBacklog, store_waiting: int) -> None:
        """Set the gauges to what the store has now."""
        now = self.log.clock()
        ages = (0.0 if since is None else max(0.0, (now - since).total_seconds()) for since in backlog[2:])
        for gauge, value in zip(self._backlog, (*backlog[:2], *ages), strict=True):
            gauge.set(value)
        self._store_waiting.set(store_waiting)

    def _count_events(self) -> None:
        self.log.listen("payment_step", self._count_step)
        for name in _TROUBLES:
            trouble = self._troubles.labels(name)
            self.log.listen(name, partial(_count_one, trouble))

    def _count_step(self, facts: Mapping[str, object]) -> None:
        self._steps.labels(facts["kind"], facts["did"], facts["state"]).inc()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"jwo_connector_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, mode: Literal["mostrecent", "livesum"] = "mostrecent") -> Gauge:
        return Gauge(f"jwo_connector_{name}", text, registry=self.registry, multiprocess_mode=mode)


def _count_one(counter: Counter, _facts: Mapping[str, object]) -> None:
    counter.inc()
