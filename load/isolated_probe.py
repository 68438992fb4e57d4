"""Requests that are sent alone, before and after the load: what they are told cannot be another's answer.

Before the load, one request shows whether a connector knows the published samples at all. After it, some events are
sent again and each fixed key is presented anew; answers under load are held to what comes then.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Self

from gevent.event import Event as Signal

from contract.errors import MalformedBody
from contract.messages import parse_object
from contract.operations import VERIFY_IDENTITY_KEYS
from contract.profile import Profile
from load.errors import BadOptions
from load.expectations import Expectations, Finding, Wrong
from load.http_client.exchange import Exchange
from load.http_client.lanes import Lanes
from load.keys import KeyStock
from load.schedule import Kind
from load.traffic import Event, Traffic

_READ_FOR_S = 3.0
_AFTER_FOR_S = 5.0
_PRESENTED = 3
"""How often, after the load, a fixed key must name the visitor of before it to be held to that one."""
_TOO_MANY = 429
_SCANS = {"shopper": Kind.SCAN, "associate": Kind.ASSOCIATE}


class IsolatedProbe:
    """Asks a connector one thing at a time, on a connection that is closed at the end; `asked` counts."""

    def __init__(self, profile: Profile, traffic: Traffic, keys: KeyStock, crossing_s: float) -> None:
        self._profile = profile
        self._traffic = traffic
        self._keys = keys
        self._lanes = Lanes(profile.connector.url, _READ_FOR_S, crossing_s, lambda exchange: exchange.subject.set())
        self.asked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lanes.close()

    def try_samples(self, kinds: set[Kind]) -> None:
        """Make sure that a connector knows the published samples where its profile declares nothing; else BadOptions.

        A load of refusals would say nothing. Whatever else comes, or does not come, is the load's own business.
        """
        declared = self._profile
        scan = [*_unless(declared.store.id, "[store] id"), *_unless(declared.declared_keys(), "[keys] shopper")]
        cart = [*_unless(declared.store.id, "[store] id"), *_unless(declared.catalog.skus, "[catalog] skus")]
        for kind, missing in ((Kind.SCAN, scan), (Kind.CART, cart)):
            if not missing or kind not in kinds or (kind == Kind.SCAN and not self._keys.is_fixed("shopper")):
                continue
            status = self._ask(self._fresh(kind)).status
            if 400 <= status < 500 and status != _TOO_MANY:  # noqa: PLR2004 - it refuses, and not for being busy
                raise BadOptions(
                    f"the connector answers {status} to Amazon's published sample, and the profile declares no "
                    + " and no ".join(missing),
                    "declare yours in a profile: write it with jwo init, and name it with --profile",
                )

    def present(self, kinds: set[str]) -> dict[str, str]:
        """Return the visitor that each fixed key of these kinds names before the load; none where it names none."""
        named = {kind: _visitor(self._ask(self._fresh(_SCANS[kind]))) for kind in kinds if self._keys.is_fixed(kind)}
        return {kind: visitor for kind, visitor in named.items() if visitor}

    def compare(self, expect: Expectations, named: dict[str, str]) -> Iterator[tuple[Wrong, int]]:
        """Ask again after the load, as long as it takes but no longer than some seconds; yield what was wrong.

        `named` is what `present` returned before the load.
        """
        ends = time.monotonic() + _AFTER_FOR_S
        for event in expect.to_ask_again():
            if time.monotonic() > ends:
                return
            exchange = self._ask(event)
            if exchange.failure:
                return
            if exchange.status not in (event.expected_status, event.again_status):
                continue  # it may refuse by now
            sent_ns = exchange.started_ns if exchange.status == event.again_status else 0  # it may have forgotten
            if wrong := expect.judge(event, exchange.status, exchange.body, sent_ns=sent_ns):
                yield wrong, 1
        for kind, visitor in named.items():
            if not self._still_names(kind, visitor):
                continue
            if count := expect.told_another(kind.upper(), visitor):
                text = f"another visitor than the one that the fixed key of a {kind.upper()} names when it comes alone"
                yield (Finding.CROSS_TALK, text), count

    def _still_names(self, kind: str, visitor: str) -> bool:
        """Whether a fixed key names this visitor every time."""
        return all(_visitor(self._ask(self._fresh(_SCANS[kind]))) == visitor for _ in range(_PRESENTED))

    def _fresh(self, kind: Kind) -> Event:
        event = self._traffic.event(kind, time.time(), keep=False)
        assert event is not None, "only asked for fixed keys"
        return event

    def _ask(self, event: Event) -> Exchange:
        self.asked += 1
        answered = Signal()
        exchange = Exchange(time.perf_counter_ns(), self._traffic.request(event), answered)
        self._lanes.send(exchange)
        answered.wait()
        return exchange


def _unless(declared: object, name: str) -> list[str]:
    return [] if declared else [name]


def _visitor(exchange: Exchange) -> str:
    """Return the visitor's id in an answer; empty if the answer has none."""
    if exchange.failure or exchange.status != VERIFY_IDENTITY_KEYS.success:
        return ""
    try:
        visitor: Any = parse_object(exchange.body).get("visitorDetails")
    except MalformedBody:
        return ""
    return str(visitor.get("id", "")) if isinstance(visitor, dict) else ""
