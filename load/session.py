"""Runs one process's share of the load: prepares everything, sends the schedule, and returns the counts.

It runs inside the Locust user's greenlet; `on_request` reports every request to Locust.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent

from jwo_contract.operations import VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile
from jwo_toolkit.garbage_collection import tune_garbage_collector
from load.expectations import Expectations
from load.http_client.connection_pool import ConnectionPool
from load.http_client.dispatcher import Dispatcher
from load.http_client.exchange import Exchange
from load.isolated_probe import IsolatedProbe
from load.keys import KeyStock
from load.priority import raise_priority
from load.recorder import Recorder
from load.schedule import Kind, Schedule, Share
from load.settings import LoadOptions
from load.traffic import Event, Traffic

_LEAD_NS = 50_000_000
_FEED_EVERY_S = 0.25
_DRAIN_SPARE_S = 1.0
_COLLECTOR_THRESHOLDS = (2_000_000, 1_000, 1_000)
_KEY_OF = {Kind.SCAN: "shopper", Kind.SCAN_TWICE: "shopper", Kind.ASSOCIATE: "associate", Kind.SCAN_AGAIN: "shopper"}
OnRequest = Callable[[Exchange, Event, str], None]
"""Callback that receives a finished exchange, its event, and its problem (empty if there is none)."""


class Session:
    """Call `prepare`, then `run`, then `snapshot`; call `close` at any time."""

    def __init__(
        self, options: LoadOptions, profile: Profile, schedule: Schedule, share: Share, on_request: OnRequest
    ) -> None:
        self._options = options
        self._schedule = schedule
        self._on_request = on_request
        self._keys = KeyStock(profile, max_age_s=options.key_ahead_s + 10)
        self._traffic = Traffic(profile, self._keys, share)
        self._profile = profile
        self._asked_alone = 0
        self._named: dict[str, str] = {}
        self._expect = Expectations(profile)
        connector, crossing_s = profile.connector, options.crossing_ms / 1e3
        self._pool = ConnectionPool(connector.url, options.reads_for_s, crossing_s, self._ended, connector.ca_file)
        self.recorder = Recorder(int(options.budget_s * 1e9), 0)
        self._dispatcher = Dispatcher([], self._start, lambda: self._pool.is_ready, self._on_error_in_loop)
        self._ready: Exchange | None = None
        self._last: Event | None = None
        self._begins_ns, self._begins_at = 0, 0.0
        self._trouble = ""
        self._cpu_s = 0.0
        self._priority = ""
        self._orders = self._key_orders()

    def prepare(self) -> None:
        """Do all the work that must not happen during the measurement. Raises LoadError if it fails."""
        self._traffic.check_own_requests()
        with self._isolated_probe() as probe:
            kinds = {Kind(kind) for kind in set(self._schedule.kinds)}
            probe.try_samples(kinds)
            self._named = probe.present({_KEY_OF[kind] for kind in kinds & _KEY_OF.keys()})
        first = next(self._orders)
        for kind, count in first.items():
            self._keys.order(kind, count)
        self._keys.wait_for(first)
        tune_garbage_collector(_COLLECTOR_THRESHOLDS)
        self._priority = raise_priority(self._options.priority, self._options.workers)

    def run(self) -> None:
        """Send the schedule, and wait until each request has an answer or has timed out."""
        self._begins_ns, self._begins_at = time.perf_counter_ns() + _LEAD_NS, time.time() + _LEAD_NS / 1e9
        self.recorder = Recorder(int(self._options.budget_s * 1e9), self._begins_ns)
        due_ns = array("q", (self._begins_ns + due for due in self._schedule.due_ns))
        self._dispatcher = Dispatcher(due_ns, self._start, lambda: self._pool.is_ready, self._on_error_in_loop)
        self._ready = self._make(0)
        feeder = gevent.spawn(self._feed_keys)
        cpu_from, from_ns = time.process_time(), time.perf_counter_ns()
        self._dispatcher.run()
        self._dispatcher.over.wait()
        self._cpu_s = (time.process_time() - cpu_from) / ((time.perf_counter_ns() - from_ns) / 1e9)
        feeder.kill()
        self._drain()
        with self._isolated_probe() as probe:
            for (finding, example), count in probe.compare(self._expect, self._named):
                self.recorder.add_late_finding(finding, example, count)

    def numbers(self) -> dict[str, Any]:
        """Return the progress so far, and the latencies since the last call.

        The lag is the longest of the last two seconds, in microseconds.
        """
        recorder = self.recorder
        counts = {name: recorder.counts[name] for name in ("started", "answered", "late")}
        lag_us = max((row["lag_us"] for row in list(recorder.seconds.values())[-2:]), default=0)
        return counts | {
            "failed": recorder.causes.total(),
            "missed": recorder.missed.total(),
            "lag_us": lag_us,
            "recent": {str(cell): count for cell, count in recorder.take_recent().items()},
        }

    def snapshot(self) -> dict[str, Any]:
        """Return all counts; requests that were not sent by now count as missed."""
        self._dispatcher.stop()
        if left := len(self._schedule) - self._dispatcher.started:
            self.recorder.miss("the run ended before their time", left)
        return self.recorder.snapshot() | {
            "purchases": self._expect.purchases(),
            "asked_alone": self._asked_alone,
            "trouble": self._trouble,
            "cpu_share": self._cpu_s,
            "keys": "minted ahead of time" if self._keys.is_minted else "fixed values",
            "stale_keys": self._keys.stale,
            "priority": self._priority,
        }

    def close(self) -> None:
        """Close the connections and end the minting process."""
        self._pool.close()
        self._keys.close()

    @contextmanager
    def _isolated_probe(self) -> Iterator[IsolatedProbe]:
        with IsolatedProbe(self._profile, self._traffic, self._keys, self._options.crossing_ms / 1e3) as probe:
            yield probe
            self._asked_alone += probe.asked

    def _start(self, index: int) -> bool:
        exchange, self._ready = self._ready, None
        if exchange is None:
            self.recorder.miss("no identity key was ready" + (f": {why}" if (why := self._keys.trouble) else ""))
        else:
            self._pool.send(exchange)
            self.recorder.started(exchange)
        if index + 1 < len(self._schedule):
            self._ready = self._make(index + 1)
        return exchange is not None and exchange.cold

    def _make(self, index: int) -> Exchange | None:
        """Build the request at a place in the schedule ahead of its start, so that building it causes no lag."""
        kind, due_ns = Kind(self._schedule.kinds[index]), self._schedule.due_ns[index]
        event = self._last if kind == Kind.SECOND_OF_PAIR else self._traffic.event(kind, self._begins_at + due_ns / 1e9)
        self._last = event
        if event is None:
            return None
        return Exchange(self._begins_ns + due_ns, self._traffic.request(event), event)

    def _ended(self, exchange: Exchange) -> None:
        event: Event = exchange.context
        wrong = None
        if exchange.failure is None:
            wrong = self._expect.judge(event, exchange.status, exchange.body, sent_ns=exchange.started_ns)
            event.answered_ns = event.answered_ns or exchange.answered_ns
        self.recorder.ended(exchange, "scan" if event.operation is VERIFY_IDENTITY_KEYS else "cart", wrong)
        self._on_request(exchange, event, exchange.failure or (wrong[0] if wrong else ""))
        self._dispatcher.start_due()

    def _on_error_in_loop(self, error: Exception) -> None:
        self._trouble = f"the generator failed: {error!r}"

    def _drain(self) -> None:
        deadline = time.monotonic() + self._options.reads_for_s + _DRAIN_SPARE_S
        while self._pool.under_way and time.monotonic() < deadline:
            gevent.sleep(0.02)

    def _key_orders(self) -> Iterator[dict[str, int]]:
        """Yield the numbers of keys to order now; first, before the beginning, those for the first window."""
        at = 0
        while True:
            horizon = self._options.key_ahead_s
            if self._begins_ns:
                horizon += (time.perf_counter_ns() - self._begins_ns) / 1e9
            wanted: Counter[str] = Counter()
            while at < len(self._schedule) and self._schedule.due_ns[at] <= horizon * 1e9:
                if key := _KEY_OF.get(Kind(self._schedule.kinds[at])):
                    wanted[key if self._keys.has(key) else "shopper"] += 1
                at += 1
            yield dict(wanted)

    def _feed_keys(self) -> None:
        while self._keys.is_minted:
            for kind, count in next(self._orders).items():
                self._keys.order(kind, count)
            gevent.sleep(_FEED_EVERY_S)
