"""The commands that a platform starts: a profile of the store's configuration, and nothing of a request as a flag."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jwo.run_commands import Declared, JwoRuns, write_profile
from jwo_contract.profile import CatalogTable, KeysTable, LimitsTable, Profile, StoreTable, load
from jwo_contract.profile_connector import ConnectorTable
from simulator.connector import Connector
from simulator.errors import BadCall, NotNow
from simulator.portal.stores import Store
from simulator.runs import CertifyRequest, LoadRequest
from simulator.settings import PlatformSettings

SETTINGS = PlatformSettings(base_url="http://127.0.0.1", stores_alone=True)
HERE = "http://127.0.0.1:9"
CERTIFY = CertifyRequest(kind="certify", store="S")
LOAD = LoadRequest(kind="load", store="S", scenario="gate_rush", rate=20, durationS=3)


def store(**connector: Any) -> Store:
    return Store("S", "r", "deny", connector=Connector(**{"url": HERE, "auth": "none", **connector}))


def test_written_profile_reads_back_as_the_same(tmp_path: Path) -> None:
    profile = Profile(
        connector=ConnectorTable(url=HERE, auth="headers", headers={"x-a": 'q"\\'}),
        store=StoreTable(id="S\u202e\x7f\n'"),
        keys=KeysTable(shopper="a2V5", minted=("shopper", "used"), url=f"{HERE}/mint/{{type}}"),
        catalog=CatalogTable(skus=("a\x7f", "b\u00e9")),
        limits=LimitsTable(idle_s=0.5),
    )
    variables = write_profile(profile, tmp_path / "profile.toml")
    assert load(tmp_path / "profile.toml", variables) == profile


def test_texts_of_a_store_cannot_read_the_environment(tmp_path: Path) -> None:
    tricky = store(auth="headers", headers=(("x-key", "env:HOME"),))
    command = JwoRuns(SETTINGS).command(CERTIFY, tricky, tmp_path)
    profile = load(tmp_path / "profile.toml", command.environment)

    assert profile.connector.headers == {"x-key": "env:HOME"}
    assert "env:HOME" not in (tmp_path / "profile.toml").read_text("utf-8")


def test_secrets_are_in_no_file_and_no_word(tmp_path: Path) -> None:
    command = JwoRuns(SETTINGS).command(CERTIFY, store(auth="sigv4"), tmp_path)
    secret = SETTINGS.connector_secret_access_key.get_secret_value()

    assert load(tmp_path / "profile.toml", command.environment).connector.secret_access_key == secret
    assert secret not in (tmp_path / "profile.toml").read_text("utf-8")
    assert secret not in " ".join(command.words)


def test_profile_counts_only_while_the_store_has_its_connector(tmp_path: Path) -> None:
    file = tmp_path / "jwo.toml"
    declared = Declared(Profile(connector=ConnectorTable(url=HERE)), file, ("core",))
    own = JwoRuns(SETTINGS, declared).command(CERTIFY, store(), tmp_path)
    other = JwoRuns(SETTINGS, declared).command(CERTIFY, store(url="http://127.0.0.1:10"), tmp_path)

    assert str(file) in own.words
    assert str(file) not in other.words


@pytest.mark.parametrize("url", ["http://192.0.2.1", "http://localhost.example", "http://127.0.0.1.example"])
def test_load_of_another_machine_needs_its_profile(tmp_path: Path, url: str) -> None:
    declared = Declared(Profile(connector=ConnectorTable(url=url)), None, ("core",))
    with pytest.raises(NotNow, match="another machine"):
        JwoRuns(SETTINGS).command(LOAD, store(url=url), tmp_path)
    assert "load" in JwoRuns(SETTINGS, declared).command(LOAD, store(url=url), tmp_path).words


def test_load_has_the_numbers_of_the_request(tmp_path: Path) -> None:
    words = JwoRuns(SETTINGS).command(LOAD, store(), tmp_path).words
    assert words[4:10] == ("load", "--scenario", "gate_rush", "--rate", "20", "--duration")


@pytest.mark.parametrize("case_id", ["NO-1", "VIK-3.44"])
def test_unknown_case_is_refused(tmp_path: Path, case_id: str) -> None:
    with pytest.raises(BadCall, match=case_id):
        JwoRuns(SETTINGS).command(CERTIFY.model_copy(update={"only": (case_id,)}), store(), tmp_path)


def test_scenario_that_takes_hours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCall, match="no scenario soak"):
        JwoRuns(SETTINGS).command(LOAD.model_copy(update={"scenario": "soak"}), store(), tmp_path)


def test_connector_that_the_suite_cannot_call_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCall, match="Amazon"):
        JwoRuns(SETTINGS).command(CERTIFY, store(url="https://na.amazonphysicalstores.com"), tmp_path)
    assert list(tmp_path.iterdir()) == []
