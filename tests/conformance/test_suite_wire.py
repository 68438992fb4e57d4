"""The raw connection and the sets of variants: they send the bytes that the scenario describes."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.mutants.gate import profile_of
from conformance.requests import Requests
from conformance.run.configuration import utc_now
from conformance.variants import REFUSED, SETS, typed_paths, with_own_ids
from jwo_contract.messages import message, self_contained, without_nulls
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS, Operation

REQUESTS = Requests(profile_of("http://127.0.0.1:1"), utc_now)
ANSWER = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}"


class Listener:
    """Accepts one connection, records its bytes with their times, answers after `requests` requests, and closes."""

    def __init__(self, requests: int, answers: bytes = b"") -> None:
        self._answers = answers or ANSWER * requests
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.chunks: list[tuple[float, bytes]] = []
        self.ended = threading.Event()
        self._requests = requests
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def client(self) -> ConnectorClient:
        url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        return ConnectorClient(profile_of(url), lambda: datetime.now(UTC), lambda _exchange: None)

    @property
    def received(self) -> bytes:
        return b"".join(chunk for _, chunk in self.chunks)

    def _serve(self) -> None:
        connection, _ = self.socket.accept()
        with connection:
            while chunk := connection.recv(65536):
                self.chunks.append((time.monotonic(), chunk))
                if self.received.count(b"}}") == self._requests:
                    connection.sendall(self._answers)
                    break
        self.ended.set()


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    listeners: list[Listener] = []

    def start(requests: int, answers: bytes = b"") -> Listener:
        listeners.append(Listener(requests, answers))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.socket.close()


BODY = b'{"requestId": {"a": 1}}'


def test_a_slow_request_gets_its_answer(listen: Callable[..., Listener]) -> None:
    listener = listen(1)
    exchange = listener.client.prepare_raw(VERIFY_IDENTITY_KEYS, [BODY]).send_slowly(0.4, "slow")

    assert exchange.answer is not None
    assert exchange.answer.status == 401
    assert len(listener.chunks) > 3
    assert listener.chunks[-1][0] - listener.chunks[0][0] > 0.25
    assert listener.received.endswith(BODY)


def test_a_request_that_breaks_off_ends_in_its_body(listen: Callable[..., Listener]) -> None:
    listener = listen(1)
    listener.client.prepare_raw(VERIFY_IDENTITY_KEYS, [BODY]).break_off()

    assert listener.ended.wait(5)
    head, _, body = listener.received.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(BODY)}".encode() in head
    assert 0 < len(body) < len(BODY)
    assert BODY.startswith(body)


def test_each_pipelined_request_gets_an_answer(listen: Callable[..., Listener]) -> None:
    listener = listen(3)
    exchanges: list[Exchange] = listener.client.prepare_raw(VERIFY_IDENTITY_KEYS, [BODY] * 3).send_pipelined()

    assert [exchange.answer.status for exchange in exchanges if exchange.answer] == [401, 401, 401]


INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </style>\r\n\r\n"
CHUNKED = b"HTTP/1.1 401 Unauthorized\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 401 Unauthorized\r\n\r\n{}"


@pytest.mark.parametrize("answer", [INTERIM + ANSWER, CHUNKED, UNTIL_CLOSE], ids=["interim", "chunked", "until close"])
def test_interim_answers_are_skipped(listen: Callable[..., Listener], answer: bytes) -> None:
    exchange = listen(1, answer).client.prepare_raw(VERIFY_IDENTITY_KEYS, [BODY]).send_slowly(0.05, "slow")

    assert exchange.answer is not None
    assert (exchange.answer.status, exchange.answer.body) == (401, b"{}")


def test_interim_answers_are_skipped_in_a_pipeline(listen: Callable[..., Listener]) -> None:
    listener = listen(2, INTERIM + ANSWER + INTERIM + CHUNKED)
    exchanges = listener.client.prepare_raw(VERIFY_IDENTITY_KEYS, [BODY] * 2).send_pipelined()

    assert [exchange.answer.body for exchange in exchanges if exchange.answer] == [b"{}", b"{}"]


def test_a_connection_that_closes_early_gives_fewer_answers(listen: Callable[..., Listener]) -> None:
    exchanges = listen(3, ANSWER + ANSWER[:-1]).client.prepare_raw(VERIFY_IDENTITY_KEYS, [BODY] * 3).send_pipelined()

    assert len(exchanges) == 1


@pytest.mark.parametrize("answer", [ANSWER[:-1], ANSWER[:20], b"not HTTP at all\r\n\r\n", INTERIM])
def test_an_incomplete_answer_is_a_failure(listen: Callable[..., Listener], answer: bytes) -> None:
    exchange = listen(1, answer).client.prepare_raw(VERIFY_IDENTITY_KEYS, [BODY]).send_slowly(0.05, "slow")

    assert exchange.answer is None
    assert exchange.detail == "no complete answer: RemoteProtocolError"


SCAN_ONLY = {"key channel", "key of the longest kind"}
BOTH = {
    *("form of time", "form of UUID", "way to write its JSON", "optional member as null"),
    *("member of a wrong type", "required text empty"),
}
PAIRS = [(name, VERIFY_IDENTITY_KEYS) for name in sorted(SCAN_ONLY | BOTH)]
PAIRS += [(name, CREATE_PURCHASES) for name in sorted(SETS.keys() - SCAN_ONLY)]


@pytest.mark.parametrize(("name", "operation"), PAIRS)
def test_a_set_keeps_or_breaks_the_schema_as_its_scenario_expects(name: str, operation: Operation) -> None:
    base = REQUESTS.valid_request(operation)
    variants = list(SETS[name](lambda: with_own_ids(base), REQUESTS.profile.house))

    assert variants
    assert len({variant.label for variant in variants}) == len(variants)
    schema = message(operation.request)
    are_valid = {schema.is_valid(without_nulls(json.loads(variant.encoded))) for variant in variants}
    assert are_valid == {name not in REFUSED}


def test_wrong_types_reach_every_member_of_a_cart() -> None:
    paths = {path for path, _ in typed_paths(self_contained(CREATE_PURCHASES.request))}

    assert {"storeId", "cartItems", "cartItems[0].quantity.value", "shoppingTrip.authEvents[0].scanResult.id"} <= paths
    assert len(paths) > 25
