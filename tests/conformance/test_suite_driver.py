"""The driver against unusual servers: its calls end in time, its answers stay small, and it masks secrets."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conformance.drivers import http
from conformance.drivers.exchange import Exchange, as_report
from conformance.drivers.http import ConnectorClient
from conformance.drivers.masks import masked_text
from jwo_contract.gate import NoAnswer
from jwo_contract.operations import VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile
from jwo_contract.profile_connector import ConnectorTable

Handler = Callable[[socket.socket, bytes], None]
BODY = b'{"requestId": "r", "identityKey": "c2Vzb2FtZS1rZXktNDcxMQ=="}'


@pytest.fixture
def listen() -> Iterator[Callable[[Handler], str]]:
    """Answer each connection with a handler that gets the socket and the request's bytes."""
    listeners: list[socket.socket] = []

    def start(handler: Handler) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        handler(connection, connection.recv(65536))
                    except OSError:
                        continue

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.close()


def send(url: str, **connector: object) -> Exchange:
    profile = Profile(connector=ConnectorTable.model_validate({"url": url, **connector}))
    with ConnectorClient(profile, lambda: datetime.now(UTC), lambda _exchange: None) as client:
        return client.send(VERIFY_IDENTITY_KEYS, BODY)


def answer(connection: socket.socket, body: bytes, *headers: str) -> None:
    head = "\r\n".join(["HTTP/1.1 200 OK", f"content-length: {len(body)}", *headers, "", ""])
    connection.sendall(head.encode() + body)


def test_slow_headers_do_not_hold_the_suite(listen: Callable[[Handler], str], monkeypatch: pytest.MonkeyPatch) -> None:
    def drip(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(200):
            connection.sendall(b"x-more: to come\r\n")
            time.sleep(0.05)

    monkeypatch.setattr(http, "READ_FOR_S", 0.5)
    exchange = send(listen(drip))

    assert exchange.failure is NoAnswer.TIMED_OUT
    assert exchange.elapsed_s < 2


def test_a_compression_bomb_stays_small(listen: Callable[[Handler], str]) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    exchange = send(listen(lambda connection, _request: answer(connection, bomb, "content-encoding: gzip")))

    assert exchange.answer is not None
    assert len(exchange.answer.body) == 4_000_000


def test_an_unrequested_compressed_answer_is_read(listen: Callable[[Handler], str]) -> None:
    packed = gzip.compress(b'{"visitorDetails": {"id": "a", "type": "SHOPPER"}}')
    exchange = send(listen(lambda connection, _request: answer(connection, packed, "content-encoding: gzip")))

    assert exchange.answer is not None
    assert exchange.answer.json() == {"visitorDetails": {"id": "a", "type": "SHOPPER"}}


@pytest.mark.parametrize("escape", [bytes, lambda text: json.dumps({"youSent": text.decode()}).encode()])
def test_an_echo_of_the_request_is_masked(listen: Callable[[Handler], str], escape: Callable[[bytes], bytes]) -> None:
    def echo(connection: socket.socket, request: bytes) -> None:
        answer(connection, escape(request), "x-you-sent: open-sesame-4711")

    exchange = send(listen(echo), auth="headers", headers={"x-odd": "open-sesame-4711"})

    shown = json.dumps(as_report(exchange, frozenset({"x-odd"}))) + exchange.in_short()
    assert "x-odd" in shown
    assert "open-sesame-4711" not in shown
    assert "c2Vzb2FtZS1rZXktNDcxMQ==" not in shown


def test_curl_line_expands_its_placeholders_in_a_shell(tmp_path: Path) -> None:
    body = BODY.replace(b'"r"', b'"it\'s $HOME"')
    headers = {"x-odd": "open-sesame-4711"}
    at = datetime(2026, 2, 5, tzinfo=UTC)
    exchange = Exchange(VERIFY_IDENTITY_KEYS, "POST", "http://127.0.0.1:1/x", headers, body, at, 0.1, None)
    curl = tmp_path / "curl"
    curl.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    curl.chmod(0o755)

    *exports, line = as_report(exchange, frozenset({"x-odd"}))["curl"].splitlines()
    environment = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "CONNECTOR_X_ODD": "open-sesame-4711",
        "IDENTITY_KEY": "c2Vzb2FtZS1rZXktNDcxMQ==",
    }
    shell = ["/bin/sh", "-c", line]
    ran = subprocess.run(shell, capture_output=True, text=True, check=True, env=environment, timeout=20)

    assert [each.partition("=")[0] for each in exports] == ["export CONNECTOR_X_ODD", "export IDENTITY_KEY"]
    assert all("of the profile" in each for each in exports)
    assert ran.stdout.splitlines()[-4:] == ["-H", "x-odd: open-sesame-4711", "--data-binary", body.decode()]


_CART = json.dumps(
    {
        "identityKey": "a2V5LW9mLWEtc2hvcHBlcg==",
        "scanResult": {"type": "SHOPPER", "id": "shopper-uuid-001"},
        "shopperIdentity": [{"id": "shopper-uuid-001"}],
        "shopperDeviceId": "device-uuid-001",
    }
)


@pytest.mark.parametrize(
    "text",
    [
        _CART,
        json.dumps(_CART),
        json.dumps(json.dumps(_CART)),
        _CART.replace('"', "'"),
        f"[{_CART}]",
        f"{_CART[:-1]},}}",
        f"{_CART} more",
        *(_CART[:length] for length in range(30, len(_CART), 7)),
    ],
)
def test_text_that_is_nearly_json_is_masked_too(text: str) -> None:
    shown = masked_text(text.encode())

    assert "shopper-" not in shown
    assert "device-" not in shown
    assert "a2V5LW" not in shown
