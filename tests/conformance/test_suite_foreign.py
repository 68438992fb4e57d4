"""No false alarm: connectors that share no code with this project pass unchanged, lenient and strict."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.drivers.http import ConnectorClient
from conformance.requests import Requests
from conformance.run.configuration import RunConfiguration, Selection, utc_now
from conformance.run.session import run
from conformance.verdicts import Verdict
from jwo_contract.operations import VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile, load
from tests.foreign.running import FOREIGN, NODE, Foreign, running

ROOMS = ("jwo_contract", "reference_connector", "simulator", "conformance", "load", "jwo", "tests")


FAST = {"plain_asgi"}
"""The foreign connector that `make test` certifies; `.ci/run` also certifies the others."""
CERTIFIED = [
    pytest.param(each, id=each.name, marks=[] if each.name in FAST else [pytest.mark.slow]) for each in FOREIGN
]
BY_COMMAND = (
    *("VIK-1.1", "VIK-1.2", "VIK-2", "VIK-3.4", "VIK-6", "VIK-X.9", "VIK-X.10", "VIK-X.12", "VIK-X.70", "VIK-X.92"),
    *("CP-1.1", "CP-1.10", "CP-1.11", "CP-2", "CP-X.101", "E2E-X.1", "E2E-X.2", "E2E-X.5"),
)
"""Cases with new keys of every kind. A command starts a process for each key, so the other cases ask an address."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("foreign", CERTIFIED)
def test_a_correct_foreign_connector_gets_no_finding(foreign: Foreign, tmp_path: Path) -> None:
    with running(foreign) as environment:
        profile = str(foreign.folder / "jwo.toml")
        command = [sys.executable, "-m", "jwo", "certify", "--strict", "--tier", "core,entry"]
        command += ["--profile", profile, "--out", "out"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=280, check=False, cwd=tmp_path, env=dict(environment)
        )

    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert report["verdict"] == "pass"
    assert report["counts"]["fail"] == report["counts"]["warn"] == report["counts"]["error"] == 0
    assert report["counts"]["pass"] >= 95
    written = "".join(path.read_text("utf-8") for path in (tmp_path / "out").iterdir())
    assert environment["SHOP_KEY"] not in written
    assert environment["SHOP_TOKEN"] not in written


def test_a_foreign_connector_accepts_signed_calls_only(tmp_path: Path) -> None:
    """The foreign connector checks signatures itself: it refuses a wrong secret, region or token, and no signature."""
    node = next(foreign for foreign in FOREIGN if foreign.name == "node_http")
    with running(node) as environment:
        (tmp_path / "jwo.toml").write_text((node.folder / "jwo.toml").read_text("utf-8"), encoding="utf-8")
        right = load(tmp_path / "jwo.toml", environment)
        table = right.connector
        wrong = [
            {"secret_access_key": "another"},
            {"region": "us-east-1"},
            {"session_token": "another"},
            {"session_token": ""},
            {"auth": "none"},
        ]
        callers = [table, *(table.model_copy(update=change) for change in wrong)]
        statuses = [_status(right.model_copy(update={"connector": caller})) for caller in callers]

    assert statuses == [200, 403, 403, 403, 403, 403]


@pytest.mark.timeout(120)
def test_a_foreign_connector_with_a_low_rate_limit_gets_no_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_CALLS_A_SECOND", "5")
    flask = next(foreign for foreign in FOREIGN if foreign.name == "flask_threads")
    chosen = ("VIK-4", "E2E-X.2", "E2E-X.4", "E2E-X.5")
    with running(flask) as environment:
        declared = (flask.folder / "jwo.toml").read_text("utf-8").replace("= 100\n", "= 5\n")
        (tmp_path / "jwo.toml").write_text(declared, encoding="utf-8")
        results = run(RunConfiguration(load(tmp_path / "jwo.toml", environment), Selection(only=chosen))).results

    found = {each: result.verdict for each, result in results.items()}
    assert found == dict.fromkeys(chosen, Verdict.PASS)


@pytest.mark.timeout(120)
def test_keys_of_a_command_serve_every_kind_of_case(tmp_path: Path) -> None:
    node = next(foreign for foreign in FOREIGN if foreign.name == "node_http")
    declared = (node.folder / "jwo.toml").read_text("utf-8")
    with running(node) as environment:
        mint = f"{NODE} {node.folder / 'mint.mjs'} {{type}}"
        text = declared.replace('url = "env:FOREIGN_MINT"', 'command = "env:FOREIGN_MINT"')
        (tmp_path / "jwo.toml").write_text(text, encoding="utf-8")
        profile = load(tmp_path / "jwo.toml", {**environment, "FOREIGN_MINT": mint})
        results = run(RunConfiguration(profile, Selection(("core", "entry"), BY_COMMAND))).results

    assert profile.keys.command == mint
    assert {each: result.verdict for each, result in results.items()} == dict.fromkeys(BY_COMMAND, Verdict.PASS)


def _status(profile: Profile) -> int:
    scan = Requests(profile, utc_now).valid_request(VERIFY_IDENTITY_KEYS)
    with ConnectorClient(profile, utc_now, lambda _exchange: None) as client:
        answer = client.send(scan.operation, scan.encoded()).answer
    return answer.status if answer else 0


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda foreign: foreign.name)
def test_a_foreign_connector_shares_no_code_with_us(foreign: Foreign) -> None:
    for file in foreign.folder.glob("*.*"):
        imported = re.findall(r"^\s*(?:from|import)\s+[\"'{\w ,}]*?([\w.]+)", file.read_text("utf-8"), re.MULTILINE)
        assert not {name.partition(".")[0] for name in imported} & set(ROOMS), file


def test_foreign_connectors_use_two_languages_and_four_servers() -> None:
    assert len(FOREIGN) >= 4
    assert {next(foreign.folder.glob("connector.*")).suffix for foreign in FOREIGN} == {".py", ".mjs"}
