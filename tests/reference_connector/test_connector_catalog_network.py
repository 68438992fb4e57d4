"""The catalog client on a network that cuts, delays and lies: it repeats the calls that may pass later."""

from __future__ import annotations

import gzip
import os
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jwo_contract.errors import BadSettings
from jwo_contract.settings import read
from reference_connector.catalog_client import app as composition
from reference_connector.catalog_client.app import create_client
from reference_connector.catalog_client.attempts import Attempts
from reference_connector.catalog_client.journal import UploadJournal
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.errors import (
    BadRows,
    MalformedAnswer,
    PlatformRefused,
    PlatformUnreachable,
)
from tests.foreign.certificates import make_certificates
from tests.reference_connector.bad_network import (
    BadNetwork,
    Exchange,
    Fault,
    answers,
    babbles,
    closes,
    cuts,
    cuts_without_a_length,
    drips,
    drips_headers,
    hangs,
    loses_the_answer,
    reset,
    works,
)
from tests.reference_connector.conftest import QUICK, WITHOUT_AN_END
from tests.reference_connector.small_platform import (
    SmallPlatform,
    settings_for,
    some_rows,
)

UPLOAD, STATUS = "/catalog/upload", "/getCatalogUploadStatus"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
EXPIRED_TOKEN = b"<Error><Code>ExpiredToken</Code></Error>"
PAST = "Thu, 01 Jan 2026 00:00:00 GMT"
FAR = "Fri, 31 Dec 2100 23:59:59 GMT"


@pytest.mark.parametrize(
    "fault",
    [
        reset, closes, cuts, cuts_without_a_length, hangs, drips, drips_headers, babbles, loses_the_answer,
        *(answers(status) for status in (408, 425, 429, 500, 502, 503, 504)),
        answers(503, b"<html>busy</html>", Retry_After="0"),
        answers(502, Retry_After="9" * 400),
        answers(504, Retry_After=FAR),
        answers(429, Retry_After=PAST),
        answers(503, Retry_After="soon"),
        answers(503, Retry_After="-1"),
        answers(500, b'{"message":"Internal server error"}'),
        answers(201, b"<html>sign in</html>"),
        answers(201, gzip.compress(b'{"ingestionId":"x"}')[:-9], Content_Encoding="gzip"),
    ],
)  # fmt: skip
def test_upload_survives_a_passing_fault(network: BadNetwork, logged: Any, fault: Fault) -> None:
    network.faults[UPLOAD] = [fault, fault]
    client, events = logged(**(QUICK if fault in WITHOUT_AN_END else {}))
    (ingestion_id,) = client.upload(some_rows(1))
    assert (ingestion_id[:10], network.count(UPLOAD)) == ("ingestion-", 3)
    pauses = [event["retryInS"] for event in events("catalog_call_failed")]
    assert len(pauses) == 2
    assert max(pauses) <= 0.01


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 405, 409, 413, 501])
def test_final_status_is_sent_once(network: BadNetwork, logged: Any, status: int) -> None:
    network.faults[UPLOAD] = [answers(status, Retry_After="0", Location="http://other.example/x?token=secret")]
    with pytest.raises(PlatformRefused) as refused:
        logged()[0].upload(some_rows(1))
    assert (refused.value.status, network.count(UPLOAD), "secret" in str(refused.value)) == (status, 1, False)
    named = {401: "SESSION_TOKEN", 403: "JWO_CATALOG_REGION", 404: "ENDPOINT", 413: "CHUNK_ROWS", 301: "ENDPOINT"}
    assert named.get(status, "") in refused.value.hint


def test_each_attempt_has_a_signature_of_its_own(
    network: BadNetwork, logged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(100))
    monkeypatch.setattr(composition, "system_clock", lambda: datetime.now(UTC) + timedelta(seconds=next(seconds)))
    network.faults[UPLOAD] = [reset, answers(503)]
    logged()[0].upload(some_rows(1))
    signatures = {request.content.partition(b"Signature=")[2][:64] for request in network.requests}
    assert len(signatures) == 3


@pytest.mark.parametrize(
    ("asked", "low", "high"),
    [
        ({}, 0.5, 1.0),
        ({"Retry_After": "7"}, 7, 7),
        ({"Retry_After": "3600"}, 20, 20),
        ({"Retry_After": FAR}, 20, 20),
        ({"Retry_After": "Thu, 01 Jan 2026 00:00:09 GMT", "Date": PAST}, 9, 9),
        ({"Retry_After": PAST}, 0.5, 1.0),
        ({"Retry_After": "1.5 s"}, 0.5, 1.0),
    ],
)
def test_pause_is_what_the_platform_asks_within_a_limit(
    network: BadNetwork, logged: Any, monkeypatch: pytest.MonkeyPatch, asked: dict[str, str], low: float, high: float
) -> None:
    monkeypatch.setattr(Attempts, "_pause", lambda _attempts, _seconds: None)
    network.faults[UPLOAD] = [answers(503, **asked)]
    client, events = logged(backoff_first_s=0.5, retry_wait_max_s=20)
    client.upload(some_rows(1))
    (event,) = events("catalog_call_failed")
    assert low <= event["retryInS"] <= high


def test_refused_connection_is_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening, so each connection is refused
        settings = settings_for(f"http://127.0.0.1:{taken.getsockname()[1]}", max_attempts=3, **QUICK)
        with create_client(settings) as client, pytest.raises(PlatformUnreachable) as failed:
            client.status("one")
    assert "refused (3 attempts)" in str(failed.value)
    assert "JWO_CATALOG_ENDPOINT" in failed.value.hint


def test_unknown_host_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fail(*_arguments: Any, **_more: Any) -> Any:
        calls.append(1)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    settings = settings_for("http://catalog.invalid", max_attempts=2, **QUICK)
    with create_client(settings) as client, pytest.raises(PlatformUnreachable, match=r"catalog\.invalid.*not known"):
        client.status("one")
    assert len(calls) == 2


@contextmanager
def tls_server(certificate: Path) -> Iterator[str]:
    """Accept TLS connections, and answer each with an ingestion in the queue."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        body = b'{"processingStatus":"INQUEUE","reportDownloadLink":""}'
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    yield f"https://localhost:{listener.getsockname()[1]}"
    listener.close()


def test_certificate_that_is_not_trusted_is_named_and_may_be_declared(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    with tls_server(certificates.server) as url:
        with create_client(settings_for(url)) as client, pytest.raises(PlatformUnreachable) as failed:
            client.status("one")
        assert (failed.value.attempts, "not trusted" in str(failed.value)) == (1, True)
        assert "JWO_CATALOG_CA_FILE" in failed.value.hint
        with create_client(settings_for(url, ca_file=str(certificates.ca))) as client:
            assert client.status("one")["processingStatus"] == "INQUEUE"
    with pytest.raises(BadSettings, match="JWO_CATALOG_CA_FILE"), create_client(settings_for(url, ca_file="missing")):
        pass


def test_tls_to_a_plain_port_is_tried_once(platform: SmallPlatform) -> None:
    settings = settings_for(platform.url.replace("http:", "https:"), **QUICK)
    with create_client(settings) as client, pytest.raises(PlatformUnreachable, match="TLS handshake") as failed:
        client.status("one")
    assert failed.value.attempts == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("endpoint", "catalog.example"),
        ("endpoint", "http://x:port"),
        ("endpoint", "http://[::1"),
        ("endpoint", ""),
        ("queue_url", "arn:aws:sqs:us-east-1:123456789012:results"),
        ("queue_url", "results"),
        ("aws_endpoint_url", "localhost:4566"),
        ("session_token", "line\n"),
        ("access_key_id", "AKIDÉ"),
        ("timeout_s", "0"),
    ],
)
def test_setting_that_no_call_can_use_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    given = {"endpoint": "http://127.0.0.1:9", "access_key_id": "a", "secret_access_key": "b"} | {name: value}
    for each, text in given.items():
        monkeypatch.setenv(f"JWO_CATALOG_{each.upper()}", text)
    with pytest.raises(BadSettings, match=f"JWO_CATALOG_{name.upper()}"):
        read(CatalogClientSettings)


def test_failure_stops_other_chunks_and_keeps_their_ids(platform: SmallPlatform, logged: Any, tmp_path: Path) -> None:
    platform.answers = [(201, {"ingestionId": "first"}, {}), (400, {"errorMsg": "no"}, {})]
    client, seen = logged(chunk_rows=2)[0], list[str]()
    with pytest.raises(PlatformRefused):
        client.upload(some_rows(9), UploadJournal(tmp_path / "journal"), lambda each: seen.append(each.ingestion_id))
    assert (seen, len(platform.calls)) == (["first"], 2)
    platform.done("first")
    assert client.wait_for_results(["first"], 5)[0].report, "calls work again after the stop"


def test_failure_ends_the_pauses_of_other_workers(network: BadNetwork, logged: Any) -> None:
    network.faults[UPLOAD] = [answers(503, Retry_After="900"), answers(403)]
    with pytest.raises(PlatformRefused) as refused:
        logged(chunk_rows=1, workers=2, retry_wait_max_s=900)[0].upload(some_rows(2))
    assert refused.value.status == 403


def test_whole_answer_has_a_limit_although_no_wait_is_long(network: BadNetwork, logged: Any) -> None:
    network.faults[UPLOAD] = [drips_headers] * 9
    with pytest.raises(PlatformUnreachable, match=r"not complete after 0\.3 s"):
        logged(timeout_s=5, answer_limit_s=0.3, max_attempts=2)[0].upload(some_rows(1))


def test_answer_that_a_proxy_repeats_is_no_ingestion(network: BadNetwork, logged: Any, tmp_path: Path) -> None:
    network.faults[UPLOAD] = [answers(201, b'{"ingestionId":"old"}')] * 2
    client, journal = logged(chunk_rows=1)[0], UploadJournal(tmp_path / "journal")
    with pytest.raises(MalformedAnswer, match="two uploads with ingestion old"):
        client.upload(some_rows(3), journal)
    assert len(set(client.upload(some_rows(3), journal))) == 3


def test_link_that_cannot_be_reached_blames_no_setting(platform: SmallPlatform, logged: Any) -> None:
    platform.done("one")
    platform.status["one"]["reportDownloadLink"] = "http://127.0.0.1:9/report"
    (result,) = logged(max_attempts=1)[0].wait_for_results(["one"], 0.5)
    assert "the platform named this address" in result.problem
    assert "JWO_CATALOG" not in result.problem


def test_signal_ends_the_upload_after_the_call_that_runs(
    network: BadNetwork, logged: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_signal: Any) -> None:
        raise SystemExit(143)

    def answers_after_a_signal(exchange: Exchange) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        threading.Event().wait(0.25)
        works(exchange)

    before = signal.signal(signal.SIGUSR1, stop)
    patient = {"chunk_rows": 1, "timeout_s": 5, "answer_limit_s": 5}
    network.faults[UPLOAD] = [works, answers_after_a_signal]
    seen, journal = list[str](), UploadJournal(tmp_path / "journal")
    try:
        with pytest.raises(SystemExit):
            logged(**patient)[0].upload(some_rows(9), journal, lambda each: seen.append(each.ingestion_id))
        monkeypatch.setattr("reference_connector.catalog_client.client._GRACE_S", 0)
        network.faults[UPLOAD] = [answers_after_a_signal]
        with pytest.raises(SystemExit):
            logged(**patient)[0].upload(some_rows(9), UploadJournal(tmp_path / "other"))
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == ["ingestion-1", "ingestion-2"]
    assert journal.find(some_rows(2)[1:]) == "ingestion-2"


def test_archive_gives_the_ids_before_a_failure(platform: SmallPlatform, logged: Any) -> None:
    platform.app.post("/v1/catalog/archive")(platform.upload)
    platform.answers = [(201, {"ingestionId": "first"}, {}), (403, {}, {})]
    ids: list[str] = []
    with pytest.raises(PlatformRefused):
        logged(chunk_rows=1)[0].archive(["a", "b"], ["STORE-001"], ids.append)
    assert ids == ["first"]
    with pytest.raises(BadRows, match="Unicode"):
        logged()[0].archive(["\udcff"], ["STORE-001"])
