"""Settings from the environment: an unknown variable stops the start, and the error names the nearest setting."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jwo_contract.errors import BadSettings
from jwo_contract.settings import RoomSettings, read
from load.errors import BadOptions
from load.settings import LoadOptions, options_from
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.settings import ConnectorSettings
from simulator.settings import PlatformSettings

PLATFORM = {"base_url": "http://127.0.0.1:1", "aws_endpoint_url": "http://127.0.0.1:2"}
CATALOG = {"endpoint": "http://127.0.0.1:1", "access_key_id": "a", "secret_access_key": "b"}


@pytest.mark.parametrize(
    ("kind", "given", "name", "meant"),
    [
        (ConnectorSettings, {}, "JWO_CONNECTOR_STORE_PATH", "JWO_CONNECTOR_STORE__PATH"),
        (ConnectorSettings, {}, "JWO_CONNECTOR_CALLER__MOD", "JWO_CONNECTOR_CALLER__MODE"),
        (ConnectorSettings, {}, "JWO_CONNECTOR_DATABASE_URLS", "JWO_CONNECTOR_DATABASE_URL"),
        (ConnectorSettings, {}, "jwo_connector_retailer_file", "JWO_CONNECTOR_RETAILER_FILES"),
        (PlatformSettings, PLATFORM, "JWO_PLATFORM_GATE_TIMEOUT_S", "JWO_PLATFORM_GATE__TIMEOUT_S"),
        (CatalogClientSettings, CATALOG, "JWO_CATALOG_QUEUEURL", "JWO_CATALOG_QUEUE_URL"),
        (LoadOptions, {}, "JWO_LOAD_DURATION", "JWO_LOAD_DURATION_S"),
    ],
)
def test_misspelt_variable_is_refused_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, kind: type[RoomSettings], given: dict[str, Any], name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(BadSettings, match=f"{name} is not a setting; did you mean {meant}\\?"):
        kind(**given)


def test_every_unknown_name_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWO_CONNECTOR_XYZ", "1")
    monkeypatch.setenv("JWO_CONNECTOR_ZZZZ", "1")
    both = r"JWO_CONNECTOR_XYZ is not a setting; .*; JWO_CONNECTOR_ZZZZ is not a setting"
    with pytest.raises(BadSettings, match=both):
        ConnectorSettings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWO_PLATFORM_NONSENSE", "the business of another part"),
        ("JWO_CONNECTOR_CALLER", '{"mode": "headers"}'),
        ("JWO_CONNECTOR_CALLER__HEADERS__X-API-KEY", "k-1"),
        ("JWO_CONNECTOR_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("JWO_CONNECTOR_SERVICE_HOST", "10.0.0.1"),
        ("jwo_connector_store__path", "small.sqlite3"),
    ],
)
def test_known_names_and_those_of_other_programs_are_accepted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    ConnectorSettings()


def test_database_url_has_two_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://of-another-program")
    assert ConnectorSettings().database_url.get_secret_value() == ""
    for name in ("JWO_CONNECTOR_DATABASE_URL", "JWO_DATABASE_URL"):
        monkeypatch.setenv(name, name)
        assert ConnectorSettings().database_url.get_secret_value() == name
    assert ConnectorSettings(database_url="given").database_url.get_secret_value() == "given"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("JWO_CONNECTOR_STORE__BATCH_MAX", "0", "JWO_CONNECTOR_STORE__BATCH_MAX: "),
        ("JWO_CONNECTOR_PRICE_LISTS", "prices.csv", "JWO_CONNECTOR_PRICE_LISTS: not valid JSON"),
        ("JWO_CONNECTOR_RETAILER_FILES", "[1]", "JWO_CONNECTOR_RETAILER_FILES: "),
    ],
)
def test_a_wrong_value_is_refused_by_the_variables_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=said):
        read(ConnectorSettings)


def test_a_secret_is_in_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWO_CONNECTOR_CALLER__SECRET_ACCESS_KEYS", "hush")
    monkeypatch.setenv("JWO_CONNECTOR_CALLER__MODE", "hush")
    with pytest.raises(BadSettings) as refused:
        read(ConnectorSettings)
    assert "hush" not in str(refused.value)


def test_load_test_reports_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWO_LOAD_RATES", "5")
    with pytest.raises(BadOptions, match="did you mean JWO_LOAD_RATE"):
        options_from()


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["jwo", "connector"], "JWO_CONNECTOR_STOR__PATH"),
        (["jwo", "platform"], "JWO_PLATFORM_SEEDS"),
        (["jwo", "catalog", "status", "x"], "JWO_CATALOG_REGIONS"),
        (["jwo", "load", "--connector", "http://127.0.0.1:1"], "JWO_LOAD_RATES"),
        (["reference_connector", "--workers", "2"], "JWO_CONNECTOR_STOR__PATH"),
    ],
)
def test_command_exits_with_2_before_any_work(command: list[str], name: str, tmp_path: Path) -> None:
    given = {f"JWO_{key.upper()}": value for key, value in {"platform_aws_endpoint_url": "http://127.0.0.1:2"}.items()}
    environment = os.environ | given | {name: "1"}
    ended = subprocess.run(
        [sys.executable, "-P", "-m", *command],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ended.returncode, "did you mean" in ended.stderr + ended.stdout) == (2, True), ended.stderr
    assert name in ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []
