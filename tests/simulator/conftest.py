"""A platform on a real socket, with a real moto server, and a connector with answers that a test chooses."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import httpx
import orjson
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from moto.server import ThreadedMotoServer

from jwo_contract.sigv4 import Key, sign
from jwo_toolkit.no_upgrade import NoUpgradeProtocol
from simulator import composition
from simulator.app import create_app
from simulator.aws import Aws, aws_clients
from simulator.clock import wait_for_first
from simulator.settings import PlatformSettings

RETAILER_KEY = Key("retailer-key", "retailer-secret", "retailer-session")
STORE, GATE, ACCOUNT = "STORE-001", "STORE-001-GATE-1", "123456789012"


class MovableClock:
    """The system's clock plus the time `ahead`, which a test sets."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def wall(self) -> datetime:
        return self.now()

    def wall_s(self, platform_s: float) -> float:
        return platform_s

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float, unless: asyncio.Future[None] | None = None) -> None:
        await wait_for_first(asyncio.sleep(seconds), unless)


@dataclass
class ScriptedConnector:
    """A retailer's connector: `identity` and `purchases` are its answers in turn; it repeats the last one."""

    identity: list[Any] = field(default_factory=lambda: [accepted()])
    purchases: list[Any] = field(default_factory=lambda: [(201, {"purchaseId": "purchase-1"})])
    seen: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    url: str = ""
    answer: Callable[[str, dict[str, Any]], tuple[int, Any]] | None = None
    """Chooses the answer by the message, instead of the answers in turn."""
    scans: list[Any] = field(default_factory=list)
    authorizations: list[Any] = field(default_factory=list)
    most_at_once: int = 0
    _now: int = 0

    def bodies(self, path_end: str) -> list[dict[str, Any]]:
        return [body for path, _, body in self.seen if path.endswith(path_end)]

    def _script(self, path: str) -> list[Any]:
        if path.startswith("identity/scan"):
            return self.scans
        if path.startswith("fraud"):
            return self.authorizations
        return self.identity if path.startswith("identity") else self.purchases

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/v1/{path:path}")
        async def call(path: str, request: Request) -> Response:
            raw = await request.body()
            try:
                body = orjson.loads(raw)
            except orjson.JSONDecodeError:
                self.seen.append((path, dict(request.headers), {"malformed": raw.decode()}))
                return await _answer((400, {"errorMsg": "malformed"}))
            self.seen.append((path, dict(request.headers), body))
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            try:
                if self.answer is not None:
                    return await _answer(self.answer(path, body))
                script = self._script(path)
                return await _answer(script.pop(0) if len(script) > 1 else script[0])
            finally:
                self._now -= 1

        return app


async def _answer(wanted: Any) -> Response:
    status, body, *rest = wanted
    extra = rest[0] if rest else {}
    if "delay_s" in extra:
        await asyncio.sleep(extra["delay_s"] + 0.002)  # the loop may end a wait this much early
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return Response(content, status, extra.get("headers", {}), "application/json")


def accepted(visitor: str = "visitor-1", kind: str = "SHOPPER") -> tuple[int, dict[str, Any]]:
    return 200, {"visitorDetails": {"id": visitor, "type": kind}}


@dataclass
class Platform:
    """A running platform, with the calls that many tests make."""

    url: str
    http: httpx.Client
    clock: MovableClock
    aws_url: str
    stop: Callable[[], None] = lambda: None

    def set_up_store(self, connector: ScriptedConnector | str | None, **more: Any) -> None:
        url = connector.url if isinstance(connector, ScriptedConnector) else connector
        setup = {"retailer": "corner-retail", "gates": [GATE], **more}
        if url:
            setup["connector"] = {"url": url, **more.pop("mode", {})}
            setup.pop("mode", None)
        assert self.http.put(f"/portal/stores/{STORE}", json=setup).status_code == 200

    def allow_list(self, queue_arn: str, account: str = ACCOUNT, **more: Any) -> httpx.Response:
        setup = {
            "retailer": "corner-retail",
            "accessKeyId": RETAILER_KEY.access_key_id,
            "secretAccessKey": RETAILER_KEY.secret_access_key,
            "sessionToken": RETAILER_KEY.session_token,
            "queueArn": queue_arn,
            **more,
        }
        return self.http.put(f"/portal/accounts/{account}", json=setup)

    def signed(self, path: str, body: Any, key: Key = RETAILER_KEY) -> httpx.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        url = self.url + path
        plain = {"Content-Type": "application/json", "Accept": "application/json"}
        headers = sign("POST", url, plain, content, key, region="us-east-1", now=self.clock.now())
        return self.http.post(url, content=content, headers=headers)

    def upload(self, *items: dict[str, Any]) -> httpx.Response:
        return self.signed("/v1/catalog/upload", {"catalogItems": list(items)})

    def status(self, ingestion_id: str) -> dict[str, Any]:
        answer = self.signed("/v1/catalog/getCatalogUploadStatus", {"ingestionId": ingestion_id})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def done(self, ingestion_id: str) -> dict[str, Any]:
        """Wait until an ingestion is DONE, with few enough calls for the rate limit, and return its status."""
        return dict(
            wait_until(lambda: found if (found := self.status(ingestion_id))["reportDownloadLink"] else None, 0.11)
        )

    def scan(self, text: str = "valid_shopper_key", gate: str = GATE) -> dict[str, Any]:
        answer = self.http.post(f"/gates/{gate}/scans", json={"text": text})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def enter(self) -> str:
        return str(self.scan()["shoppingTripId"])

    def delivery(self, trip: str, state: str = "delivered") -> dict[str, Any]:
        """Wait until the delivery of a trip's cart has an attempt and is in a state, and return the delivery."""

        def found() -> dict[str, Any] | None:
            result = self.http.get("/deliveries", params={"tripId": trip, "state": state}).json()
            return result[0] if result and result[0]["attempts"] else None

        return dict(wait_until(found))

    @staticmethod
    def until(found: Callable[[], Any]) -> Any:
        return wait_until(found)


def wait_until(found: Callable[[], Any], pause_s: float = 0.02, deadline_s: float = 10) -> Any:
    """Call `found` until it returns a true value, and return that; fail at the deadline."""
    deadline = time.monotonic() + deadline_s
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(pause_s)
    return value


class _QuickServer(uvicorn.Server):
    """Checks every 10 ms, instead of every 100 ms, whether to stop: tests start hundreds of servers."""

    async def main_loop(self) -> None:
        tick = 0
        while not await self.on_tick(tick):
            tick += 1
            await asyncio.sleep(0.01)


@contextmanager
def _running(app_of: Callable[[str], Any]) -> Iterator[str]:
    """Serve the app that `app_of` makes for an address; yields the address."""
    # asyncio switches Nagle's delay off only for sockets that name their protocol; create_server's do not.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = _QuickServer(
        uvicorn.Config(app_of(url), http=NoUpgradeProtocol, ws="none", log_level="warning", lifespan="on")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), 0.005)
        assert server.started, "the server did not start"
        yield url
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    """One moto server for all tests: the platform makes the topic and the bucket, each test its own queues."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session", autouse=True)
def shared_aws_clients() -> Iterator[None]:
    """Make the AWS clients of an address only once: boto3 reads megabytes of service models for each set."""
    made: dict[str, Aws] = {}

    def shared(settings: PlatformSettings) -> Aws:
        return made.get(settings.aws_endpoint_url) or made.setdefault(settings.aws_endpoint_url, aws_clients(settings))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "aws_clients", shared)
        yield


@pytest.fixture
def platform_at(aws_url: str) -> Iterator[Callable[[str], Platform]]:
    """Make a Platform for a platform process at an address."""
    with ExitStack() as stack:

        def calls(url: str) -> Platform:
            http = stack.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=20))
            return Platform(url, http, MovableClock(), aws_url)

        yield calls


@contextmanager
def _started(aws_url: str, *, own_clock: bool = False, **more: Any) -> Iterator[Platform]:
    """Run a platform with quick ingestion and quick redelivery; `more` are other settings."""
    clock = MovableClock()
    settings: dict[str, Any] = {
        "aws_endpoint_url": aws_url,
        "catalog": {"queue_s": 0.02, "process_s": 0.02},
        "delivery": {"backoff_first_s": 0.05, "order_timeout_s": 2.0},
        "gate": {"timeout_s": 1.0},
        **more,
    }

    def app(url: str) -> FastAPI:
        return create_app(PlatformSettings(**{"base_url": url, **settings}), clock=None if own_clock else clock)

    with _running(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=20) as http:
        yield Platform(url, http, clock, aws_url)


@pytest.fixture
def start_platform(aws_url: str) -> Iterator[Callable[..., Platform]]:
    """Start platforms with the test's own settings."""
    with ExitStack() as stack:

        def start(**more: Any) -> Platform:
            own = stack.enter_context(ExitStack())
            platform = own.enter_context(_started(aws_url, **more))
            platform.stop = own.close
            return platform

        yield start


@pytest.fixture
def start_real(start_platform: Callable[..., Platform]) -> Callable[..., Platform]:
    """Start platforms that have their own clock instead of a test's."""
    return lambda **more: start_platform(own_clock=True, **more)


@pytest.fixture
def platform(start_platform: Callable[..., Platform]) -> Platform:
    return start_platform()


@pytest.fixture(scope="module")
def steady(aws_url: str) -> Iterator[Platform]:
    """One platform for a whole module, for tests that set up their own store and need no AWS."""
    with _started(aws_url) as platform:
        yield platform


@pytest.fixture(scope="session")
def served_connector() -> Iterator[ScriptedConnector]:
    scripted = ScriptedConnector()
    with _running(lambda _url: scripted.app()) as scripted.url:
        yield scripted


@pytest.fixture
def connector(served_connector: ScriptedConnector) -> ScriptedConnector:
    """A connector that accepts everything, until the test gives it other answers."""
    fresh = ScriptedConnector(url=served_connector.url)
    vars(served_connector).update(vars(fresh))
    return served_connector


@dataclass
class Queue:
    """The retailer's SQS queue."""

    client: Any
    url: str
    arn: str

    def receive(self) -> list[dict[str, Any]]:
        """Take all messages out of the queue; returns their envelopes."""
        answer = self.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        found = answer.get("Messages", [])
        for message in found:
            self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return [orjson.loads(message["Body"]) for message in found]


@pytest.fixture(scope="session")
def sqs(aws_url: str) -> Iterator[Any]:
    client = boto3.client(
        "sqs", endpoint_url=aws_url, region_name="us-east-1", aws_access_key_id="r", aws_secret_access_key="r"
    )
    yield client
    client.close()


def _made_queue(sqs: Any) -> Queue:
    name = f"catalog-results-{uuid4()}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return Queue(sqs, url, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")


@pytest.fixture
def make_queue(sqs: Any) -> Callable[[], Queue]:
    return lambda: _made_queue(sqs)


@pytest.fixture
def queue(sqs: Any) -> Queue:
    return _made_queue(sqs)


def _onboard(platform: Platform, queue: Queue) -> Platform:
    assert platform.allow_list(queue.arn).status_code == 200
    (invitation,) = queue.receive()
    assert platform.http.get(invitation["SubscribeURL"]).status_code == 200
    return platform


@pytest.fixture
def onboarded(platform: Platform, connector: ScriptedConnector, queue: Queue) -> Platform:
    """A platform with a store, its connector, and an allow-listed account with a confirmed queue."""
    platform.set_up_store(connector)
    return _onboard(platform, queue)


@pytest.fixture(scope="module")
def catalog_host(aws_url: str, sqs: Any) -> Iterator[Platform]:
    """One platform for a whole module, with a store, an account, and a rate that no test reaches."""
    quick = {"queue_s": 0.02, "process_s": 0.02, "rate_per_s": 1000, "burst": 1000}
    with _started(aws_url, catalog=quick) as platform:
        platform.set_up_store(None)
        yield _onboard(platform, _made_queue(sqs))
