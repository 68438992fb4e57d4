"""`jwo platform` and `jwo mutant`: the address in the platform's links, and servers without upgrades."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from jwo.serve_commands import commands
from jwo.serving import serve
from jwo_contract.errors import BadSettings
from jwo_toolkit.no_upgrade import NoUpgradeProtocol

OWN = "http://127.0.0.1:4711"


def _platform_settings(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run `jwo platform` at the address OWN without serving it; returns its settings, or raises its error."""
    made: list[Any] = []
    monkeypatch.setenv("JWO_PLATFORM_AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("simulator.app.create_app", lambda settings, **_more: settings)
    monkeypatch.setattr("jwo_toolkit.garbage_collection.tune_garbage_collector", lambda _thresholds: None)
    monkeypatch.setattr("jwo.serving.serve", lambda make, _port, **_here: made.append(make(OWN)))
    done = CliRunner().invoke(commands, ["platform"])
    if done.exception:
        raise done.exception
    return made[0]


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, OWN),
        ({"JWO_PLATFORM_BASE_URL": "https://platform.example/"}, "https://platform.example"),
        ({"jwo_platform_base_url": "http://[::1]:8080"}, "http://[::1]:8080"),
    ],
)
def test_platform_links_name_the_address_that_is_set(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], wanted: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert _platform_settings(monkeypatch).base_url == wanted


def test_malformed_address_of_the_platform_is_a_bad_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWO_PLATFORM_BASE_URL", "platform.example")
    with pytest.raises(BadSettings, match="JWO_PLATFORM_BASE_URL: has no http:// or https:// at its beginning; write"):
        _platform_settings(monkeypatch)


def test_servers_of_the_command_line_ignore_upgrades(monkeypatch: pytest.MonkeyPatch) -> None:
    configs: list[Any] = []

    def run(server: Any, sockets: list[Any]) -> None:
        configs.append(server.config)
        for each in sockets:
            each.close()

    monkeypatch.setattr("uvicorn.Server.run", run)
    serve(lambda _url: lambda *_asgi: None)  # type: ignore[arg-type, return-value] # an app that nothing calls
    assert CliRunner().invoke(commands, ["mutant"]).exit_code == 0
    assert [config.http for config in configs] == [NoUpgradeProtocol] * 2
