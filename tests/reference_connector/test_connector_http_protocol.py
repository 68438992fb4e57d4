"""The accelerated and the plain HTTP path over real sockets: both give the same answer to any bytes."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest
import uvicorn

from jwo_contract.messages import document
from jwo_contract.operations import SHOPPER_AUTHORIZATION
from jwo_toolkit.no_upgrade import NoUpgradeProtocol
from reference_connector.accelerated.http_protocol import AcceleratedProtocol
from reference_connector.app import create_app
from reference_connector.messages import Answer, json_answer
from reference_connector.settings import ConnectorSettings
from reference_connector.shopper_auth import RiskCheck
from tests.contract.signing import Signer

SCAN, CART = "/v1/identity/identity-keys", "/v1/order/purchases"
LIMIT = 5000
Talk = Callable[..., list[tuple[int, dict[str, str], bytes]]]


def _request(body: bytes, path: str = SCAN, *headers: str, method: str = "POST", version: str = "1.1") -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _answers(data: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(headers.get("content-length", 0))
        body, data = data[:length], data[length:]
        headers.pop("date", None)
        found.append((int(status.split()[1]), headers, body))
    return found


def _talk(
    port: int, pieces: list[bytes], *, hang_up: bool = False, pause_s: float = 0.02
) -> list[tuple[int, dict[str, str], bytes]]:
    """Send the pieces, and read to the end unless the caller disconnects."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = bytearray()
        for piece in pieces:
            connection.sendall(piece)
            if len(pieces) > 1:
                time.sleep(pause_s)  # so that the pieces arrive as pieces
        while not hang_up and (chunk := connection.recv(65536)):
            received += chunk
        return _answers(bytes(received))


def _app(folder: Path, risk: RiskCheck | None = None, **settings: Any) -> Any:
    store = {"path": folder / "connector.sqlite3"}
    return create_app(ConnectorSettings.model_validate({"store": store, **settings}), risk=risk)


@contextmanager
def _serving(app: Any, protocol: type[NoUpgradeProtocol] = AcceleratedProtocol) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=protocol, log_level="error", timeout_keep_alive=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture(scope="module", params=[True, False], ids=["accelerated", "plain"])
def talk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talk]:
    app = _app(tmp_path_factory.mktemp("store"), limits={"body_bytes": LIMIT}, accelerated=request.param)
    with _serving(app, AcceleratedProtocol if request.param else NoUpgradeProtocol) as port:
        yield partial(_talk, port)


@pytest.fixture
def scan(a_scan: Any) -> bytes:
    return orjson.dumps(a_scan())


CLOSE = "Connection: close"
OK = b'{"visitorDetails":{"id":"shopper-uuid-001","type":"SHOPPER"}}'


def test_a_call_is_answered(talk: Talk, scan: bytes) -> None:
    (status, headers, body), *more = talk([_request(scan, SCAN, CLOSE)])
    assert (status, body, more) == (200, OK, [])
    assert headers["content-type"] == "application/json"
    assert headers["connection"] == "close"


def test_calls_on_one_connection_are_answered_in_turn(talk: Talk, scan: bytes) -> None:
    pieces = [_request(scan), _request(b"{}", CART), _request(scan, SCAN, CLOSE)]
    assert [status for status, _, _ in talk(pieces)] == [200, 400, 200]


def test_pipelined_calls_are_answered_in_their_order(talk: Talk, scan: bytes) -> None:
    calls = [
        _request(scan),
        _request(b"{}", CART),
        _request(b"", "/healthz", method="GET"),
        _request(scan, SCAN, CLOSE),
    ]
    answers = talk([b"".join(calls)])
    assert [(status, body[:3]) for status, _, body in answers] == [
        (200, b'{"v'),
        (400, b'{"e'),
        (200, b'{"s'),
        (200, b'{"v'),
    ]


def test_call_in_several_pieces_is_answered(talk: Talk, scan: bytes) -> None:
    whole = _request(scan, SCAN, CLOSE)
    cuts = [0, 7, 30, len(whole) - 40, len(whole) - 1, len(whole)]
    pieces = [whole[start:end] for start, end in pairwise(cuts)]
    assert [(status, body) for status, _, body in talk(pieces)] == [(200, OK)]


def test_a_chunked_body_is_read(talk: Talk, scan: bytes) -> None:
    head = f"POST {SCAN} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n{CLOSE}\r\n\r\n".encode()
    chunks = b"%x\r\n%s\r\n" % (9, scan[:9]) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(scan) - 9, scan[9:])
    assert [(status, body) for status, _, body in talk([head + chunks])] == [(200, OK)]


def test_caller_that_waits_for_100_continue_gets_it(talk: Talk, scan: bytes) -> None:
    whole = _request(scan, SCAN, "Expect: 100-continue")
    assert [status for status, _, _ in talk([whole[: -len(scan)], scan])] == [100, 200]


def test_http_1_0_is_answered_and_closed(talk: Talk, scan: bytes) -> None:
    for headers in ([], ["Connection: keep-alive"]):
        ((status, answered, _),) = talk([_request(scan, SCAN, *headers, version="1.0")])
        assert (status, answered["connection"]) == (200, "close")


@pytest.mark.parametrize("size", [LIMIT + 1, 300_000])
def test_a_body_over_the_limit_is_400_and_the_next_call_is_served(talk: Talk, scan: bytes, size: int) -> None:
    answers = talk([_request(b"x" * size), _request(scan, SCAN, CLOSE)])
    assert [status for status, _, _ in answers] == [400, 200]
    assert b"larger than" in answers[0][2]


def test_other_routes_and_methods_go_to_the_app(talk: Talk) -> None:
    calls = [
        _request(b"", "/healthz", method="GET"),
        _request(b"", SCAN, method="GET"),
        _request(b"{}", f"{SCAN}?x=1"),
        _request(b"{}", "/nowhere", CLOSE),
    ]
    assert [status for status, _, _ in talk(calls)] == [200, 405, 400, 404]


def test_bytes_that_are_not_http_are_400(talk: Talk) -> None:
    assert [status for status, _, _ in talk([b"hello\r\n\r\n"])] == [400]


def test_disconnected_caller_does_not_harm_the_server(talk: Talk, scan: bytes) -> None:
    talk([_request(scan)[:-5]], hang_up=True)
    talk([_request(scan)], hang_up=True)
    assert [status for status, _, _ in talk([_request(scan, SCAN, CLOSE)])] == [200]


def test_an_idle_connection_is_closed(talk: Talk, scan: bytes) -> None:
    assert [(status, body) for status, _, body in talk([_request(scan)])] == [(200, OK)]


def test_active_connection_stays_open(talk: Talk, scan: bytes) -> None:
    """The server closes a connection that is idle for a second; the caller of this test is never idle for so long."""
    in_time = [_request(scan), _request(b"", "/healthz", method="GET"), _request(scan), _request(scan, SCAN, CLOSE)]
    assert [status for status, _, _ in talk(in_time, pause_s=0.6)] == [200] * 4
    whole = _request(scan, SCAN, CLOSE)
    half_way = [_request(scan), whole[:50], whole[50:-20], whole[-20:]]
    assert [status for status, _, _ in talk(half_way, pause_s=0.6)] == [200, 200]


def test_upgrade_after_a_call_does_not_repeat_the_call(talk: Talk) -> None:
    upgrade = _request(b"", "/healthz", "Connection: Upgrade", "Upgrade: websocket", method="GET")
    statuses = [status for status, _, _ in talk([_request(b"{}", CART), upgrade])]
    assert (statuses[0], len(statuses)) == (400, 2)


H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")


def test_calls_that_ask_for_another_protocol_are_answered_once_each(talk: Talk, scan: bytes) -> None:
    """Java's HttpClient asks for h2c in its first call on a connection, and not in the next ones."""
    calls = [
        _request(scan, SCAN, *H2C),
        _request(scan),
        _request(b"{}", CART, *H2C),
        _request(scan, SCAN, "Connection: Upgrade", "Upgrade: websocket"),
        _request(scan, SCAN, "Connection: Upgrade", "Upgrade: TLS/1.0"),
        _request(scan, SCAN, *H2C, CLOSE),
    ]
    for pieces in (calls, [b"".join(calls)], [b"".join(calls)[:120], b"".join(calls)[120:]]):
        answers = talk(pieces)
        assert [status for status, _, _ in answers] == [200, 200, 400, 200, 200, 200]
        assert [body for status, _, body in answers if status == 200] == [OK] * 5
        assert b"identityKey" not in answers[2][2]


def test_upgrade_with_a_chunked_body_and_100_continue_is_answered(talk: Talk, scan: bytes) -> None:
    lines = [f"POST {SCAN} HTTP/1.1", "Host: x", *H2C, "Transfer-Encoding: chunked", "Expect: 100-continue", "", ""]
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(scan), scan)
    answers = talk(["\r\n".join(lines).encode(), chunks, _request(scan, SCAN, CLOSE)])
    assert [(status, body) for status, _, body in answers] == [(100, b""), (200, OK), (200, OK)]


class _SlowRisk:
    """Is slow, and knows no shopper."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    async def look_up(self, _shopper_id: str) -> None:
        self.asked.set()
        await asyncio.sleep(0.5)


@pytest.mark.parametrize("accelerated", [True, False])
def test_decision_finishes_after_disconnect_and_stop(
    tmp_path: Path,
    accelerated: bool,  # noqa: FBT001 - a value of the setting
) -> None:
    risk, body = _SlowRisk(), orjson.dumps(document(SHOPPER_AUTHORIZATION.request)["examples"][0])
    app = _app(tmp_path, risk, accelerated=accelerated)
    protocol = AcceleratedProtocol if accelerated else NoUpgradeProtocol
    with _serving(app, protocol) as port, socket.create_connection(("127.0.0.1", port)) as caller:
        caller.sendall(_request(body, SHOPPER_AUTHORIZATION.path))
        assert risk.asked.wait(10)
    with closing(sqlite3.connect(tmp_path / "connector.sqlite3")) as database:
        assert database.execute("SELECT status FROM answer").fetchall() == [(200,)]


def test_signed_calls_go_through_the_app(tmp_path: Path, scan: bytes) -> None:
    with _serving(_app(tmp_path, caller={"mode": "headers", "headers": {"x-api-key": "s"}})) as port:
        answers = _talk(port, [_request(scan), _request(scan, SCAN, "X-Api-Key: s", CLOSE)])
    assert [status for status, _, _ in answers] == [403, 200]


NAMES = ("connection", "expect", "http2-settings", "traceparent", "transfer-encoding", "upgrade", "user-agent", "x_a.b")


@pytest.mark.parametrize("accelerated", [True, False])
def test_signature_may_cover_any_header_and_an_upgrade(
    tmp_path: Path,
    scan: bytes,
    accelerated: bool,  # noqa: FBT001 - a value of the setting
) -> None:
    key, now = ("AKIDEXAMPLE", "a-secret"), datetime.now(UTC)
    stamp, scope = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}/us-east-1/execute-api/aws4_request"
    values = ["Upgrade, HTTP2-Settings", "100-continue", "AAMA", "00-1-2-01", "chunked", "h2c", "Java/21  x", " é, 1"]
    signed = sorted([("host", "x"), ("x-amz-date", stamp), *zip(NAMES, values, strict=True)])
    folded = [(name, " ".join(value.split())) for name, value in signed]
    signature = Signer(*key, scope, stamp).authorization("POST", SCAN, "a=%2A&b=~", folded, scan)
    caller = {"mode": "sigv4", "access_key_id": key[0], "secret_access_key": key[1]}

    def sent(change: str = "") -> list[bytes]:
        lines = [f"{name}: {change if name == 'user-agent' and change else value}" for name, value in signed]
        head = [f"POST {SCAN}?b=%7e&a=* HTTP/1.1", *lines, f"Authorization: {signature}", "", ""]
        return ["\r\n".join(head).encode(), b"%x\r\n%s\r\n0\r\n\r\n" % (len(scan), scan)]

    with _serving(_app(tmp_path, caller=caller), AcceleratedProtocol if accelerated else NoUpgradeProtocol) as port:
        answers = _talk(port, [*sent(), *sent("Java/22 x"), _request(scan, SCAN, CLOSE)])
    assert [status for status, _, _ in answers] == [100, 200, 100, 403, 403]
    assert answers[1][2] == OK


def test_answer_past_capacity_has_retry_after(tmp_path: Path, a_cart: Any) -> None:
    calls = [_request(orjson.dumps(a_cart(trip=f"trip-{number}")), CART, CLOSE) for number in range(40)]
    with _serving(_app(tmp_path, limits={"in_flight": 1})) as port, ThreadPoolExecutor(40) as pool:
        answers = [found for (found,) in pool.map(lambda call: _talk(port, [call]), calls)]
    assert {status for status, _, _ in answers} == {201, 429}
    assert {headers.get("retry-after") for status, headers, _ in answers if status == 429} == {"1"}


class _Noting(AcceleratedProtocol):
    """Records the writes."""

    written: ClassVar[list[bytes]] = []

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.transport = _NotingTransport(transport, self.written)  # type: ignore[assignment] # it acts as one


class _NotingTransport:
    def __init__(self, transport: Any, written: list[bytes]) -> None:
        self._transport = transport
        self._written = written

    def write(self, data: bytes) -> None:
        self._written.append(data)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def test_head_and_body_leave_in_one_write(tmp_path: Path, scan: bytes) -> None:
    with _serving(_app(tmp_path), _Noting) as port:
        _talk(port, [_request(scan)])
    assert [data.count(b"\r\n\r\n{") for data in _Noting.written] == [1]


def test_handler_may_wait_for_more_than_the_store(tmp_path: Path) -> None:
    app, steps = _app(tmp_path), list[str]()

    async def wait_twice(body: bytes) -> Answer:
        await asyncio.sleep(0.01)
        steps.append("slept")
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.01)
        except TimeoutError:
            steps.append("timed out")
        return json_answer(200, {"bytes": len(body)})

    call = app.dispatcher.calls[SCAN]
    app.dispatcher.calls[SCAN] = call._replace(handle=wait_twice)
    with _serving(app) as port:
        [(status, _, body)] = _talk(port, [_request(b"12345", SCAN, CLOSE)])
    assert (status, body, steps) == (200, b'{"bytes":5}', ["slept", "timed out"])


@pytest.mark.parametrize("protocol", [AcceleratedProtocol, NoUpgradeProtocol])
def test_gate_waits_for_the_payment_provider(tmp_path: Path, a_scan: Any, protocol: type[NoUpgradeProtocol]) -> None:
    accelerated = protocol is AcceleratedProtocol
    with _serving(_app(tmp_path, app_test_keys=True, accelerated=accelerated), protocol) as port:
        [(_, _, minted)] = _talk(port, [_request(b"", "/app/mint/shopper", CLOSE, method="GET")])
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        scan = a_scan(identityKey=orjson.loads(minted)["identityKey"], event_timestamp=now)
        [(status, _, body)] = _talk(port, [_request(orjson.dumps(scan), SCAN, CLOSE)])
    assert (status, orjson.loads(body)) == (200, {"visitorDetails": {"id": "ada", "type": "SHOPPER"}})
    with closing(sqlite3.connect(tmp_path / "connector.sqlite3")) as database:
        assert database.execute("SELECT state FROM authorisation").fetchall() == [("held",)]
