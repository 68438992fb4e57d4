"""The number of repeated calls: enough for a rare fault, and an end in seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import cycle
from typing import cast

import pytest

from conformance import repetition
from conformance.drivers.exchange import Answer, Exchange
from conformance.drivers.http import ConnectorClient
from conformance.mutants.gate import profile_of
from conformance.repetition import send_many
from conformance.requests import Requests
from jwo_contract.operations import CREATE_PURCHASES, Operation

AT_LEAST = 20


class Connector:
    """A connector that needs the given times for its answers, in turn, on a clock of its own."""

    def __init__(self, *times_s: float) -> None:
        self.now_s = 0.0
        self._times_s = cycle(times_s)

    def send(self, operation: Operation, _request: object) -> Exchange:
        elapsed_s = next(self._times_s)
        self.now_s += elapsed_s
        answer = Answer(201, {}, b"{}")
        return Exchange(operation, "POST", "http://shop", {}, b"{}", datetime.now(UTC), elapsed_s, answer)


@pytest.mark.parametrize(
    ("times_s", "rate", "calls", "longest_s"),
    [
        ((0.001,), 0, repetition.MOST_CALLS, 1),
        ((0.04, 0.07), 0, 120, 7),
        ((0.04, 0.07), 50, 55, 4),
        ((0.3,), 0, AT_LEAST, 7),
        ((0.04, *[1.5] * 9), 0, AT_LEAST, 30),
    ],
    ids=["very quick", "quick", "of a declared rate", "slow", "quick now and then"],
)
def test_calls_are_many_for_a_quick_connector_and_end_in_seconds(
    monkeypatch: pytest.MonkeyPatch, times_s: tuple[float, ...], rate: int, calls: int, longest_s: float
) -> None:
    connector = Connector(*times_s)
    monkeypatch.setattr(repetition.time, "perf_counter", lambda: connector.now_s)
    requests = Requests(profile_of("http://shop", rate_limit_per_second=rate), lambda: datetime.now(UTC))
    sent = send_many(cast("ConnectorClient", connector), requests, CREATE_PURCHASES, AT_LEAST, gates=1)
    assert len(sent) == calls
    assert connector.now_s <= longest_s
