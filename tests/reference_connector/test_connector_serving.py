"""Serving the connector: with either command, with one key for all workers, accelerated or not."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from jwo.serve_commands import commands
from jwo_contract.settings import read
from jwo_toolkit.no_upgrade import NoUpgradeProtocol
from reference_connector.__main__ import main
from reference_connector.accelerated.http_protocol import AcceleratedProtocol
from reference_connector.dispatch import ConnectorApp
from reference_connector.errors import StoreUnavailable
from reference_connector.serving import serve
from reference_connector.settings import ConnectorSettings

KEY = "JWO_CONNECTOR_SIGN_IN__KEY"
SERVED = ["http", "log_level", "access_log", "server_header", "workers", "factory", "limit_concurrency"]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Remove the variables that a server sets for its workers; keep its files in a folder of the test."""
    monkeypatch.chdir(tmp_path)
    with patch.dict(os.environ):
        yield


def _served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record the servers instead of running them."""
    servers: list[Any] = []
    monkeypatch.setattr("reference_connector.serving.create_tuned_app", lambda *_settings, **_admin: ConnectorApp())
    monkeypatch.setattr("uvicorn.Server.run", lambda server, **_sockets: servers.append(server))
    return servers


def test_both_commands_serve_the_same_accelerated_connector(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = _served(monkeypatch)
    monkeypatch.setattr("sys.argv", ["reference_connector"])
    main()
    assert CliRunner().invoke(commands, ["connector"]).exit_code == 0
    one, other = ({name: getattr(server.config, name) for name in SERVED} for server in servers)
    assert one == other
    assert one["http"] is AcceleratedProtocol


def test_without_accelerated_uvicorns_protocol_serves_without_upgrades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWO_CONNECTOR_ACCELERATED", "false")
    servers = _served(monkeypatch)
    serve("127.0.0.1", 0)
    [server] = servers
    server.config.load()
    assert server.config.http_protocol_class is NoUpgradeProtocol


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({}, ""),
        ({KEY: ""}, ""),
        ({KEY.lower(): ""}, ""),
        ({"JWO_CONNECTOR_SIGN_IN": '{"key": "", "session_h": 1}'}, ""),
        ({KEY: "mine"}, "mine"),
        ({KEY.lower(): "mine"}, "mine"),
        ({"JWO_CONNECTOR_SIGN_IN": '{"key": "mine"}'}, "mine"),
    ],
)
def test_workers_share_one_session_key_and_keep_a_given_one(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], kept: str
) -> None:
    found = []

    def see(_workers: object) -> None:
        found.append(read(ConnectorSettings).sign_in.key.get_secret_value())

    monkeypatch.setattr("reference_connector.serving.Multiprocess.run", see)
    os.environ.update(given)
    serve("127.0.0.1", 0, workers=2)
    [key] = found
    assert key == kept if kept else len(key) == 64


def test_error_at_the_start_is_raised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JWO_CONNECTOR_STORE__PATH", str(tmp_path / "no" / "such"))
    with pytest.raises(StoreUnavailable, match="cannot open"):
        serve("127.0.0.1", 0)


_PRICES = "item_sku,item_name,product_id,product_id_type,store_id,standard_price\n"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"JWO_CONNECTOR_RETAILER_FILES": '["no-such.toml"]'}, "no-such.toml"),
        ({"JWO_CONNECTOR_RETAILER_FILES": '["bad.toml"]'}, "bad.toml"),
        ({"JWO_CONNECTOR_PRICE_LISTS": '["bad.csv"]'}, "bad.csv"),
        ({"JWO_CONNECTOR_PRICE_LISTS": '["no-such.csv"]'}, "no-such.csv"),
        ({"JWO_CONNECTOR_PRICE_LISTS": "prices.csv"}, "JWO_CONNECTOR_PRICE_LISTS"),
        ({"JWO_CONNECTOR_STORE__PATH": "no-such/store.sqlite3"}, "JWO_CONNECTOR_STORE__PATH"),
        ({"JWO_CONNECTOR_STORE__PATH": "newer.sqlite3"}, "version 99"),
        ({"JWO_CONNECTOR_STORE__PATH": "bad.csv"}, "not a database"),
        ({"JWO_CONNECTOR_STORE__BATCH_MAX": "0"}, "JWO_CONNECTOR_STORE__BATCH_MAX"),
        ({"JWO_CONNECTOR_STORE__UPGRADE_WAIT_S": "-1"}, "JWO_CONNECTOR_STORE__UPGRADE_WAIT_S"),
        ({"JWO_CONNECTOR_PAYMENTS__LEDGER": "no-such/ledger.sqlite3"}, "JWO_CONNECTOR_PAYMENTS__LEDGER"),
        ({"JWO_DATABASE_URL": "postgresql://127.0.0.1:1/none"}, "JWO_DATABASE_URL"),
        ({"JWO_DATABASE_URL": "no address"}, "JWO_DATABASE_URL"),
        ({"PROMETHEUS_MULTIPROC_DIR": "no-such"}, "PROMETHEUS_MULTIPROC_DIR"),
        ({"JWO_CONNECTOR_NO_SUCH": "1"}, "JWO_CONNECTOR_NO_SUCH"),
    ],
)
def test_wrong_setting_or_file_fails_before_the_port_is_opened(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    settings: dict[str, str],
    says: str,
    workers: int,
) -> None:
    (tmp_path / "bad.toml").write_text("[[store]\n")
    (tmp_path / "bad.csv").write_text(_PRICES + "P-1,Pear,036000291452,UPC,STORE-001,cheap\n")
    newer = sqlite3.connect(tmp_path / "newer.sqlite3")
    newer.execute("PRAGMA user_version=99")
    newer.close()
    monkeypatch.setattr("reference_connector.serving.listen", lambda *_: pytest.fail("a port was opened"))
    monkeypatch.setattr("sys.argv", ["reference_connector", "--workers", str(workers)])
    os.environ.update(settings)

    with pytest.raises(SystemExit) as ended:
        main()

    *_, sentence = capsys.readouterr().err.strip().splitlines()
    assert ended.value.code == 2
    assert says in sentence


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--workers", "0"], "--workers"),
        (["--workers", "-1"], "--workers"),
        (["--workers", "two"], "--workers"),
        (["--port", "65536"], "--port"),
        (["--stop-within", "-1"], "--stop-within"),
        (["--host", "no.such.host.invalid"], "the host 'no.such.host.invalid' has no address"),
    ],
)
def test_wrong_option_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flags: list[str], says: str
) -> None:
    monkeypatch.setattr("sys.argv", ["reference_connector", *flags])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("workers", [1, 2])
def test_taken_port_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], workers: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        monkeypatch.setattr("sys.argv", ["reference_connector", "--port", port, "--workers", str(workers)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
