"""Repeated calls of one operation, for rules about time: at least the requested number, and more within a few seconds.

A quick connector gets one call at a time, and enough of them to meet a fault in one call of a hundred. A slow
connector gets calls from several gates at the same time, as in a store, if it answers concurrently: one call after the
other would take minutes.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.requests import Requests
from jwo_contract.operations import Operation

GATES = 8
MOST_CALLS = 300
ENOUGH_LATE = 3
"""After this many late answers the verdict is clear; more calls only cost time."""
_SPEND_S = 3.0
_QUICK_S = 0.05
_ENOUGH_OF_QUICK = 120
"""A quick connector gets this many calls also where a busy machine needs longer for them."""
_LONGEST_S = 12.0
"""The end of these additional calls, for a connector that is quick only now and then."""


def send_many(
    connector: ConnectorClient, requests: Requests, operation: Operation, at_least: int, *, gates: int
) -> list[Exchange]:
    """Send `at_least` calls, and more within the first 3 seconds; stop at the third late or missing answer.

    A connector without a declared rate that can answer within 50 ms gets at least 120 calls, if 12 seconds are enough
    for them. `gates` is the number of calls at the same time; at most 8 are sent, the gates of a store. A call that is
    late by the suite's own lag is left out, and another one is sent.
    """

    def send(_index: int) -> Exchange:
        return connector.send(operation, requests.valid_request(operation).encoded())

    budget_s = operation.answer_budget_s(requests.profile.house)
    start, exchanges = time.perf_counter(), list[Exchange]()
    gates = min(gates, GATES)
    with ThreadPoolExecutor(gates) as pool:
        for _ in range(0, MOST_CALLS, gates):
            spent_s = time.perf_counter() - start
            may_want_more = spent_s <= _LONGEST_S and not requests.profile.limits.rate_limit_per_second
            enough = _ENOUGH_OF_QUICK if may_want_more and _is_quick(exchanges) else at_least
            if _is_settled(exchanges, budget_s) or (spent_s > _SPEND_S and len(exchanges) >= enough):
                break
            exchanges += [each for each in pool.map(send, range(gates)) if not each.is_late_by_suite(budget_s)]
    return exchanges


def _is_quick(exchanges: list[Exchange]) -> bool:
    return any(exchange.elapsed_s <= _QUICK_S for exchange in exchanges)


def _is_settled(exchanges: list[Exchange], budget_s: float) -> bool:
    return sum(exchange.is_late(budget_s) for exchange in exchanges) >= ENOUGH_LATE
