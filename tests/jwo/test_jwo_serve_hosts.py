"""The serve commands refuse an address that is not a loopback address, unless this is allowed."""

from __future__ import annotations

import socket

import pytest

from jwo.cli import main

EVERYWHERE = "0.0.0.0"  # noqa: S104 - the address in question
AWS = {"JWO_PLATFORM_AWS_ENDPOINT_URL": "http://127.0.0.1:9"}


def _code(monkeypatch: pytest.MonkeyPatch, *words: str, **environment: str) -> int:
    """Run a command up to the moment when it would serve; returns its exit code."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["jwo", *words])
    monkeypatch.setattr("signal.signal", lambda *_given: None)
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "", "::ffff:192.0.2.1", "192.0.2.1"])
@pytest.mark.parametrize(
    ("command", "environment", "setting"),
    [
        ("connector", {}, "JWO_CONNECTOR_ALLOW_UNAUTHENTICATED=true"),
        ("platform", AWS, "JWO_PLATFORM_ALLOW_UNAUTHENTICATED=true"),
        ("aws", {}, "--allow-unauthenticated"),
    ],
)
def test_open_address_is_a_usage_error_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    environment: dict[str, str],
    setting: str,
    host: str,
) -> None:
    assert _code(monkeypatch, command, "--host", host, **environment) == 2
    said = capsys.readouterr().err
    assert "is not a loopback address" in said
    assert setting in said
    assert "--allow-unauthenticated" in said


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["--host", EVERYWHERE, "--allow-unauthenticated"], AWS),
        (["--host", EVERYWHERE], AWS | {"JWO_PLATFORM_ALLOW_UNAUTHENTICATED": "true"}),
        (["--host", EVERYWHERE], AWS | {"JWO_PLATFORM_ACCESS_TOKEN": "a-token-of-enough-length"}),
        (["--host", EVERYWHERE], AWS | {"jwo_platform_allow_unauthenticated": "true"}),
        (["--host", "localhost"], AWS),
        ([], AWS),
    ],
)
def test_platform_serves_where_it_may(
    monkeypatch: pytest.MonkeyPatch, words: list[str], environment: dict[str, str]
) -> None:
    served: list[str] = []

    def run(_config: object, listener: socket.socket, **_more: object) -> None:
        with listener:
            served.append(listener.getsockname()[0])

    monkeypatch.setattr("jwo.serving.run", run)
    monkeypatch.setattr("simulator.app.create_app", lambda settings, **_more: settings)
    monkeypatch.setattr("jwo_toolkit.garbage_collection.tune_garbage_collector", lambda _thresholds: None)
    assert _code(monkeypatch, "platform", *words, **environment) == 0
    assert served == [EVERYWHERE if EVERYWHERE in words else "127.0.0.1"]


@pytest.mark.parametrize("words", [["--host", EVERYWHERE, "--allow-unauthenticated"], ["--host", "127.0.0.1"], []])
def test_aws_emulator_serves_where_it_may(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    served: list[str] = []
    monkeypatch.setattr("jwo.moto_server.serve_moto", lambda host, _port: served.append(host))
    assert _code(monkeypatch, "aws", *words) == 0
    assert served == [EVERYWHERE if EVERYWHERE in words else "127.0.0.1"]


@pytest.mark.parametrize(("command", "environment"), [("connector", {}), ("platform", AWS), ("aws", {})])
def test_address_of_another_machine_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, environment: dict[str, str]
) -> None:
    assert _code(monkeypatch, command, "--host", "192.0.2.1", "--allow-unauthenticated", **environment) == 2
    assert "--host: this machine does not have that address" in capsys.readouterr().err
