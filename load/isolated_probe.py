"""Sends requests one at a time, before and after the load, so that no answer can belong to another request.

Before the load, one request shows whether the connector knows the published samples. After the load, it sends some
events and each fixed key again, and compares the answers with those under load.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Self

from gevent.event import Event as Signal

from jwo_contract.errors import MalformedBody
from jwo_contract.messages import parse_object
from jwo_contract.operations import VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile
from load.errors import BadOptions
from load.expectations import Expectations, Finding, Wrong
from load.http_client.connection_pool import ConnectionPool
from load.http_client.exchange import Exchange
from load.keys import KeyStock
from load.schedule import Kind
from load.traffic import Event, Traffic

_READ_FOR_S = 3.0
_REPEAT_FOR_S = 5.0
_REPEATS = 3
"""The number of requests after the load in which a fixed key must get the same visitor as before the load."""
_TOO_MANY = 429
_SCANS = {"shopper": Kind.SCAN, "associate": Kind.ASSOCIATE}


class IsolatedProbe:
    """Sends one request at a time, and closes its connection at the end; `asked` counts the requests."""

    def __init__(self, profile: Profile, traffic: Traffic, keys: KeyStock, crossing_s: float) -> None:
        self._profile = profile
        self._traffic = traffic
        self._keys = keys
        self._pool = ConnectionPool(
            profile.connector.url,
            _READ_FOR_S,
            crossing_s,
            lambda exchange: exchange.context.set(),
            profile.connector.ca_file,
        )
        self.asked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def try_samples(self, kinds: set[Kind]) -> None:
        """Check that the connector knows the published samples if its profile declares none. Raises BadOptions if not.

        A load of refusals has no meaning. Any other answer, or none, is left to the load itself.
        """
        declared = self._profile
        scan = [
            *_missing_declarations(declared.store.id, "[store] id"),
            *_missing_declarations(declared.declared_keys(), "[keys] shopper"),
        ]
        cart = [
            *_missing_declarations(declared.store.id, "[store] id"),
            *_missing_declarations(declared.catalog.skus, "[catalog] skus"),
        ]
        for kind, missing in ((Kind.SCAN, scan), (Kind.CART, cart)):
            if not missing or kind not in kinds or (kind == Kind.SCAN and not self._keys.is_fixed("shopper")):
                continue
            status = self._ask(self._fresh(kind)).status
            if 400 <= status < 500 and status != _TOO_MANY:  # noqa: PLR2004 - a refusal, and not a rate limit
                raise BadOptions(
                    f"the connector answers {status} to Amazon's published sample, and the profile declares no "
                    + " and no ".join(missing),
                    "declare yours in a profile: write it with jwo init, and name it with --profile",
                )

    def present(self, kinds: set[str]) -> dict[str, str]:
        """Return the visitor of each fixed key of these kinds before the load, without keys that get no visitor."""
        named = {kind: _visitor(self._ask(self._fresh(_SCANS[kind]))) for kind in kinds if self._keys.is_fixed(kind)}
        return {kind: visitor for kind, visitor in named.items() if visitor}

    def compare(self, expect: Expectations, named: dict[str, str]) -> Iterator[tuple[Wrong, int]]:
        """Repeat events and fixed keys after the load, for a few seconds at most; yield the problems and their counts.

        `named` is the result of `present` before the load.
        """
        ends = time.monotonic() + _REPEAT_FOR_S
        for event in expect.events_to_repeat():
            if time.monotonic() > ends:
                return
            exchange = self._ask(event)
            if exchange.failure:
                return
            if exchange.status not in (event.expected_status, event.again_status):
                continue  # the connector may refuse an old event
            sent_ns = (
                exchange.started_ns if exchange.status == event.again_status else 0
            )  # the connector may have forgotten the event
            if wrong := expect.judge(event, exchange.status, exchange.body, sent_ns=sent_ns):
                yield wrong, 1
        for kind, visitor in named.items():
            if not self._still_names(kind, visitor):
                continue
            if count := expect.count_other_visitors(kind.upper(), visitor):
                text = f"a visitor other than the one that the fixed key of a {kind.upper()} gets without load"
                yield (Finding.CROSS_TALK, text), count

    def _still_names(self, kind: str, visitor: str) -> bool:
        """Return whether a fixed key gets this visitor every time."""
        return all(_visitor(self._ask(self._fresh(_SCANS[kind]))) == visitor for _ in range(_REPEATS))

    def _fresh(self, kind: Kind) -> Event:
        event = self._traffic.event(kind, time.time(), keep=False)
        assert event is not None, "a fixed key is always ready"
        return event

    def _ask(self, event: Event) -> Exchange:
        self.asked += 1
        answered = Signal()
        exchange = Exchange(time.perf_counter_ns(), self._traffic.request(event), answered)
        self._pool.send(exchange)
        answered.wait()
        return exchange


def _missing_declarations(declared: object, name: str) -> list[str]:
    return [] if declared else [name]


def _visitor(exchange: Exchange) -> str:
    """Return the visitor's id in an answer; an empty text if there is no visitor."""
    if exchange.failure or exchange.status != VERIFY_IDENTITY_KEYS.success:
        return ""
    try:
        visitor: Any = parse_object(exchange.body).get("visitorDetails")
    except MalformedBody:
        return ""
    return str(visitor.get("id", "")) if isinstance(visitor, dict) else ""
