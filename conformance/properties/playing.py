"""Plays a story to the connector and to the model, and stops where the two differ.

The clock of a story ends at the present time, so that its old visits are really old and none is in the future.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import Finding
from conformance.properties.model import Model, Visit, summarise
from conformance.properties.story import PASSES, RESTART, SCANS, Act, Story, time_in
from conformance.requests import Requests
from conformance.restarting import answered, restart
from conformance.variants import reordered
from jwo_contract.operations import VERIFY_IDENTITY_KEYS, Operation
from jwo_contract.values import format_instant

_OLD = timedelta(hours=1)
_OTHER_QUANTITY = "7.0"


class Player:
    """Plays one story to one connector and one model."""

    def __init__(self, requests: Requests, connector: ConnectorClient) -> None:
        self._requests, self._connector = requests, connector
        self._model = Model(requests.profile.house)
        self._now = requests.now()
        self._build = requests.builder_at(lambda: self._now)
        self._is_starting = False

    def play(self, story: Story, until: float = math.inf) -> bool:
        """Play up to the time `until` of the monotonic clock, and say whether the story reached its end.

        Raises Finding, with the whole story, if an answer is wrong. Acts after the failing one are needed too: if they
        pass time, the visits before them are older.
        """
        self._now -= time_in(story)
        try:
            for act in story:
                if time.monotonic() >= until:
                    return False
                self._do(act, story)
            return True
        finally:
            self._wait_until_started()

    def _wait_until_started(self) -> None:
        """Wait for the end of a restart after which the story sent no call: the next case must not meet it."""
        if self._is_starting:
            self._send([(VERIFY_IDENTITY_KEYS, self._build.scan(self._requests.keys.unknown()).encoded())])

    def _do(self, act: Act, story: Story) -> None:
        if act.event == RESTART:
            restart(self._requests.profile)
            self._is_starting = True
        elif act.event in PASSES:
            self._now += PASSES[act.event]
        elif visit := self._visit(act):
            self._check(visit, act, story)

    def _visit(self, act: Act) -> Visit | None:
        """Return the new visit of an act, or the earlier visit that it repeats; None if there is no earlier visit."""
        is_scan = act.event in {*SCANS, "repeat scan"}
        visits = self._model.scans if is_scan else self._model.carts
        if act.how:
            return visits[act.which % len(visits)] if visits else None
        kind = act.event.removesuffix(" twice at once")
        visits.append(Visit(self._new(kind), self._now, kind))
        return visits[-1]

    def _new(self, kind: str) -> Draft:
        line = self._build.line
        new: dict[str, Callable[[], Draft]] = {
            "scan a shopper": self._scan,
            "scan nobody": lambda: self._build.scan(self._requests.keys.unknown()),
            "scan a shopper with a code an hour old": lambda: self._scan(_OLD),
            "buy one line": self._build.cart,
            "buy two lines": lambda: self._build.cart([line(), line(value="2")]),
            "buy nothing": lambda: self._build.cart([]),
        }
        return new[kind]()

    def _scan(self, age: timedelta = timedelta()) -> Draft:
        """Return a scan of a shopper's key. If the key is new, the scan is at the present time, or `age` later."""
        draft = self._build.scan(self._requests.keys.take("shopper"))
        if not self._requests.keys.are_fresh("shopper"):
            return draft
        return draft.with_value("authEvent.timestamp", format_instant(self._requests.now() + age))

    def _check(self, visit: Visit, act: Act, story: Story) -> None:
        """Send the requests of an act, and compare each answer with the model."""
        at_once = str(act).endswith("at once")
        for exchange in self._send(self._attempts(visit.draft, act)):
            expectation = self._model.expect(visit, self._now, act.how)
            answer = summarise(exchange, again=at_once or visit.first_answer is not None)
            if not expectation.accepts(answer):
                acts = tuple(map(str, story))
                expected = f"in the story: {'; '.join(acts)}: at: {act}: {expectation.text}"
                raise Finding(expected, exchange.in_short(), acts)
            self._model.learn(visit, answer)

    def _attempts(self, draft: Draft, act: Act) -> list[tuple[Operation, bytes]]:
        """Return the requests of an act: operations and bodies."""
        if str(act).endswith("at once"):
            return [(draft.operation, draft.again().encoded()) for _ in range(2)]
        ways: dict[str, Callable[[], bytes]] = {
            "under another requestId": draft.again().encoded,
            "in another order": lambda: json.dumps(reordered(draft.again().body)).encode(),
            "with other lines": lambda: draft.again().with_value("cartItems", self._other_lines()).encoded(),
        }
        return [(draft.operation, ways.get(act.how, draft.encoded)())]

    def _other_lines(self) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = self._build.cart([self._build.line(value=_OTHER_QUANTITY)]).body["cartItems"]
        return lines

    def _send(self, requests: Sequence[tuple[Operation, bytes]]) -> list[Exchange]:
        """Send requests at the same time; after a restart, repeat them until the connector answers again."""
        is_starting, self._is_starting = self._is_starting, False

        def send(request: tuple[Operation, bytes]) -> Exchange:
            call = partial(self._connector.send, *request)
            return answered(call) if is_starting else call()

        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(send, requests))
