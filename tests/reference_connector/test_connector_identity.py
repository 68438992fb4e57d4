"""Verify Identity Keys over a real socket."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.reference_connector.conftest import both_databases

OVERLONG_KEY = base64.b64encode(b"k" * 753).decode()
DEEP = b'{"a":' * 900 + b"1" + b"}" * 900


def _key(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("key", "store", "visitor"),
    [
        ("dmFsaWRfc2hvcHBlcl9rZXk=", "STORE-001", {"id": "shopper-uuid-001", "type": "SHOPPER"}),
        ("YXNzb2NpYXRlX2tleQ==", "STORE-001", {"id": "associate-uuid-001", "type": "ASSOCIATE"}),
        ("Y2FzaF9zaG9wcGVyX2tleQ==", "STORE-001", {"id": "cash-shopper-uuid-001", "type": "CASH_SHOPPER"}),
        ("dGVzdC1pZGVudGl0eS1rZXk=", "TEST_STORE_001", {"id": "test-shopper-001", "type": "SHOPPER"}),
        (
            "SldPSU1BRzE4YmMwNTU0ZDA0NWE0OGIyOWFmYTllMmFhYWMxNGFl",
            "sample-store-id",
            {"id": "sample-shopper-001", "type": "SHOPPER"},
        ),
    ],
)
def test_each_fixture_key_opens_its_store(
    direct: Any, a_scan: Any, key: str, store: str, visitor: dict[str, str]
) -> None:
    answer = direct.identify(a_scan(identityKey=key, storeId=store, event_timestamp="2008-01-01T00:00:00Z"))
    assert (answer.status_code, answer.json()) == (200, {"visitorDetails": visitor})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("text", ["nobody", "JWOIMAG18bc0554d045a48b29afa9e2aaac14ae", "JWOIMAGshort", "ÄÖ"])
def test_unknown_key_is_401(direct: Any, a_scan: Any, text: str) -> None:
    assert direct.identify(a_scan(identityKey=_key(text))).status_code == 401


def test_base64_of_bytes_that_are_not_text_is_an_unknown_key(direct: Any, a_scan: Any) -> None:
    assert direct.identify(a_scan(identityKey=base64.b64encode(b"\xff\xfe").decode())).status_code == 401


def test_a_fixture_key_of_another_store_is_401(direct: Any, a_scan: Any) -> None:
    assert direct.identify(a_scan(storeId="TEST_STORE_001")).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"requestId": None},
        {"requestId": "not a uuid!"},
        {"requestId": ""},
        {"requestId": 7},
        {"identityKey": None},
        {"identityKey": ""},
        {"identityKey": "not base64!"},
        {"identityKey": "YXNzb2NpYXRlX2tleQ"},
        {"identityKey": OVERLONG_KEY},
        {"storeId": None},
        {"storeId": ""},
        {"storeId": "S" * 256},
        {"storeId": "NO-SUCH-STORE"},
        {"authEvent": None},
        {"authEvent": []},
        {"authEvent": {}},
        {"event_id": None},
        {"event_id": "not a valid id!"},
        {"event_timestamp": None},
        {"event_timestamp": "yesterday"},
        {"event_timestamp": "2024-12-31T23:59:60Z"},
        {"event_timestamp": "2024-02-09T17:53:57"},
        {"event_location": None},
        {"event_location": "EXIT"},
        {"keyChannel": "TELEPATHIC"},
    ],
)
def test_a_broken_field_is_400_and_is_not_remembered(direct: Any, a_scan: Any, change: dict[str, Any]) -> None:
    answer = direct.identify(a_scan(**change))
    assert answer.status_code == 400
    assert answer.json()["errorMsg"]
    assert direct.identify(a_scan()).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"{}", b"\xef\xbb\xbf{}", DEEP])
def test_a_malformed_body_is_400(direct: Any, body: bytes) -> None:
    assert direct.identify(body).status_code == 400
    assert direct.purchase(body).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"keyChannel": None},
        {"keyChannel": "RADIO"},
        {"unknown": {"deep": [1, None]}},
        {"requestId": "A1B2C3D4-E5F6-7890-ABCD-EF1234567890"},
        {"event_timestamp": "2026-02-09T13:30:00.25+01:30"},
    ],
)
def test_what_the_contract_allows_is_accepted(direct: Any, a_scan: Any, change: dict[str, Any]) -> None:
    assert direct.identify(a_scan(**change)).status_code == 200


@both_databases
def test_the_same_event_gets_the_same_answer_whatever_the_request_id(connector: Any, a_scan: Any) -> None:
    first = connector.identify(a_scan())
    assert connector.identify(a_scan()).content == first.content
    assert connector.identify(a_scan(requestId=str(uuid4()))).content == first.content


@both_databases
def test_a_401_is_remembered_too(direct: Any, a_scan: Any) -> None:
    assert direct.identify(a_scan(identityKey=_key("nobody"))).status_code == 401
    assert direct.identify(a_scan()).status_code == 401


@both_databases
def test_changed_key_gets_the_first_answer_and_is_logged(direct: Any, a_scan: Any) -> None:
    first = direct.identify(a_scan())
    second = direct.identify(a_scan(identityKey="YXNzb2NpYXRlX2tleQ=="))
    assert (second.status_code, second.content) == (200, first.content)
    assert len(direct.events("identity_key_changed")) == 1


@both_databases
def test_answers_are_forgotten_after_48_hours(direct: Any, a_scan: Any) -> None:
    direct.identify(a_scan(identityKey=_key("nobody")))
    direct.clock.advance(hours=47.9)
    assert direct.identify(a_scan()).status_code == 401
    direct.clock.advance(hours=0.2)
    assert direct.identify(a_scan()).status_code == 200


def test_other_events_of_one_shopper_are_other_events(direct: Any, a_scan: Any) -> None:
    assert {direct.identify(a_scan(event_id=str(uuid4()))).status_code for _ in range(3)} == {200}


def _code(connector: Any, shopper: str = "ada", **given: Any) -> str:
    connector.sign_in(shopper)
    answer = connector.http.post(f"/app/shoppers/{shopper}/scan-key", json=given or None)
    assert answer.status_code == 201
    return _key(answer.json()["code"])


def test_a_fresh_code_opens_for_its_shopper(connector: Any, a_scan: Any) -> None:
    answer = connector.identify(a_scan(identityKey=_code(connector)))
    assert answer.json() == {"visitorDetails": {"id": "ada", "type": "SHOPPER"}}


@both_databases
def test_used_code_is_401_for_another_event_only(direct: Any, a_scan: Any) -> None:
    key = _code(direct)
    first = direct.identify(a_scan(identityKey=key))
    assert direct.identify(a_scan(identityKey=key, event_id=str(uuid4()))).status_code == 401
    assert direct.identify(a_scan(identityKey=key, requestId=str(uuid4()))).content == first.content


def test_a_400_uses_no_code_up(direct: Any, a_scan: Any) -> None:
    key = _code(direct)
    assert direct.identify(a_scan(identityKey=key, storeId="NO-SUCH-STORE")).status_code == 400
    assert direct.identify(a_scan(identityKey=key, event_id=str(uuid4()))).status_code == 200


@both_databases
def test_an_expired_scan_uses_no_code_up(direct: Any, a_scan: Any) -> None:
    key = _code(direct)
    late = a_scan(identityKey=key, event_id=str(uuid4()), event_timestamp="2026-02-09T12:01:31Z")
    assert direct.identify(late).status_code == 401
    assert direct.identify(a_scan(identityKey=key)).status_code == 200


@both_databases
def test_without_single_use_a_code_opens_twice(start: Callable[..., Any], a_scan: Any) -> None:
    connector = start(scan_key={"single_use": False})
    key = _code(connector)
    statuses = [connector.identify(a_scan(identityKey=key, event_id=str(uuid4()))).status_code for _ in range(2)]
    assert statuses == [200, 200]


@pytest.mark.parametrize(
    ("scanned_at", "status"),
    [("2026-02-09T12:01:30Z", 200), ("2026-02-09T12:01:30.001Z", 401), ("2008-01-01T00:00:00Z", 200)],
)
def test_age_is_measured_against_the_scan_and_not_the_servers_clock(
    direct: Any, a_scan: Any, scanned_at: str, status: int
) -> None:
    key = _code(direct)
    direct.clock.advance(days=2)
    assert direct.identify(a_scan(identityKey=key, event_timestamp=scanned_at)).status_code == status


def test_a_flagged_account_gets_a_code_and_is_refused_at_the_gate(direct: Any, a_scan: Any) -> None:
    assert direct.identify(a_scan(identityKey=_code(direct, "ben"))).status_code == 401


def test_changed_code_is_unknown(direct: Any, a_scan: Any) -> None:
    key = base64.b64decode(_code(direct)).decode()
    later = key[:7] + f"{int(key[7:18], 16) + 60_000:011x}" + key[18:]
    assert direct.identify(a_scan(identityKey=_key(later))).status_code == 401
    assert direct.identify(a_scan(identityKey=_key(key + "vip"), event_id=str(uuid4()))).status_code == 401
    upper = key[:7] + key[7:].upper()
    assert direct.identify(a_scan(identityKey=_key(upper), event_id=str(uuid4()))).status_code == 200


@both_databases
def test_two_events_at_once_with_one_code_open_the_gate_once(connector: Any, a_scan: Any) -> None:
    key = _code(connector)
    scans = [a_scan(identityKey=key, event_id=str(uuid4())) for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(answer.status_code for answer in pool.map(connector.identify, scans))
    assert statuses == [200] + [401] * 19


@both_databases
def test_duplicates_at_once_get_one_answer(connector: Any, a_scan: Any) -> None:
    scans = [a_scan(identityKey=_code(connector), requestId=str(uuid4()))] * 20
    with ThreadPoolExecutor(20) as pool:
        answers = {(answer.status_code, answer.content) for answer in pool.map(connector.identify, scans)}
    assert len(answers) == 1
    assert answers.pop()[0] == 200


def test_the_log_holds_ids_and_outcome_and_no_key(direct: Any, a_scan: Any) -> None:
    key = _code(direct)
    direct.identify(a_scan(identityKey=key))
    (event,) = direct.events("identity_answered")
    assert event["authEventId"] == "11111111-2222-3333-4444-555555555555"
    assert (event["requestId"], event["status"]) == ("a1b2c3d4-e5f6-7890-abcd-ef1234567890", 200)
    token = base64.b64decode(key).decode()[18:]
    assert token not in direct.log.getvalue()
    assert key not in direct.log.getvalue()
