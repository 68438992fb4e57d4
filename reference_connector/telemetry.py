"""What can be seen of the connector while it works: a log of one JSON object a line, metrics, and spans.

The log takes ids and outcomes only: identity keys, tokens, secrets and shoppers' data are never handed to it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from typing import Any, Protocol, TextIO

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

Clock = Callable[[], datetime]
Started = tuple[float, "Span | None"]
"""When a call came, and its span where spans are made."""
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)


system_clock: Clock = partial(datetime.now, UTC)
"""Tells the time, in UTC."""


def _at_the_end_of_the_turn(flush: Callable[[], None]) -> None:
    """Call it once the event loop is through with what it does now; at once where there is none."""
    try:
        asyncio.get_running_loop().call_soon(flush)
    except RuntimeError:
        flush()


class EventLog:
    """Writes events to a stream, standard error unless told otherwise.

    Within an event loop the lines of one turn of it are written together: a write costs more than a line.
    """

    def __init__(self, clock: Clock, stream: TextIO | None = None) -> None:
        self._clock = clock
        self._stream = stream
        self._entries: list[dict[str, object]] = []

    def event(self, name: str, **facts: object) -> None:
        """Write one event; facts that are None are left out."""
        self._entries.append({"at": self._clock(), "event": name, **facts})
        if len(self._entries) == 1:
            _at_the_end_of_the_turn(self.flush)

    def flush(self) -> None:
        """Write what waits."""
        entries, self._entries = self._entries, []
        (self._stream or sys.stderr).write(b"".join(map(_line, entries)).decode())


def _line(entry: dict[str, object]) -> bytes:
    if None in entry.values():
        entry = {key: value for key, value in entry.items() if value is not None}
    return orjson.dumps(entry, default=str, option=orjson.OPT_APPEND_NEWLINE)


class Span(Protocol):
    """What is used of a tracing span."""

    def set_attribute(self, key: str, value: Any) -> None:  # noqa: ANN401 - as OpenTelemetry declares it
        """Note a fact."""

    def end(self) -> None:
        """Close it."""


def span_maker() -> Callable[[str], Span] | None:
    """Return what starts OpenTelemetry spans, or None where it is not installed or nobody has set up a provider."""
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        return None
    from opentelemetry import trace  # noqa: PLC0415 - optional
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above

    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        return None
    return trace.get_tracer("jwo.reference_connector").start_span


class TurnHistogram(Histogram):
    """A histogram that takes what one turn of the event loop measured in one go."""

    def observe_all(self, amounts: Sequence[float]) -> None:
        """Observe many amounts; the result is that of `observe` with each."""
        for bucket, count in Tally(bisect_left(self._upper_bounds, amount) for amount in amounts).items():
            self._buckets[bucket].inc(count)
        self._sum.inc(sum(amounts))


class Telemetry:
    """The log and the metrics of one connector; `registry` is what /metrics shows."""

    def __init__(self, log: EventLog, new_span: Callable[[str], Span] | None = None) -> None:
        self.log = log
        self.registry = CollectorRegistry()
        self._new_span = new_span
        self._seconds = TurnHistogram(
            "jwo_connector_answer_seconds",
            "Time from the request's arrival to its answer; the gate waits 2 s.",
            ["call"],
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._answers = Counter(
            "jwo_connector_answers",
            "Answers by status and by what was decided; the code `replayed` is an answer that was given before.",
            ["call", "status", "code"],
            registry=self.registry,
        )
        self.outbox_depth = Gauge(
            "jwo_connector_outbox_depth",
            "Charges that are not settled yet.",
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )
        self.store_waiting = Gauge(
            "jwo_connector_store_waiting",
            "Units of work that wait to be run.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def call(self, name: str) -> CallWatch:
        """Make the watch of one call of the contract."""
        return CallWatch(name, self._seconds.labels(name), self._answers, self._new_span)


class CallWatch:
    """Times and counts the answers to one call, those of one turn of the event loop together."""

    def __init__(
        self, name: str, seconds: TurnHistogram, answers: Counter, new_span: Callable[[str], Span] | None
    ) -> None:
        self._name = name
        self._seconds = seconds
        self._answers = answers
        self._new_span = new_span
        self._counters: dict[tuple[int, str], Counter] = {}
        self._given: list[tuple[float, int, str]] = []

    def start(self) -> Started:
        """Start the time of one call; give what is returned to `answered`."""
        return time.perf_counter(), self._new_span(self._name) if self._new_span else None

    def answered(self, started: Started, status: int, code: str) -> None:
        """Count and time one answer."""
        started_at, span = started
        self._given.append((time.perf_counter() - started_at, status, code))
        if len(self._given) == 1:
            _at_the_end_of_the_turn(self._flush)
        if span is not None:
            span.set_attribute("http.response.status_code", status)
            span.set_attribute("jwo.decision", code or "ok")
            span.end()

    def _flush(self) -> None:
        given, self._given = self._given, []
        self._seconds.observe_all([seconds for seconds, _, _ in given])
        for (status, code), count in Tally((status, code) for _, status, code in given).items():
            counter = self._counters.get((status, code))
            if counter is None:
                counter = self._counters[status, code] = self._answers.labels(self._name, str(status), code or "ok")
            counter.inc(count)
