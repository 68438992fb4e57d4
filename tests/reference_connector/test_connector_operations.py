"""Health, readiness, metrics, spans, limits, replays, and a stop that finishes accepted calls."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import orjson
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from jwo_toolkit.launcher import launched
from reference_connector.accelerated.metrics import TurnWatch
from reference_connector.dispatch import RateLimit
from reference_connector.retailer import CardShopper
from reference_connector.telemetry import CallWatch, EventLog, Telemetry, system_clock
from tests.reference_connector.conftest import both_databases

SCAN, CART, TAP = "/v1/identity/identity-keys", "/v1/order/purchases", "/v1/fraudandabuse/shopperauthorization"


@both_databases
def test_ready_while_the_store_works(direct: Any) -> None:
    assert direct.http.get("/healthz").json() == {"status": "ok"}
    assert direct.http.get("/readyz").json() == {"status": "ready"}


@both_databases
def test_not_ready_while_the_store_is_broken(start: Callable[..., Any], storage: dict[str, Any]) -> None:
    connector = start(store=storage["store"] | {"busy_timeout_s": 0.1})
    if "database_url" in storage:
        import psycopg  # noqa: PLC0415 - this test alone breaks the database

        broken: Any = psycopg.connect(storage["database_url"])
    else:
        import sqlite3  # noqa: PLC0415 - as above

        broken = sqlite3.connect(storage["store"]["path"])
    with broken:
        broken.execute("DROP TABLE charge")
    broken.close()
    answer = connector.http.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "store_unavailable")
    assert connector.http.get("/healthz").status_code == 200


@both_databases
def test_metrics_count_decisions_replays_and_the_outbox(direct: Any, a_scan: Any, a_cart: Any) -> None:
    direct.identify(a_scan())
    direct.identify(a_scan())
    direct.identify(a_scan(identityKey="bm9ib2R5", event_id="22222222-2222-3333-4444-555555555555"))
    direct.identify({})
    direct.purchase(a_cart())
    text = direct.operator_get("/metrics").text
    name = 'jwo_connector_answers_total{call="Verify Identity Keys",code='
    for code, status in (("ok", 200), ("replayed", 200), ("unknown_key", 401), ("invalid_request", 400)):
        assert f'{name}"{code}",status="{status}"}} 1.0' in text
    assert 'jwo_connector_answer_seconds_bucket{call="Create Purchases",le="2.0"} 1.0' in text
    assert "jwo_connector_outbox_depth " in text


def test_metrics_and_log_have_no_data_of_a_shopper(direct: Any, a_scan: Any, a_cart: Any) -> None:
    direct.identify(a_scan())
    direct.purchase(a_cart())
    seen = direct.operator_get("/metrics").text + direct.log.getvalue()
    assert direct.events("identity_answered")
    for secret in ("dmFsaWRfc2hvcHBlcl9rZXk=", "valid_shopper_key", "shopper-uuid-001", '"ada"'):
        assert secret not in seen


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """OpenTelemetry as an operator sets it up; removed afterwards."""
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    before = trace._TRACER_PROVIDER  # noqa: SLF001 - the library offers no way back
    trace._TRACER_PROVIDER = provider  # noqa: SLF001 - as above
    yield kept
    trace._TRACER_PROVIDER = before  # noqa: SLF001 - as above
    provider.shutdown()


def test_call_has_a_span_if_opentelemetry_is_set_up(
    spans: InMemorySpanExporter, start: Callable[..., Any], a_scan: Any
) -> None:
    start().identify(a_scan())
    deadline = time.monotonic() + 5
    while not spans.get_finished_spans() and time.monotonic() < deadline:
        time.sleep(0.01)
    [span] = spans.get_finished_spans()
    assert (span.name, dict(span.attributes or {})) == (
        "Verify Identity Keys",
        {
            "http.response.status_code": 200,
            "jwo.decision": "ok",
            "jwo.auth_event_id": "11111111-2222-3333-4444-555555555555",
        },
    )


def test_span_of_a_caller_that_has_gone_ends(spans: InMemorySpanExporter, start: Callable[..., Any]) -> None:
    host, port = start().url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as caller:
        caller.sendall(b"POST /v1/identity/identity-keys HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.05)
    deadline = time.monotonic() + 5
    while not spans.get_finished_spans() and time.monotonic() < deadline:
        time.sleep(0.01)
    [span] = spans.get_finished_spans()
    assert not span.attributes


def test_a_body_over_the_limit_is_400_and_does_no_harm(start: Callable[..., Any], a_cart: Any, a_line: Any) -> None:
    connector = start(limits={"body_bytes": 5000})
    big = connector.purchase(a_cart(cartItems=[a_line(f"SKU-{number}") for number in range(200)]))
    assert (big.status_code, "larger than 5000" in big.json()["errorMsg"]) == (400, True)
    assert connector.purchase(a_cart()).status_code == 201


class Slow:
    """A risk system that is slow."""

    async def look_up(self, _shopper_id: str) -> CardShopper | None:
        await asyncio.sleep(0.5)
        return None


def test_past_capacity_it_answers_429_at_once(start: Callable[..., Any], a_scan: Any) -> None:
    connector = start(parts={"risk": Slow()}, limits={"in_flight": 2, "retry_after_s": 3})
    tap = {"storeId": "STORE-001", "shopperIdentity": {"id": "x"}}

    def authorize(_number: int) -> tuple[int, float]:
        started = time.perf_counter()
        with httpx.Client(base_url=connector.url) as client:
            answer = client.post(TAP, json=tap)
        assert answer.status_code == 200 or answer.headers["retry-after"] == "3"
        return answer.status_code, time.perf_counter() - started

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(authorize, range(6)))
    refused = [seconds for status, seconds in answers if status == 429]
    assert (len(refused), [status for status, _ in answers].count(200)) == (4, 2)
    assert max(refused) < 0.4
    assert connector.identify(a_scan()).status_code == 200
    assert 'code="busy",status="429"} 4.0' in connector.operator_get("/metrics").text


def test_rate_limit_admits_at_most_its_number_in_any_second() -> None:
    limit = RateLimit(3)
    moments_s = [0.0, 0.5, 0.9, 0.95, 0.999, 1.0, 1.2, 1.5, 1.95, 2.0]
    assert [moment for moment in moments_s if limit.admits(moment)] == [0.0, 0.5, 0.9, 1.0, 1.5, 1.95, 2.0]


def test_over_its_rate_limit_it_answers_429_and_when_to_try_again(
    start: Callable[..., Any], a_scan: Any, a_cart: Any
) -> None:
    connector = start(limits={"calls_per_second": 2, "retry_after_s": 3})
    answers = [connector.purchase(a_cart()), *(connector.identify(a_scan()) for _ in range(2))]
    assert [answer.status_code for answer in answers] == [201, 200, 429]
    assert answers[-1].headers["retry-after"] == "3"
    assert 'code="over_rate",status="429"} 1.0' in connector.operator_get("/metrics").text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"{" * 5000,
        b"[" * 200_000,
        b'{"a":' * 90 + b"1",
        b'"' + b"x" * 10_000,
        b"1e999",
    ],
)
@pytest.mark.parametrize("path", [SCAN, CART, TAP, "/v1/identity/scan", "/v1/identity/scan/details"])
def test_a_hostile_body_is_400_and_never_500(hardened: Served, path: str, body: bytes) -> None:
    assert hardened.http.post(path, content=body).status_code == 400


class Served(NamedTuple):
    """A connector in a separate process, and the clients of its two listeners."""

    process: subprocess.Popen[bytes]
    url: str
    http: httpx.Client
    admin: httpx.Client


@pytest.fixture(scope="module")
def hardened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A connector in a separate process, with two workers."""
    with _process(tmp_path_factory.mktemp("hardened"), workers=2) as served:
        yield served


@contextmanager
def _process(folder: Path, workers: int = 1) -> Iterator[Served]:
    """Serve the connector with `python -m reference_connector`."""
    command = (sys.executable, "-m", "reference_connector", "--workers", str(workers))
    environment = os.environ | {"JWO_CONNECTOR_STORE__PATH": str(folder / "connector.sqlite3")}
    with launched("connector", command, folder, environment) as started:
        url = started.url()
        deadline = time.monotonic() + 20
        while not _answers(url):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        admin_url = started.announcement.output.read_text().splitlines()[1].removeprefix("admin on ")
        with httpx.Client(base_url=url) as http, httpx.Client(base_url=admin_url) as admin:
            yield Served(started.process, url, http, admin)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_workers_share_their_metrics_and_their_answers(hardened: Served, a_cart: Any) -> None:
    def buy(_number: int) -> str:
        return str(httpx.post(f"{hardened.url}{CART}", json=a_cart(trip="trip-shared")).json()["purchaseId"])

    with ThreadPoolExecutor(8) as pool:
        [purchase_id] = set(pool.map(buy, range(24)))
    sold = re.findall(
        r'jwo_connector_answers_total\{call="Create Purchases",code="\w+",status="201"\} (\S+)',
        hardened.admin.get("/metrics").text,
    )
    assert sum(map(float, sold)) == 24, "each worker shows the answers of all workers"
    assert hardened.admin.get("/ops/receipts/trip-shared").json()["purchaseId"] == purchase_id


@pytest.mark.parametrize("path", ["/metrics", "/ops/parked", "/ops/receipts/trip-shared", "/ops/charges/pending"])
def test_workers_serve_operators_on_the_admin_listener_alone(hardened: Served, path: str) -> None:
    unknown = hardened.http.get("/no-such-page")
    assert [(answer.status_code, answer.content) for answer in (hardened.http.get(path), unknown)] == [
        (404, b'{"detail":"Not Found"}')
    ] * 2
    assert hardened.admin.get(path).status_code in {200, 404}
    assert hardened.admin.get(path).content != unknown.content


@pytest.mark.parametrize("path", [SCAN, CART, "/app/session", "/app"])
def test_admin_listener_serves_no_calls_and_no_app(hardened: Served, path: str) -> None:
    assert hardened.admin.post(path, json={}).status_code == 404
    assert hardened.admin.get("/readyz").json() == {"status": "ready"}


def test_stop_finishes_accepted_calls(tmp_path: Path, a_cart: Any) -> None:
    body = orjson.dumps(a_cart())
    with _process(tmp_path) as served:
        process, url = served.process, served.url
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as line:
            head = f"POST {CART} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            line.sendall(head + body[:20])
            time.sleep(0.2)  # the request has begun when the end is asked for
            process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
            line.sendall(body[20:])
            assert line.recv(4096).startswith(b"HTTP/1.1 201")
        assert process.wait(20) in {0, -signal.SIGTERM}


def test_answers_counted_together_give_the_same_metrics() -> None:
    answers = [(0.0004, 200, ""), (0.001, 200, ""), (0.3, 401, "unknown_key"), (9.0, 200, "")]

    def counted(new_watch: type[CallWatch]) -> set[tuple[str, str, float]]:
        telemetry = Telemetry(EventLog(system_clock))
        watch = telemetry.call("Any", new_watch)
        asyncio.run(_noted(watch, answers))
        samples = [each for family in telemetry.registry.collect() for each in family.samples]
        return {(each.name, str(each.labels), each.value) for each in samples if not each.name.endswith("_created")}

    assert counted(TurnWatch) == counted(CallWatch)
    assert ("jwo_connector_answer_seconds_count", "{'call': 'Any'}", 4.0) in counted(TurnWatch)


async def _noted(watch: CallWatch, answers: list[tuple[float, int, str]]) -> None:
    for answer in answers:
        watch._note(*answer)  # noqa: SLF001 - the time of an answer cannot be given from outside
    await asyncio.sleep(0)
