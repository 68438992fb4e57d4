"""The HTTP client: all kinds of answers and failures, over real sockets."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PROBE = Path(__file__).with_name("http_client_probe.py")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Talk = Callable[[socket.socket], None]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@contextmanager
def _talking(talk: Talk, wrap: Callable[[socket.socket], socket.socket]) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_one, args=(client, talk, wrap), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _one(client: socket.socket, talk: Talk, wrap: Callable[[socket.socket], socket.socket]) -> None:
    try:
        with wrap(client) as wrapped:
            talk(wrapped)
    except OSError:
        client.close()


def probe(stack: ExitStack, talk: Talk, *, count: int = 1, **given: float) -> list[dict[str, Any]]:
    port = stack.enter_context(_talking(talk, lambda client: client))
    return run_probe(f"http://127.0.0.1:{port}", count=count, **given)


def run_probe(
    url: str,
    *,
    count: int = 1,
    read_for_s: float = 3.0,
    crossing_s: float = 0.01,
    pause_s: float = 0.0,
    variables: dict[str, str] | None = None,
) -> Any:
    command = [sys.executable, str(PROBE), url, *map(str, (read_for_s, crossing_s, pause_s, count))]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, env=os.environ | (variables or {})
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _answering(*answers: bytes) -> Talk:
    def talk(client: socket.socket) -> None:
        for answer in answers:
            if not client.recv(65536):
                return
            client.sendall(answer)
        client.recv(65536)

    return talk


def test_kept_connection_is_used_again(stack: ExitStack) -> None:
    first, second = probe(stack, _answering(OK, OK), count=2)

    assert (first["cold"], second["cold"]) == (True, False)
    assert (first["status"], second["body"]) == (200, "ok")


INTERRUPTED = """
import runpy, sys
from load.http_client.connection import Connection

def interrupt(self, part):
    raise KeyboardInterrupt

Connection.on_body = interrupt
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_interrupt_inside_the_parser_ends_the_process(stack: ExitStack) -> None:
    port = stack.enter_context(_talking(_answering(OK), lambda client: client))
    command = [sys.executable, "-c", INTERRUPTED, str(PROBE), f"http://127.0.0.1:{port}", "3", "0.01", "0", "1"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == -signal.SIGINT
    assert done.stdout == ""


def test_announced_close_leads_to_a_new_connection(stack: ExitStack) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

    entries = probe(stack, _answering(answer), count=2)

    assert [(entry["status"], entry["cold"], entry["resent"]) for entry in entries] == [(200, True, False)] * 2


def test_connection_that_closes_while_idle_is_no_failure(stack: ExitStack) -> None:
    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(OK)

    entries = probe(stack, talk, count=2, pause_s=0.1)

    assert [(entry["status"], entry["failure"]) for entry in entries] == [(200, None)] * 2


def test_request_that_crosses_a_close_is_resent_and_counted(stack: ExitStack) -> None:
    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(OK)
        client.recv(65536)

    first, second = probe(stack, talk, count=2, crossing_s=2)  # it closes at once, but this machine may be busy

    assert (first["resent"], second["resent"], second["status"]) == (False, True, 200)


def test_kept_connection_that_closes_on_a_request_is_broken(stack: ExitStack) -> None:
    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(OK)
        client.recv(65536)
        threading.Event().wait(0.1)

    _, second = probe(stack, talk, count=2)

    assert (second["resent"], second["failure"]) == (False, "connection broken")


def test_chunked_answer_is_read_whole(stack: ExitStack) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"

    assert probe(stack, _answering(answer))[0]["body"] == "abcde"


def test_answer_that_ends_with_the_connection_is_read_whole(stack: ExitStack) -> None:
    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end")

    assert probe(stack, talk)[0]["body"] == "to the end"


@pytest.mark.parametrize(
    ("answer", "status", "failure"),
    [
        (b"HTTP/1.0 200 OK\r\nX-Any: x\r\n\r\n", 200, None),
        (b"HTTP/1.0 200 OK\r\nX-Any: x\r\n", 0, "connection broken"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhalf", 0, "connection broken"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", 0, "connection broken"),
    ],
    ids=["empty", "in the headers", "in the body", "before the answer"],
)
def test_close_ends_only_an_answer_without_length(
    stack: ExitStack, answer: bytes, status: int, failure: str | None
) -> None:
    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(answer)

    entry = probe(stack, talk)[0]

    assert (entry["status"], entry["failure"]) == (status, failure)


def test_100_continue_is_not_the_answer(stack: ExitStack) -> None:
    assert probe(stack, _answering(b"HTTP/1.1 100 Continue\r\n\r\n" + OK))[0]["status"] == 200


def test_slow_answer_is_timed_to_its_last_byte(stack: ExitStack) -> None:
    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(OK[:-1])
        threading.Event().wait(0.3)
        client.sendall(OK[-1:])

    assert probe(stack, talk)[0]["ms"] >= 300


def test_request_without_an_answer_times_out(stack: ExitStack) -> None:
    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.recv(65536)

    entry = probe(stack, talk, read_for_s=0.4)[0]

    assert entry["failure"] == "timed out"
    assert 400 <= entry["ms"] < 1500


def test_refused_connection_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert run_probe(f"http://127.0.0.1:{port}")[0]["failure"] == "connection refused"


def test_incomplete_answer_is_named(stack: ExitStack) -> None:
    def talk(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this")

    assert probe(stack, talk)[0]["failure"] == "connection broken"


def test_answer_that_is_not_http_is_named(stack: ExitStack) -> None:
    assert probe(stack, _answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"))[0]["failure"] == "answer is not HTTP"


def test_https_connection_is_kept(stack: ExitStack, tmp_path: Path) -> None:
    certificate = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    port = stack.enter_context(
        _talking(_answering(OK, OK), lambda client: context.wrap_socket(client, server_side=True))
    )

    entries = run_probe(f"https://localhost:{port}", count=2, variables={"SSL_CERT_FILE": str(certificate)})

    assert [(entry["status"], entry["cold"]) for entry in entries] == [(200, True), (200, False)]


def test_unknown_certificate_is_refused(stack: ExitStack, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path))
    port = stack.enter_context(_talking(_answering(OK), lambda client: context.wrap_socket(client, server_side=True)))

    assert run_probe(f"https://localhost:{port}")[0]["failure"] == "connection broken"


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
