"""Operators: a listener of their own or a token, and no way to them for other callers."""

from __future__ import annotations

import io
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import httpx
import pytest
import uvicorn

from jwo_contract.errors import BadSettings
from jwo_contract.settings import read
from reference_connector.__main__ import main
from reference_connector.app import create_app, from_environment, http_protocol
from reference_connector.serving import serve
from reference_connector.settings import ConnectorSettings
from reference_connector.store.records import SqlRecords
from reference_connector.telemetry import EventLog, system_clock
from tests.reference_connector.conftest import ADMIN_TOKEN, OPERATOR

TRIPS = ["/ops/receipts/trip-1", "/ops/receipts/no-such-trip", "/ops/receipts/%00", "/ops/receipts/", "/ops/receipts"]
CHARGES = ["/ops/charges/pending", "/ops/charges/x"]
PATHS = [*TRIPS, *CHARGES, "/ops", "/ops/", "/ops/parked", "/ops/x", "/metrics", "/%6fps/x"]
BEARERS = ["Bearer", "Bearer ", "Bearer x", f"Bearer {ADMIN_TOKEN}x", f"Bearer {ADMIN_TOKEN[:-1]}", b"Bearer \xff"]
WRONG = ["", ADMIN_TOKEN, f"Basic {ADMIN_TOKEN}", *BEARERS]
SIGNED = {
    "JWO_CONNECTOR_CALLER__MODE": "sigv4",
    "JWO_CONNECTOR_CALLER__ACCESS_KEY_ID": "AKID",
    "JWO_CONNECTOR_CALLER__SECRET_ACCESS_KEY": "hush",
}
EVERYWHERE = "0.0.0.0"  # noqa: S104 - the address in question


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """Remove the variables that a server sets for its workers."""
    with patch.dict(os.environ):
        yield


def _seen(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    return answer.status_code, answer.content, {name: value for name, value in answer.headers.items() if name != "date"}


def test_without_the_token_all_paths_of_operators_get_one_answer(direct: Any, a_cart: Any) -> None:
    direct.purchase(a_cart())
    answers = [_seen(direct.http.get(path, headers={"Authorization": wrong})) for path in PATHS for wrong in WRONG]
    answers += [_seen(direct.http.get(path)) for path in PATHS]
    answers += [_seen(direct.http.post(path)) for path in PATHS]
    assert all(answer == answers[0] for answer in answers)
    assert (answers[0][0], answers[0][2]["www-authenticate"]) == (401, "Bearer")
    assert direct.operator_get("/ops/receipts/trip-1").status_code == 200
    assert direct.events("operator_refused")


def test_token_is_in_no_log_and_no_repr(direct: Any) -> None:
    direct.operator_get("/ops/parked")
    direct.http.get("/ops/parked", headers={"Authorization": "Bearer guessed-token"})
    settings = ConnectorSettings.model_validate({"admin": {"token": ADMIN_TOKEN}})
    shown = direct.log.getvalue() + repr(settings) + str(settings.model_dump_json())
    assert ADMIN_TOKEN not in shown
    assert "guessed-token" not in shown


@pytest.mark.parametrize("token", ["two words", "line\n", "t\u00f6ken"])
def test_token_that_no_header_can_carry_is_refused(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("JWO_CONNECTOR_ADMIN__TOKEN", token)
    with pytest.raises(BadSettings, match="JWO_CONNECTOR_ADMIN__TOKEN: has a character") as refused:
        read(ConnectorSettings)
    assert token not in str(refused.value)


def test_token_is_compared_in_constant_time(direct: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return one == other

    monkeypatch.setattr("reference_connector.admin_routes.hmac.compare_digest", compare)
    for wrong in WRONG:
        assert direct.http.get("/ops/parked", headers={"Authorization": wrong}).status_code == 401
    assert direct.operator_get("/ops/parked").status_code == 200
    assert compared == [(32, 32)] * (len(WRONG) + 1), "each request costs one comparison of equal lengths"


def test_without_token_and_own_listener_operators_have_no_paths(start: Callable[..., Any]) -> None:
    http = start(admin={}).http
    assert {_seen(http.get(path))[:2] for path in [*PATHS, "/no-such-page"] if "%" not in path} == {
        (404, b'{"detail":"Not Found"}')
    }


@contextmanager
def _two_listeners(storage: dict[str, Any], **settings: Any) -> Iterator[tuple[str, str]]:
    """Serve a connector with an admin listener from a thread; yields both addresses."""
    with socket.create_server(("127.0.0.1", 0)) as public, socket.create_server(("127.0.0.1", 0)) as admin:
        configured = ConnectorSettings.model_validate(storage | settings)
        port = admin.getsockname()[1]
        app = create_app(configured, log=EventLog(system_clock, io.StringIO()), admin_port=port)
        config = uvicorn.Config(app, http=http_protocol(configured), log_level="warning")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [public, admin]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{public.getsockname()[1]}", f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(10)


@pytest.mark.parametrize("accelerated", [True, False])
@pytest.mark.parametrize("token", ["", ADMIN_TOKEN])
def test_own_listener_serves_operators_and_nothing_else(
    storage: dict[str, Any], a_scan: Any, a_cart: Any, accelerated: Any, token: str
) -> None:
    with _two_listeners(storage, accelerated=accelerated, admin={"token": token, "port": 0}) as (public, admin):
        assert httpx.post(f"{public}/v1/order/purchases", json=a_cart()).status_code == 201
        for url, path in ((public, "/ops/parked"), (public, "/metrics"), (public, "/ops/receipts/trip-1")):
            host = admin.removeprefix("http://")
            forged = OPERATOR | {"Host": host, "X-Forwarded-Host": host, "X-Forwarded-Port": host.partition(":")[2]}
            assert httpx.get(url + path, headers=forged).status_code == 404
        for path in ("/v1/identity/identity-keys", "/v1/order/purchases"):
            answer = httpx.post(admin + path, json=a_scan(), headers=OPERATOR)
            assert answer.status_code == 404, "the platform's calls are not served to operators"
        assert httpx.get(f"{admin}/ops/receipts/trip-1").status_code == (401 if token else 200)
        assert httpx.get(f"{admin}/metrics", headers=OPERATOR).status_code == 200
        assert httpx.get(f"{admin}/readyz").json() == httpx.get(f"{public}/readyz").json() == {"status": "ready"}


def _serves(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, *arguments: str, **environment: str) -> list[str]:
    """Run the command up to the moment when it would serve; returns the addresses that it would serve on."""
    served: list[str] = []

    def run(_server: object, sockets: list[socket.socket]) -> None:
        served.extend("{}:{}".format(*each.getsockname()[:2]) for each in sockets)

    monkeypatch.setattr("uvicorn.Server.run", run)
    monkeypatch.setenv("JWO_CONNECTOR_STORE__PATH", str(tmp_path / "connector.sqlite3"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["reference_connector", *arguments])
    main()
    return served


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["--host", EVERYWHERE], {}, "JWO_CONNECTOR_CALLER__MODE"),
        (["--host", "::"], {}, "JWO_CONNECTOR_CALLER__MODE"),
        (["--host", ""], {}, "JWO_CONNECTOR_CALLER__MODE"),
        (["--host", EVERYWHERE, "--workers", "2"], {}, "JWO_CONNECTOR_CALLER__MODE"),
        (["--host", EVERYWHERE], SIGNED | {"JWO_CONNECTOR_APP_TEST_KEYS": "true"}, "JWO_CONNECTOR_APP_TEST_KEYS"),
        ([], {"JWO_CONNECTOR_ADMIN__HOST": EVERYWHERE}, "JWO_CONNECTOR_ADMIN__TOKEN"),
        (["--host", "no-such-host.invalid"], {}, "has no address"),
        (["--host", "192.0.2.1"], SIGNED, "cannot listen on 192.0.2.1"),
        (["--port", "99999"], {}, "99999' is no whole number from 0 to 65535"),
    ],
)
def test_open_address_without_authentication_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    environment: dict[str, str],
    said: str,
) -> None:
    with pytest.raises(SystemExit) as ended:
        _serves(monkeypatch, tmp_path, *arguments, **environment)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "environment", "listeners"),
    [
        ([], {}, ["127.0.0.1", "127.0.0.1"]),
        (["--host", EVERYWHERE, "--allow-unauthenticated"], {}, [EVERYWHERE, "127.0.0.1"]),
        (["--host", EVERYWHERE], {"JWO_CONNECTOR_ALLOW_UNAUTHENTICATED": "true"}, [EVERYWHERE, "127.0.0.1"]),
        (["--host", EVERYWHERE], SIGNED, [EVERYWHERE, "127.0.0.1"]),
        (["--host", EVERYWHERE], SIGNED | {"JWO_CONNECTOR_ADMIN__TOKEN": "t"}, [EVERYWHERE]),
        ([], {"JWO_CONNECTOR_ADMIN__TOKEN": "t", "JWO_CONNECTOR_ADMIN__HOST": EVERYWHERE}, ["127.0.0.1"]),
        (
            [],
            {"JWO_CONNECTOR_ADMIN": f'{{"token": "t", "host": "{EVERYWHERE}", "port": 0}}'},
            ["127.0.0.1", EVERYWHERE],
        ),
        ([], {"WEB_CONCURRENCY": "many"}, ["127.0.0.1", "127.0.0.1"]),
    ],
)
def test_authenticated_or_allowed_addresses_are_served(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
    arguments: list[str],
    environment: dict[str, str],
    listeners: list[str],
) -> None:
    served = _serves(monkeypatch, tmp_path, *arguments, **environment)
    assert [each.rpartition(":")[0] for each in served] == listeners
    assert len({each.rpartition(":")[2] for each in served}) == len(listeners)


def test_taken_admin_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("JWO_CONNECTOR_ADMIN__PORT", str(port))
        with pytest.raises(BadSettings, match=f"JWO_CONNECTOR_ADMIN__PORT: cannot listen on port {port} of 127.0.0.1"):
            serve("127.0.0.1", 0)
    with pytest.raises(BadSettings, match=r"JWO_CONNECTOR_ADMIN__PORT: .* is the connector's own port"):
        serve("127.0.0.2", port)


def test_misspelt_admin_port_is_no_variable_of_kubernetes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWO_CONNECTOR_ADMIN_PORT", "tcp://10.0.0.1:9100")
    read(ConnectorSettings)
    monkeypatch.setenv("JWO_CONNECTOR_ADMIN_PORT", "9100")
    with pytest.raises(BadSettings, match="did you mean JWO_CONNECTOR_ADMIN__PORT"):
        read(ConnectorSettings)


def test_server_that_starts_the_connector_by_name_needs_authentication(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("JWO_CONNECTOR_STORE__PATH", str(tmp_path / "connector.sqlite3"))
    monkeypatch.setattr("reference_connector.app.tune_garbage_collector", lambda _thresholds: None)
    with pytest.raises(BadSettings, match=r"does not know where .* JWO_CONNECTOR_ALLOW_UNAUTHENTICATED=true"):
        from_environment()
    monkeypatch.setenv("JWO_CONNECTOR_ALLOW_UNAUTHENTICATED", "true")
    assert from_environment().title == "Reference connector"


def test_one_answer_for_all_wrong_headers_and_none_for_no_agreement(start: Callable[..., Any], a_scan: Any) -> None:
    path, agreed = "/v1/identity/identity-keys", {"X-Key": "k", "X-Other": "o"}
    http = start(caller={"mode": "headers", "headers": agreed}).http
    given = [{}, {"X-Key": "k"}, {"X-Other": "o"}, {"X-Key": "x", "X-Other": "o"}, {"X-Key": "k", "X-Other": ""}]
    answers = [_seen(http.post(path, json=a_scan(), headers=each)) for each in given]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 403
    assert http.post(path, json=a_scan(), headers=agreed).status_code == 200
    for nothing in ({}, {"X-Key": ""}):
        empty = start(caller={"mode": "headers", "headers": nothing}).http
        assert empty.post(path, json=a_scan(), headers={"X-Key": ""}).status_code == 403


def test_every_refusal_of_a_key_has_one_text_and_reads_the_same_records(
    start: Callable[..., Any], a_scan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = start(app_test_keys=True)
    badges = ("revoked_badge", "lost_badge", "expired_badge")
    kinds = ("unknown", "expired", "used", "refused", *badges)
    keys = {kind: connector.http.get(f"/app/mint/{kind}").json()["identityKey"] for kind in kinds}
    keys |= {"other text": "bm9ib2R5", "no text": "/////w=="}
    reads: list[str] = []
    for method in (SqlRecords.find_code, SqlRecords.find_badge, SqlRecords.debt_of):

        def counted(records: Any, key: str, method: Any = method) -> Any:
            reads.append(method.__name__)
            return method(records, key)

        monkeypatch.setattr(SqlRecords, method.__name__, counted)
    seen = {}
    for number, (kind, key) in enumerate(keys.items()):
        reads.clear()
        scan = a_scan(identityKey=key, event_id=f"22222222-2222-3333-4444-00000000000{number}")
        seen[kind] = (_seen(connector.identify(scan)), [*reads])
    answer = seen["unknown"][0]
    assert answer[0] == 401
    not_codes = {"other text", "no text", *badges}
    finds = {kind: "find_badge" if kind in not_codes else "find_code" for kind in keys}
    reads_of = {kind: [find, "debt_of", find] for kind, find in finds.items()}  # the second one is for the phone
    assert {kind: each for kind, each in seen.items() if each != (answer, reads_of[kind])} == {}
