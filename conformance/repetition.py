"""Repeated calls of one operation, for rules about time: at least the requested number, and more within a few seconds.

A quick connector gets one call at a time. A slow connector gets calls from several gates at the same time, as in a
store, if it answers concurrently: one call after the other would take minutes.
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


def send_many(
    connector: ConnectorClient, requests: Requests, operation: Operation, at_least: int, *, gates: int
) -> list[Exchange]:
    """Send `at_least` calls, and more within the first 3 seconds; stop at the third late or missing answer.

    `gates` is the number of calls at the same time; at most 8 are sent, the gates of a store. A call that is late by
    the suite's own lag is left out, and another one is sent.
    """

    def send(_index: int) -> Exchange:
        return connector.send(operation, requests.valid_request(operation).encoded())

    budget_s = operation.answer_budget_s(requests.profile.house)
    start, exchanges = time.perf_counter(), list[Exchange]()
    gates = min(gates, GATES)
    with ThreadPoolExecutor(gates) as pool:
        for _ in range(0, MOST_CALLS, gates):
            if _is_settled(exchanges, budget_s) or (
                len(exchanges) >= at_least and time.perf_counter() - start > _SPEND_S
            ):
                break
            exchanges += [each for each in pool.map(send, range(gates)) if not each.is_late_by_suite(budget_s)]
    return exchanges


def _is_settled(exchanges: list[Exchange], budget_s: float) -> bool:
    return sum(exchange.is_late(budget_s) for exchange in exchanges) >= ENOUGH_LATE
