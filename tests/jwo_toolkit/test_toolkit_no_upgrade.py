"""A server ignores Upgrade over real sockets: it reads the body, answers once, and keeps the connection."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from jwo_toolkit.no_upgrade import NoUpgradeProtocol

H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")
WEBSOCKET = ("Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
TLS = ("Upgrade: TLS/1.0, HTTP/2.0", "Connection: upgrade")
TWO = ("upgrade: h2c", "CONNECTION: Upgrade", "Upgrade: websocket", "Connection: HTTP2-Settings")
CLOSE = "Connection: close"
BODY = b'{"requestId":"1"}'


async def echo(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    seen = {
        "method": scope["method"],
        "path": scope["path"],
        "body": body.decode(),
        "headers": [[name.decode(), value.decode()] for name, value in scope["headers"]],
    }
    content = json.dumps(seen).encode()
    headers = [(b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(echo, http=NoUpgradeProtocol, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)
    listener.close()


def request(*headers: str, method: str = "POST", path: str = "/a?b=%41", body: bytes = BODY) -> bytes:
    length = () if any("chunked" in header for header in headers) else (f"Content-Length: {len(body)}",)
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *headers, *length, "", ""]).encode() + body


def talk(port: int, *pieces: bytes) -> tuple[list[str], list[dict[str, Any]]]:
    """Send the pieces, and read to the end of the connection; returns the status lines and the echoed requests."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
            if len(pieces) > 1:
                time.sleep(0.002)
        received = bytearray()
        while chunk := connection.recv(1_000_000):
            received += chunk
    answers = received.decode().split("HTTP/1.1 ")[1:]
    bodies = [answer.partition("\r\n\r\n")[2] for answer in answers]
    return [answer[:3] for answer in answers], [json.loads(body) for body in bodies if body.startswith("{")]


@pytest.mark.parametrize("asked", [H2C, WEBSOCKET, TLS, TWO], ids=["h2c", "websocket", "tls", "two"])
def test_body_is_read_and_every_header_arrives(port: int, asked: tuple[str, ...]) -> None:
    statuses, [seen] = talk(port, request(*asked, CLOSE))
    assert statuses == ["200"]
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/a", BODY.decode())
    sent = [header.split(": ") for header in ("Host: x", *asked, CLOSE, f"Content-Length: {len(BODY)}")]
    assert sorted(seen["headers"]) == sorted([name.lower(), value] for name, value in sent)


@pytest.mark.parametrize("asked", [H2C, WEBSOCKET, TLS], ids=["h2c", "websocket", "tls"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_request_without_a_body_is_served_too(port: int, asked: tuple[str, ...], method: str) -> None:
    statuses, [seen] = talk(port, request(*asked, CLOSE, method=method, body=b""))
    assert (statuses, seen["method"], seen["body"]) == (["200"], method, "")


def test_chunked_body_is_read(port: int) -> None:
    chunked = b"7\r\n" + BODY[:7] + b"\r\n%x;ext=1\r\n" % (len(BODY) - 7) + BODY[7:] + b"\r\n0\r\nTrailer: 1\r\n\r\n"
    statuses, seen = talk(port, request(*H2C, "Transfer-Encoding: chunked", body=chunked), request(CLOSE))
    assert statuses == ["200", "200"]
    assert [each["body"] for each in seen] == [BODY.decode()] * 2


def test_caller_that_waits_for_100_continue_gets_it(port: int) -> None:
    whole = request(*H2C, "Expect: 100-continue")
    statuses, seen = talk(port, whole[: -len(BODY)], BODY, request(CLOSE))
    assert statuses == ["100", "200", "200"]
    assert [each["body"] for each in seen] == [BODY.decode()] * 2


REQUESTS = (request(*H2C, path="/1"), request(path="/2"), request(*TLS, path="/3"), request(*H2C, CLOSE, path="/4"))


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_requests_on_one_connection_are_answered_in_turn(port: int, size: int) -> None:
    whole = b"".join(REQUESTS)
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    statuses, seen = talk(port, *pieces)
    assert statuses == ["200"] * 4
    assert [(each["path"], each["body"]) for each in seen] == [(f"/{number}", BODY.decode()) for number in range(1, 5)]


def test_a_thousand_upgrades_in_one_piece_are_answered(port: int) -> None:
    asked = ("Connection: Upgrade", "Upgrade: h2c")
    statuses, _ = talk(port, request(*asked) * 1_000 + request(*asked, CLOSE))
    assert statuses == ["200"] * 1_001


@pytest.mark.parametrize(
    "wrong",
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n",
        request(*H2C, "Content-Length: x", body=b""),
        request(*H2C, "Transfer-Encoding: chunked", body=b"zz\r\n"),
    ],
)
def test_what_is_wrong_without_upgrade_gets_one_400(port: int, wrong: bytes) -> None:
    statuses, _ = talk(port, wrong)
    assert statuses == ["400"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("more", [(), ("-H", "Transfer-Encoding: chunked"), ("-H", "Expect: 100-continue")])
def test_curl_with_http2_is_served_over_one_connection(port: int, more: tuple[str, ...]) -> None:
    url = f"http://127.0.0.1:{port}/a"
    command = [
        "curl",
        "-sS",
        "--noproxy",
        "*",
        "--max-time",
        "10",
        "--http2",
        "-w",
        "%{num_connects} %{http_version}\n",
    ]
    command += ["--data-binary", BODY.decode(), *more, url, url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert [json.loads(line.rpartition("}")[0] + "}")["body"] for line in (first, second)] == [BODY.decode()] * 2
    assert [line.rpartition("}")[2] for line in (first, second)] == ["1 1.1", "0 1.1"]
