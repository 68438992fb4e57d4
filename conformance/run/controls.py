"""Control calls: the suite tries a valid request before it judges, and measures how many calls go side by side.

A connector that answers one call at a time gets its calls one at a time, so the number is measured for each operation,
and only where answers take long: a quick connector is through sooner than workers start.
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
"""So many calls at once are tried; a connector that answers all of them side by side may answer more."""
_FEW_CALLS = 4
_QUICK_S = 0.25
"""An answer within this time is quick: nothing is won by waiting for several at once."""
_STRETCH = 1.5
"""Calls side by side may take this much longer than one alone, or they are not answered side by side."""
_ANSWERED = {200, 201, 400, 401}
_REFUSED = 400
_NOT_THERE = {
    403: "check [connector] auth and its credentials, or declare a key that may enter",
    404: "the connector has no such path; check the path in [connector] url",
    405: "the connector takes no POST there; check the path in [connector] url",
}


class Pace(NamedTuple):
    """How a connector answers an operation: how many calls at once, and whether it is slow and takes one at a time."""

    max_concurrency: int = 1
    is_serial: bool = False


class Known(NamedTuple):
    """What control calls have shown so far: by operation, why a valid request is refused, or empty; and the pace."""

    refusals: dict[Operation, str]
    paces: dict[Operation, Pace]


class ControlCalls:
    """Makes each control call once a run, when a scenario or the plan first asks for it."""

    def __init__(
        self, requests: Requests, connector: ConnectorClient, recorder: Recorder, known: Known | None = None
    ) -> None:
        self._requests = requests
        self._connector = connector
        self._recorder = recorder
        self.known = known or Known({}, {})

    def needs_understanding(self, operation: Operation) -> None:
        """Make sure that a valid request is not refused as invalid; NotDeclared otherwise.

        A 400 for a broken request proves nothing when the connector answers the valid one with 400 as well.
        """
        if operation not in self.known.refusals:
            self._try(operation)
        if reason := self.known.refusals[operation]:
            raise NotDeclared(reason)

    def pace(self, operation: Operation) -> Pace:
        """Return how the connector answers an operation; measured at the first call, which takes a few requests."""
        if operation not in self.known.paces:
            self.known.paces[operation] = self._measured(operation)
        return self.known.paces[operation]

    def send_each(self, drafts: Sequence[Draft]) -> list[Exchange]:
        """Send drafts of one operation as they are, see `send_concurrently`."""

        def send(draft: Draft) -> Exchange:
            return self._connector.send(draft.operation, draft.encoded())

        return self.send_concurrently(drafts[0].operation, send, drafts) if drafts else []

    def send_concurrently(
        self, operation: Operation, send: Callable[[Item], Exchange], items: Iterable[Item]
    ) -> list[Exchange]:
        """Send items, as many at once as the connector was seen to answer side by side; the order stays."""
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
        """Return why a valid request is not understood; empty when it is."""
        status = exchange.answer.status if exchange.answer else 0
        if status == _REFUSED:
            return self._why_refused(operation)
        if status in _NOT_THERE:
            return f"an unbroken request is answered {status}; {_NOT_THERE[status]}"
        return ""

    def _why_refused(self, operation: Operation) -> str:
        needs = REGISTRY[operation].needs
        missing = [name for name, declared in needs.items() if not declared(self._requests.profile)]
        hint = f"declare {' and '.join(missing)}" if missing else "check the store and the catalog of the profile"
        return f"an unbroken request is refused with 400 already, so a 400 proves nothing; {hint}"


def _in_step(exchanges: Sequence[Exchange]) -> int:
    """Count the answers that took about as long as the quickest; none counts when one fails, as under a rate limit."""
    if not all(each.answer and each.answer.status in _ANSWERED for each in exchanges):
        return 0
    quickest_s = min(each.elapsed_s for each in exchanges)
    return sum(each.elapsed_s < quickest_s * _STRETCH + _QUICK_S for each in exchanges)
