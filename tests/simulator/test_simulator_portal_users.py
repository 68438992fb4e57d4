"""Users and permissions of the portal, and the state of each onboarding step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from jwo_contract.sigv4 import Key

ACCOUNT = "123456789012"
ADMIN, VIEWER, TESTER = "admin-token-0123456789", "viewer-token-0123456789", "tester-token-0123456789"
EVERY = ["view", "stores", "accounts", "tests", "catalog", "users"]


def as_user(platform: Any, token: str) -> Callable[..., httpx.Response]:
    def call(method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer: httpx.Response = platform.http.request(method, path, json=body, headers=headers)
        return answer

    return call


@pytest.fixture
def guarded(steady: Any, connector: Any) -> Iterator[Any]:
    """A portal with an administrator, a viewer of all, and a tester of one merchant; and a store of another."""
    steady.set_up_store(connector)
    steady.http.put("/portal/stores/OTHER", json={"retailer": "other-retail"})
    admin = as_user(steady, ADMIN)
    assert admin("PUT", "/portal/users/admin", {"permissions": EVERY, "token": ADMIN}).status_code == 200
    assert admin("PUT", "/portal/users/viewer", {"permissions": ["view"], "token": VIEWER}).status_code == 200
    tester = {"retailer": "corner-retail", "permissions": ["view", "tests"], "token": TESTER}
    assert admin("PUT", "/portal/users/tester", tester).status_code == 200
    yield steady
    for user in ("viewer", "tester", "merchant-admin", "admin"):
        admin("DELETE", f"/portal/users/{user}")
    assert steady.http.get("/portal/stores").status_code == 200, "without users the portal is open"


CALLS = [
    ("GET", "/portal/merchants", None, "view"),
    ("GET", "/portal/stores", None, "view"),
    ("GET", "/portal/stores/STORE-001", None, "view"),
    ("GET", "/portal/merchants/corner-retail/onboarding", None, "view"),
    ("GET", "/portal/merchants/corner-retail/event-feed", None, "view"),
    ("GET", "/portal/topic", None, "view"),
    ("GET", "/portal/accounts/unknown", None, "view"),
    ("PUT", "/portal/stores/STORE-001", {"retailer": "corner-retail"}, "stores"),
    ("PUT", "/portal/stores/STORE-001/connectors/identity", {"endpoint": "http://127.0.0.1:9"}, "stores"),
    ("PUT", "/portal/merchants/corner-retail/event-feed", {"queueArn": "arn"}, "stores"),
    ("POST", "/portal/merchants/corner-retail/event-feed/test", None, "tests"),
    ("PUT", "/portal/merchants/corner-retail/intra-day", {"queueArn": "arn"}, "stores"),
    ("GET", "/portal/merchants/corner-retail/intra-day", None, "view"),
    ("PUT", "/portal/accounts/1", {"retailer": "r", "accessKeyId": "a", "secretAccessKey": "s"}, "accounts"),
    ("POST", "/portal/stores/STORE-001/connectivity-test", None, "tests"),
    ("POST", "/portal/stores/STORE-001/connectors/ordering/connectivity-test", None, "tests"),
    ("GET", "/portal/stores/STORE-001/connectivity-tests", None, "view"),
    ("DELETE", "/portal/stores/STORE-001/connectors/identity", None, "stores"),
    ("GET", "/portal/catalog", None, "view"),
    ("POST", "/portal/accounts/unknown/catalog-uploads", None, "catalog"),
    ("GET", "/portal/ingestions", None, "view"),
    ("GET", "/portal/ingestions/unknown", None, "view"),
    ("GET", "/portal/users", None, "users"),
    ("PUT", "/portal/users/me", {"permissions": ["users"], "token": "x" * 16}, "users"),
    ("DELETE", "/portal/users/admin", None, "users"),
]


def test_each_call_of_the_portal_needs_its_permission(guarded: Any) -> None:
    for method, path, body, permission in CALLS:
        for token in ("", "wrong-token-0123456789"):
            refused = as_user(guarded, token)(method, path, body)
            assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer"), path
        answer = as_user(guarded, VIEWER)(method, path, body)
        assert (answer.status_code == 403) is (permission != "view"), (method, path, answer.text)
        if permission != "view":
            assert permission in answer.json()["errorMsg"]
    paths = guarded.http.get("/openapi.json").json()["paths"]
    signed = {"/portal/connectivity"}
    tested = {template(path) for _, path, _, _ in CALLS}
    assert {path for path in paths if path.startswith("/portal")} - signed == tested


def template(path: str) -> str:
    """Return the path of the OpenAPI document for a path of a call."""
    names = {"corner-retail": "{retailer}", "STORE-001": "{store_id}", "identity": "{kind}", "ordering": "{kind}"}
    parts = [names.get(part, part) for part in path.split("/")]
    ids = {"accounts": "{account_id}", "users": "{user_id}", "ingestions": "{ingestion_id}"}
    if parts[2] in ids and len(parts) > 3:
        parts[3] = ids[parts[2]]
    return "/".join(parts)


def test_user_of_one_merchant_reaches_no_other(guarded: Any) -> None:
    call = as_user(guarded, TESTER)
    assert [store["storeId"] for store in call("GET", "/portal/stores").json()] == ["STORE-001"]
    assert [shown["retailer"] for shown in call("GET", "/portal/merchants").json()] == ["corner-retail"]
    assert call("POST", "/portal/stores/STORE-001/connectivity-test").json()["passed"]
    for method, path in [
        ("GET", "/portal/stores/OTHER"),
        ("GET", "/portal/merchants/other-retail/onboarding"),
        ("GET", "/portal/merchants/other-retail/event-feed"),
        ("POST", "/portal/stores/OTHER/connectivity-test"),
    ]:
        assert call(method, path).status_code == 403, path


def test_merchants_administrator_cannot_take_what_another_merchant_has(guarded: Any) -> None:
    token = "merchant-token-0123456789"
    own = {"retailer": "corner-retail", "permissions": EVERY, "token": token}
    assert as_user(guarded, ADMIN)("PUT", "/portal/users/merchant-admin", own).status_code == 200
    call = as_user(guarded, token)
    assert call("PUT", "/portal/stores/OTHER", {"retailer": "corner-retail"}).status_code == 403
    for_all = {"permissions": EVERY, "token": "y" * 16}
    assert call("PUT", "/portal/users/new", for_all).status_code == 403
    assert call("PUT", "/portal/users/admin", {**own, "token": "z" * 16}).status_code == 403
    assert call("DELETE", "/portal/users/viewer").status_code == 403
    assert call("DELETE", "/portal/users/tester").status_code == 200


def test_some_user_can_always_manage_users_and_no_answer_has_a_token(guarded: Any) -> None:
    call = as_user(guarded, ADMIN)
    demoted = call("PUT", "/portal/users/admin", {"permissions": ["view"], "token": ADMIN})
    assert (demoted.status_code, "no user could manage" in demoted.json()["errorMsg"]) == (400, True)
    assert call("DELETE", "/portal/users/admin").status_code == 409
    assert call("DELETE", "/portal/users/nowhere").status_code == 404
    assert call("PUT", "/portal/users/second", {"permissions": ["view"], "token": ADMIN}).status_code == 409
    short = call("PUT", "/portal/users/second", {"permissions": ["view"], "token": "short-secret"})
    assert (short.status_code, "short-secret" in short.text) == (400, False)
    shown = call("GET", "/portal/users")
    assert shown.json()[0] == {"userId": "admin", "retailer": "", "permissions": EVERY}
    assert ADMIN not in shown.text


def test_first_user_must_manage_all_users(steady: Any) -> None:
    for setup in ({"permissions": ["view"]}, {"permissions": EVERY, "retailer": "corner-retail"}):
        answer = steady.http.put("/portal/users/first", json={**setup, "token": ADMIN})
        assert answer.status_code == 400
    assert steady.http.get("/portal/users").json() == []


def test_users_and_test_results_survive_a_restart(start_platform: Any, connector: Any, tmp_path: Any) -> None:
    database = str(tmp_path / "platform.sqlite3")
    first = start_platform(database_path=database)
    first.set_up_store(connector)
    first.http.post("/portal/stores/STORE-001/connectivity-test")
    first.http.put("/portal/users/admin", json={"permissions": EVERY, "token": ADMIN})
    first.stop()
    second = start_platform(database_path=database)
    assert second.http.get("/portal/stores").status_code == 401
    shown = as_user(second, ADMIN)("GET", "/portal/merchants/corner-retail/onboarding").json()
    assert status_of(shown, "connectivity test", "STORE-001 identity") == "Success"
    assert ADMIN.encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("platform*") if path.is_file())


def status_of(shown: dict[str, Any], step: str, subject: str) -> str:
    (found,) = [one for one in shown["steps"] if (one["step"], one["of"]) == (step, subject)]
    assert found["done"] is ("fix" not in found)
    return str(found["status"])


def test_onboarding_shows_each_step_until_all_are_done(platform: Any, connector: Any, queue: Any) -> None:
    def state() -> dict[str, Any]:
        return dict(platform.http.get("/portal/merchants/corner-retail/onboarding").json())

    assert platform.http.get("/portal/merchants/corner-retail/onboarding").status_code == 404
    platform.allow_list(None)
    assert [(one["step"], one["status"]) for one in state()["steps"]] == [
        ("AWS account", "Complete"),
        ("AWS resources", "Incomplete"),
        ("connectivity test", "Unknown"),
        ("SNS subscription", "Unknown"),
        ("store", "Incomplete"),
    ]
    platform.allow_list(queue.arn)
    assert status_of(state(), "SNS subscription", ACCOUNT) == "Pending"
    platform.http.get(queue.receive()[0]["SubscribeURL"])
    platform.signed("/portal/connectivity", b"")
    platform.set_up_store(None)
    assert status_of(state(), "connector configuration", "STORE-001 identity") == "Incomplete"
    platform.set_up_store(connector)
    connector.identity = [(401, {}), (200, {"visitorDetails": {"id": "v", "type": "SHOPPER"}})]
    for expected in ("Failed", "Success"):
        platform.http.post("/portal/stores/STORE-001/connectivity-test")
        assert status_of(state(), "connectivity test", "STORE-001 identity") == expected
    platform.http.post("/portal/stores/STORE-001/connectors/ordering/connectivity-test")
    assert not state()["complete"]
    item = {"item_sku": "A", "external_product_id": "12345", "item_name": "Tea", "store_id": "STORE-001"}
    platform.done(platform.upload(item).json()["ingestionId"])
    assert state()["complete"], state()
    platform.set_up_store("http://127.0.0.1:9")
    assert status_of(state(), "connectivity test", "STORE-001 identity") == "Unknown", "another connector is not tested"


def test_signed_calls_and_confirmations_need_no_user(platform: Any, queue: Any) -> None:
    platform.allow_list(queue.arn)
    platform.http.put("/portal/users/admin", json={"permissions": EVERY, "token": ADMIN})
    assert platform.signed("/portal/connectivity", b"").status_code == 200
    assert platform.signed("/portal/connectivity", b"", Key("retailer-key", "wrong")).status_code == 403
    assert platform.http.get(queue.receive()[0]["SubscribeURL"]).status_code == 200
