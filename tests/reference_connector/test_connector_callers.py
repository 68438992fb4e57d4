"""Authentication of callers, the OpenAPI document, and failures of the connector itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest

from jwo_contract import sigv4
from jwo_contract.openapi import load
from reference_connector.app import create_app
from reference_connector.settings import ConnectorSettings
from tests.reference_connector.conftest import both_databases

KEY = sigv4.Key("AKIDEXAMPLE", "a-secret", "a-token")
CALLER = {"mode": "sigv4", "access_key_id": KEY.access_key_id, "secret_access_key": KEY.secret_access_key}
PATH = "/v1/identity/identity-keys"


def _signed(connector: Any, scan: Any, key: sigv4.Key = KEY, **age: float) -> Any:
    body = orjson.dumps(scan)
    headers = {"Content-Type": "application/json"}
    now = connector.clock.now - timedelta(**age)
    headers = sigv4.sign("POST", connector.url + PATH, headers, body, key, region="us-east-1", now=now)
    return connector.http.post(PATH, content=body, headers=headers)


def test_signed_call_is_accepted_and_others_are_403(start: Callable[..., Any], a_scan: Any) -> None:
    connector = start(caller=CALLER | {"session_token": KEY.session_token})
    assert _signed(connector, a_scan()).status_code == 200
    for refused in (
        connector.identify(a_scan()),
        connector.purchase({}),
        _signed(connector, a_scan(), sigv4.Key("AKIDEXAMPLE", "another", "a-token")),
        _signed(connector, a_scan(), sigv4.Key("AKIDEXAMPLE", "a-secret", "another")),
        _signed(connector, a_scan(), sigv4.Key("AKIDOTHER", "a-secret", "a-token")),
        _signed(connector, a_scan(), minutes=6),
    ):
        assert refused.status_code == 403
        assert set(refused.json()) == {"message"}


def test_mode_sigv4_without_a_key_refuses_every_call(start: Callable[..., Any], a_scan: Any) -> None:
    connector = start(caller={"mode": "sigv4"})
    assert _signed(connector, a_scan()).status_code == 403


@both_databases
def test_signature_is_accepted_once_over_all_workers(start: Callable[..., Any], a_scan: Any) -> None:
    first, second = (start(caller=CALLER | {"refuse_replays": True}) for _ in range(2))  # on one database
    body, host = orjson.dumps(a_scan()), first.url.removeprefix("http://")

    def sent(worker: Any, headers: dict[str, str]) -> tuple[int, bool]:
        answer = worker.http.post(PATH, content=body, headers={"Host": host, **headers})
        return answer.status_code, "used before" in answer.text

    def signed() -> dict[str, str]:
        now = first.clock.now
        return sigv4.sign(
            "POST", first.url + PATH, {}, body, KEY._replace(session_token=None), region="us-east-1", now=now
        )

    headers = signed()
    assert sent(first, headers) == (200, False)
    assert sent(second, headers) == (403, True)
    reworded = headers["Authorization"].replace(", Signature=", ",  Signature=")
    assert sent(first, headers | {"Authorization": reworded}) == (403, True)
    first.clock.advance(seconds=1)
    assert sent(first, signed()) == (200, False)


def test_agreed_headers_are_required(start: Callable[..., Any], a_scan: Any) -> None:
    connector = start(caller={"mode": "headers", "headers": {"X-Api-Key": "k-1"}})
    assert connector.identify(a_scan()).status_code == 403
    for value, status in (("k-1", 200), ("k-2", 403)):
        assert connector.http.post(PATH, json=a_scan(), headers={"x-api-key": value}).status_code == status


@both_databases
def test_broken_store_gives_500_without_details(start: Callable[..., Any], a_scan: Any, storage: Any) -> None:
    import sqlite3  # noqa: PLC0415 - this test alone breaks the database

    connector = start()
    url = storage.get("database_url")
    database: Any = psycopg.connect(url) if url else sqlite3.connect(storage["store"]["path"])
    with database:
        database.execute("DROP TABLE answer")
    database.close()
    answer = connector.identify(a_scan())
    assert (answer.status_code, answer.json()) == (500, {"errorMsg": "Internal Server Error"})
    assert connector.events("failed")


@both_databases
def test_a_500_is_never_remembered(
    start: Callable[..., Any], a_scan: Any, a_cart: Any, storage: dict[str, Any]
) -> None:
    import sqlite3  # noqa: PLC0415 - as above

    connector = start(store=storage["store"] | {"busy_timeout_s": 0.2}, watch_files_s=0)
    url = storage.get("database_url")
    database: Any = psycopg.connect(url) if url else sqlite3.connect(storage["store"]["path"], isolation_level=None)
    database.execute("LOCK TABLE answer, purchase IN ACCESS EXCLUSIVE MODE" if url else "BEGIN IMMEDIATE")
    assert [connector.identify(a_scan()).status_code, connector.purchase(a_cart()).status_code] == [500, 500]
    database.rollback()
    database.close()
    assert [connector.identify(a_scan()).status_code, connector.purchase(a_cart()).status_code] == [200, 201]


@pytest.mark.parametrize("settings", [{}, {"identity": {"locations": ["ENTRY", "EXIT"]}}])
def test_openapi_agrees_with_the_contract(settings: dict[str, Any]) -> None:
    configured = ConnectorSettings(**settings)
    served = create_app(configured).openapi()["paths"]
    for path, wanted in load("connector", configured.house)["paths"].items():
        got, want = served[path]["post"], wanted["post"]
        assert got["requestBody"]["content"] == want["requestBody"]["content"]
        assert {status: answer["content"] for status, answer in got["responses"].items()} == {
            status: answer["content"] for status, answer in want["responses"].items()
        }


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWO_CONNECTOR_ORDERING__CHANGED_CART", "conflict_409")
    monkeypatch.setenv("JWO_CONNECTOR_STORE__PATH", "elsewhere.sqlite3")
    monkeypatch.setenv("JWO_CONNECTOR_PRICE_LISTS", '["prices.csv"]')
    monkeypatch.setenv("JWO_CONNECTOR_CALLER__SECRET_ACCESS_KEY", "hush")
    settings = ConnectorSettings()
    assert settings.house.ordering.changed_cart == "conflict_409"
    assert (settings.store.path, settings.price_lists) == (Path("elsewhere.sqlite3"), (Path("prices.csv"),))
    assert "hush" not in repr(settings)
