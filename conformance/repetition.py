"""Many calls of one kind, for rules about time: as many as a few seconds hold, and at least as many as were asked for.

A quick connector is called one call at a time. A slow one is called by several gates at once, as in a store, if it
answers side by side: its calls one after the other would take minutes.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.requests import Requests
from contract.operations import Operation

GATES = 8
MOST_CALLS = 300
ENOUGH_LATE = 3
"""So many late answers settle it; waiting for more only costs time."""
_SPEND_S = 3.0


def many(
    connector: ConnectorClient, requests: Requests, operation: Operation, at_least: int, *, gates: int
) -> list[Exchange]:
    """Send `at_least` calls, and more for as long as a few seconds last; stop at the third late or missing answer.

    As many calls go at once as `gates` says, and never more than a store has gates.
    """

    def send(_index: int) -> Exchange:
        return connector.send(operation, requests.valid_request(operation).encoded())

    budget_s = operation.answer_budget_s(requests.profile.house)
    start, exchanges = time.perf_counter(), list[Exchange]()
    gates = min(gates, GATES)
    with ThreadPoolExecutor(gates) as pool:
        while not _is_settled(exchanges, budget_s) and len(exchanges) < MOST_CALLS:
            if len(exchanges) >= at_least and time.perf_counter() - start > _SPEND_S:
                break
            exchanges += pool.map(send, range(gates))
    return exchanges


def is_late(exchange: Exchange, budget_s: float) -> bool:
    """Say whether an answer was not complete within the budget, or never came."""
    return exchange.answer is None or exchange.elapsed_s > budget_s


def _is_settled(exchanges: list[Exchange], budget_s: float) -> bool:
    return sum(is_late(exchange, budget_s) for exchange in exchanges) >= ENOUGH_LATE
