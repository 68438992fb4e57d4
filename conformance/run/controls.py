"""Control calls: the suite tries a valid request before it judges, and measures how many calls may run concurrently.

A connector that answers one call at a time gets one call at a time. So the suite measures the number for each
operation, but only if answers are slow: a quick connector finishes before workers have started.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import NotDeclared
from conformance.requests import REGISTRY, Requests
from conformance.run.recorder import Recorder
from contract.operations import Operation

Item = TypeVar("Item")

MOST_CALLS = 40
"""The suite tries at most this many concurrent calls; a connector that answers them all may allow more."""
_FEW_CALLS = 4
_QUICK_S = 0.25
"""An answer within this time is quick: concurrent calls would save no time."""
_STRETCH = 1.5
"""Concurrent calls may take at most this many times as long as a single call; otherwise they were answered in turn."""
_ANSWERED = {200, 201, 400, 401}
_REFUSED = 400
_NOT_THERE = {
    403: "check [connector] auth and its credentials, or declare a key that may enter",
    404: "the connector has no such path; check the path in [connector] url",
    405: "the connector does not accept POST there; check the path in [connector] url",
}


class Pace(NamedTuple):
    """How a connector answers an operation: the number of concurrent calls, and whether it is slow and serial."""

    max_concurrency: int = 1
    is_serial: bool = False


class Known(NamedTuple):
    """Results of control calls, by operation: why a valid request is refused (empty if it is not), and the pace."""

    refusals: dict[Operation, str]
    paces: dict[Operation, Pace]


class ControlCalls:
    """Makes each control call once in a run, when a scenario or the plan first needs it."""

    def __init__(
        self, requests: Requests, connector: ConnectorClient, recorder: Recorder, known: Known | None = None
    ) -> None:
        self._requests = requests
        self._connector = connector
        self._recorder = recorder
        self.known = known or Known({}, {})

    def needs_understanding(self, operation: Operation) -> None:
        """Check that the connector does not refuse a valid request as invalid. Raises NotDeclared if it does.

        A 400 for an invalid request proves nothing if the connector answers a valid request with 400 too.
        """
        if operation not in self.known.refusals:
            self._try(operation)
        if reason := self.known.refusals[operation]:
            raise NotDeclared(reason)

    def pace(self, operation: Operation) -> Pace:
        """Return how the connector answers an operation. The first call measures it with a few requests."""
        if operation not in self.known.paces:
            self.known.paces[operation] = self._measured(operation)
        return self.known.paces[operation]

    def send_each(self, drafts: Sequence[Draft]) -> list[Exchange]:
        """Send drafts of one operation unchanged; see `send_concurrently`."""

        def send(draft: Draft) -> Exchange:
            return self._connector.send(draft.operation, draft.encoded())

        return self.send_concurrently(drafts[0].operation, send, drafts) if drafts else []

    def send_concurrently(
        self, operation: Operation, send: Callable[[Item], Exchange], items: Iterable[Item]
    ) -> list[Exchange]:
        """Send items, as many at the same time as the measured pace allows, and return the exchanges in their order."""
        known = self.known.paces.get(operation, Pace())
        with ThreadPoolExecutor(known.max_concurrency) as pool:
            return list(pool.map(send, items))

    def _try(self, operation: Operation) -> Exchange:
        draft = self._requests.valid_request(operation)
        exchange = self._connector.send(operation, draft.encoded())
        self.known.refusals[operation] = self._why_not_understood(operation, exchange)
        return exchange

    def _measured(self, operation: Operation) -> Pace:
        alone = self._try(operation)
        if alone.answer is not None and alone.elapsed_s <= _QUICK_S:
            self._recorder.take_exchanges()
            return Pace()
        few = [alone, *self._at_once(operation, _FEW_CALLS)]
        in_step, is_limited = _in_step(few), bool(self._requests.profile.limits.rate_limit_per_second)
        if in_step == len(few) and not is_limited:
            many = max(_FEW_CALLS, _in_step(self._at_once(operation, MOST_CALLS)))
        else:
            many = _FEW_CALLS if in_step == len(few) else 1
        self._recorder.take_exchanges()
        return Pace(many, is_serial=many == 1 and in_step > 0)

    def _at_once(self, operation: Operation, count: int) -> list[Exchange]:
        drafts = [self._requests.valid_request(operation) for _ in range(count)]
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda each: self._connector.send(operation, each.encoded()), drafts))

    def _why_not_understood(self, operation: Operation, exchange: Exchange) -> str:
        """Return why the connector does not understand a valid request; empty if it does."""
        status = exchange.answer.status if exchange.answer else 0
        if status == _REFUSED:
            return self._why_refused(operation)
        if status in _NOT_THERE:
            return f"the connector answers {status} to a valid request; {_NOT_THERE[status]}"
        return ""

    def _why_refused(self, operation: Operation) -> str:
        needs = REGISTRY[operation].needs
        missing = [name for name, declared in needs.items() if not declared(self._requests.profile)]
        hint = f"declare {' and '.join(missing)}" if missing else "check the store and the catalog of the profile"
        return f"the connector answers 400 to a valid request, so a 400 proves nothing; {hint}"


def _in_step(exchanges: Sequence[Exchange]) -> int:
    """Count the answers that took about as long as the quickest; 0 if one call failed, for example by a rate limit."""
    if not all(each.answer and each.answer.status in _ANSWERED for each in exchanges):
        return 0
    quickest_s = min(each.elapsed_s for each in exchanges)
    return sum(each.elapsed_s < quickest_s * _STRETCH + _QUICK_S for each in exchanges)
