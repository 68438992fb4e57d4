"""An exchange as a case of the profile: placeholders, the file that it is added to, and refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from jwo_contract.own_cases import OwnCase
from jwo_contract.profile import load
from simulator.app import create_app
from simulator.errors import BadCall, NotNow
from simulator.profile_case import ProfileFile, case_of
from simulator.settings import PlatformSettings
from tests.conftest import served

PROFILE = '# my connector\n[connector]\nurl = "http://127.0.0.1:9"  # here'
UUID = "b21605b9-896f-4026-a647-9cff63c001da"
SCAN = {
    "requestId": UUID,
    "identityKey": "***",
    "storeId": "STORE-001",
    "authEvent": {"id": UUID, "timestamp": "2026-11-27T12:31:43Z", "location": "ENTRY"},
}


def entry(body: Any = SCAN, status: int | None = 200, kind: str = "SHOPPER") -> dict[str, Any]:
    answer = {"visitorDetails": {"id": "ada", "type": kind}} if status == 200 else {}
    response = None if status is None else {"status": status, "body": answer}
    return {"seq": 1, "operation": "Verify Identity Keys", "request": {"body": body}, "response": response}


@pytest.mark.parametrize(
    ("status", "kind", "key"),
    [(200, "SHOPPER", "shopper"), (200, "ASSOCIATE", "associate"), (401, "", "unknown"), (400, "", "shopper")],
)
def test_ids_times_and_keys_become_placeholders(status: int, kind: str, key: str) -> None:
    case = case_of(entry(status=status, kind=kind), "a case", None, {})

    assert case.status == status
    assert case.body.count("{uuid}") == 2
    assert f'"identityKey": "{{key.{key}}}"' in case.body
    assert '"timestamp": "{now}"' in case.body
    assert '"storeId": "STORE-001"' in case.body


def test_null_cannot_be_expected() -> None:
    with pytest.raises(BadCall, match="expected has a null"):
        case_of(entry(), "a case", None, {"visitorDetails": {"id": [None]}})


def test_values_that_are_not_valid_stay() -> None:
    wrong = {"requestId": "7", "authEvent": {"id": "x", "timestamp": "yesterday"}, "storeId": 7}

    assert json.loads(case_of(entry(wrong), "a", 400, {}).body) == wrong


@pytest.mark.parametrize(
    ("one", "name", "words"),
    [
        (entry(), "<b>", "is not a name of a case"),
        (entry(status=None), "a", "the exchange has no answer"),
        (entry({"cut": "larger", "sha256": "0"}), "a", "no whole body"),
        ({"kind": "gate_decision"}, "a", "no whole body"),
        ({**entry(), "operation": "Upload Catalog"}, "a", "is not a call to a connector"),
    ],
)
def test_entry_that_cannot_be_a_case_is_refused(one: dict[str, Any], name: str, words: str) -> None:
    with pytest.raises(BadCall) as raised:
        case_of(one, name, None, {})
    assert words in str(raised.value.body())


def test_case_is_added_at_the_end_and_nothing_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "jwo.toml"
    path.write_text(PROFILE, "utf-8")
    file = ProfileFile(path)
    file.append(case_of(entry(), "first", None, {}))
    file.append(case_of(entry(), "second", None, {}))

    assert path.read_text("utf-8").startswith(f"{PROFILE}\n\n[[case]]\n")
    assert [each.name for each in load(path).case] == ["first", "second"]
    with pytest.raises(NotNow, match="has a case 'First'"):
        file.append(OwnCase(name="First", operation="Create Purchases", status=201))


@pytest.mark.parametrize(("text", "words"), [(None, "cannot be changed"), ("[broken", "is not valid TOML")])
def test_file_that_cannot_take_a_case_is_left_alone(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "jwo.toml"
    if text is not None:
        path.write_text(text, "utf-8")
    with pytest.raises(NotNow, match=words):
        ProfileFile(path).append(case_of(entry(), "a", None, {}))

    assert path.exists() is (text is not None)
    assert text is None or path.read_text("utf-8") == text


def test_call_shows_a_case_and_adds_it_to_the_profile(tmp_path: Path, connector: Any) -> None:
    path = tmp_path / "jwo.toml"
    path.write_text(PROFILE, "utf-8")
    settings = PlatformSettings(base_url="http://127.0.0.1:1", stores_alone=True, profile_path=path)
    with served(create_app(settings)) as url, httpx.Client(base_url=url) as http:
        store = {"retailer": "r", "connector": {"url": connector.url, "auth": "none"}, "qrPattern": "", "gates": ["G"]}
        http.put("/portal/stores/S", json=store).raise_for_status()
        http.post("/gates/G/scans", json={"text": "a key"}).raise_for_status()
        seq = http.get("/journal", params={"kind": "exchange"}).json()[0]["seq"]
        shown = http.post(f"/journal/{seq}/case", json={"name": "mine"}).json()
        before = path.read_text("utf-8")
        added = http.post(f"/journal/{seq}/case", json={"name": "mine", "append": True}).json()
        again = http.post(f"/journal/{seq}/case", json={"name": "mine", "append": True})

    assert (shown["profile"], shown["appended"], before) == ("jwo.toml", False, PROFILE)
    assert (added["toml"], added["appended"], again.status_code) == (shown["toml"], True, 409)
    assert path.read_text("utf-8") == f"{PROFILE}\n\n{shown['toml']}"
    assert "a key" not in path.read_text("utf-8")
