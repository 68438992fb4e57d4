"""The platform's own HTTP client against raw sockets: framings, encodings, garbage, silence, and its requests."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest

from jwo_contract.gate import NoAnswer
from simulator.errors import BadCall
from simulator.http_client import Reply, Tampering, post

OK = b"HTTP/1.1 200 OK\r\n"


def exchanged(*pieces: bytes, path: str = "/v1/x", timeout_s: float = 2, **more: Any) -> tuple[Reply, bytes]:
    """Send a body to a server that answers with the pieces and closes; returns the reply and the received bytes."""

    async def run() -> tuple[Reply, bytes]:
        arrived = bytearray()
        writers: list[asyncio.StreamWriter] = []
        serving: list[asyncio.Task[Any] | None] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            serving.append(asyncio.current_task())
            try:
                arrived.extend(await reader.readuntil(b"\r\n\r\n"))
                arrived.extend(await reader.read(100_000))
            except asyncio.IncompleteReadError as error:
                arrived.extend(error.partial)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.005)
            if pieces:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reply = await post(f"http://127.0.0.1:{port}{path}", {"X-Own": "yes"}, b'{"a":1}', timeout_s, **more)
        server.close()
        for task in serving:
            if task:
                task.cancel()
        await asyncio.gather(*[task for task in serving if task], return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)
        return reply, bytes(arrived)

    return asyncio.run(run())


@pytest.mark.parametrize(
    "pieces",
    [
        (OK + b"Content-Length: 5\r\n\r\nhello",),
        (OK, b"Content-Length: 5\r\n\r\nhe", b"llo"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n", b"0\r\n\r\n"),
        (OK + b"Connection: close\r\n\r\nhel", b"lo"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", OK + b"Content-Length: 5\r\n\r\nhello"),
        (
            OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(gzip.compress(b"hello")),
            gzip.compress(b"hello"),
        ),
    ],
    ids=["length", "in pieces", "chunked", "until close", "continue", "gzip"],
)
def test_answer_is_read_in_every_framing(pieces: tuple[bytes, ...]) -> None:
    reply, _ = exchanged(*pieces)
    assert (reply.status, reply.body, reply.failure) == (200, b"hello", None)


@pytest.mark.parametrize(
    ("pieces", "failure", "problem"),
    [
        ((b"SSH-2.0-OpenSSH\r\n\r\n",), NoAnswer.MALFORMED_ANSWER, "not_http"),
        ((OK + b"Content-Length: 50\r\n\r\nhello",), NoAnswer.NO_CONNECTION, "closed"),
        ((OK + b"Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx",), NoAnswer.MALFORMED_ANSWER, "content_encoding"),
        (
            (OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",),
            NoAnswer.MALFORMED_ANSWER,
            "content_encoding",
        ),
        ((OK,), NoAnswer.NO_CONNECTION, "closed"),
    ],
    ids=["not http", "cut short", "unknown encoding", "false gzip", "half a head"],
)
def test_malformed_answer_gives_the_reason(pieces: tuple[bytes, ...], failure: NoAnswer, problem: str) -> None:
    assert exchanged(*pieces)[0] == Reply(None, {}, b"", failure, problem)


def test_silence_and_slow_answers_time_out() -> None:
    assert exchanged(timeout_s=0.1)[0][3:] == (NoAnswer.TIMED_OUT, "waiting")
    dripping = [OK + b"Content-Length: 500\r\n\r\n", *[b"x"] * 200]
    assert exchanged(*dripping, timeout_s=0.2)[0][3:] == (NoAnswer.TIMED_OUT, "reading")


def test_refused_connection_is_reported() -> None:
    reply = asyncio.run(post("http://127.0.0.1:9/x", {}, b"", 1))
    assert reply[3:] == (NoAnswer.NO_CONNECTION, "refused")


def test_redirect_is_an_answer_and_not_followed() -> None:
    reply, _ = exchanged(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n")
    assert (reply.status, reply.headers["location"]) == (302, "http://127.0.0.1:9/")


def test_request_is_complete_and_names_its_host() -> None:
    _, arrived = exchanged(OK + b"Content-Length: 0\r\n\r\n", path="/a b/ü")
    head, _, body = arrived.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /a%20b/%C3%BC HTTP/1.1"
    assert lines[1].startswith("Host: 127.0.0.1:")
    assert {"X-Own: yes", "Content-Length: 7"} <= set(lines)
    assert body == b'{"a":1}'


def test_cut_call_leaves_half_a_body() -> None:
    reply, arrived = exchanged(tampering=Tampering(cut=True))
    assert reply.failure is NoAnswer.NO_CONNECTION
    assert arrived.endswith(b"\r\n\r\n" + b'{"a') or arrived == b""


def test_header_with_a_line_break_is_refused() -> None:
    with pytest.raises(BadCall):
        asyncio.run(post("http://127.0.0.1:9/x", {"X-Evil": "a\r\nHost: b"}, b"", 1))
