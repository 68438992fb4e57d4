"""Serving the connector: with either command, with one key for all workers, accelerated or not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from contract.settings import read
from jwo.serve_commands import commands
from jwo_toolkit.no_upgrade import NoUpgradeProtocol
from reference_connector.__main__ import main
from reference_connector.accelerated.http_protocol import AcceleratedProtocol
from reference_connector.errors import StoreUnavailable
from reference_connector.serving import serve
from reference_connector.settings import ConnectorSettings

KEY = "JWO_CONNECTOR_SIGN_IN__KEY"
SERVED = ["http", "log_level", "access_log", "server_header", "workers", "factory", "limit_concurrency"]


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """Remove the variables that a server sets for its workers."""
    with patch.dict(os.environ):
        yield


def _served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record the servers instead of running them."""
    servers: list[Any] = []
    monkeypatch.setattr("reference_connector.serving.create_tuned_app", lambda *_settings, **_admin: FastAPI())
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
