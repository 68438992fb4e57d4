"""Onboarding: stores, accounts, the connectivity tests in both directions; no answer has a secret."""

from __future__ import annotations

from typing import Any

import pytest

from jwo_contract.messages import message
from jwo_contract.operations import CREATE_PURCHASES, RESOLVE_SCAN
from jwo_contract.sigv4 import Key
from simulator.catalog.notifications import Notifications
from simulator.errors import AmazonHostRefused
from simulator.hosts import aws_url

ACCOUNT = "123456789012"
MOCK_EVENT = {"id": "11111858-0000-1213-1111-5af1791e9211", "location": "ENTRY"}


def test_portal_shows_the_account_without_its_secrets(platform: Any, connector: Any, queue: Any) -> None:
    platform.set_up_store(connector)
    put = platform.allow_list(queue.arn)
    got = platform.http.get(f"/portal/accounts/{ACCOUNT}")
    assert put.json() == got.json()
    assert got.json() == {
        "accountId": ACCOUNT,
        "retailer": "corner-retail",
        "accessKeyId": "retailer-key",
        "queueArn": queue.arn,
        "connectivityStatus": "Unknown",
        "subscriptionStatus": "Pending",
        "authorisedStores": ["STORE-001"],
    }


def test_signed_call_of_the_connectivity_route_sets_success(platform: Any, queue: Any) -> None:
    platform.allow_list(queue.arn)
    assert platform.signed("/portal/connectivity", b"", Key("retailer-key", "wrong")).status_code == 403
    assert platform.http.get(f"/portal/accounts/{ACCOUNT}").json()["connectivityStatus"] == "Unknown"
    assert platform.signed("/portal/connectivity", b"").json()["connectivityStatus"] == "Success"
    assert platform.http.get(f"/portal/accounts/{ACCOUNT}").json()["connectivityStatus"] == "Success"


def test_each_key_of_an_account_makes_the_calls_that_its_role_allows(platform: Any, queue: Any) -> None:
    catalog = ["/v1/catalog/upload", "/v1/catalog/getCatalogUploadStatus"]
    other = {"accessKeyId": "tester", "secretAccessKey": "s", "mayCall": ["/portal/connectivity"]}
    platform.allow_list(queue.arn, mayCall=catalog, otherKeys=[other])
    tester = Key("tester", "s")
    assert platform.signed("/portal/connectivity", b"", tester).status_code == 200
    answers = [
        platform.signed("/portal/connectivity", b""),
        platform.signed("/v1/catalog/upload", {"catalogItems": []}, tester),
        platform.signed("/v1/catalog/archive", {}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert "execute-api:Invoke" in answers[0].json()["message"]
    assert platform.upload().status_code == 400, "the call is allowed, its empty list is not"


def test_keys_of_another_account_and_keys_given_twice_are_refused(platform: Any, queue: Any) -> None:
    key = {"accessKeyId": "second", "secretAccessKey": "s"}
    platform.allow_list(queue.arn, otherKeys=[key])
    assert platform.allow_list(queue.arn, "222222222222", accessKeyId="third", otherKeys=[key]).status_code == 409
    assert platform.allow_list(queue.arn, "222222222222", accessKeyId="second").status_code == 409
    assert platform.allow_list(queue.arn, accessKeyId="second", otherKeys=[key]).status_code == 400


def test_account_comes_before_its_queue_and_keeps_the_queue(platform: Any, queue: Any) -> None:
    first = platform.allow_list(None).json()
    assert (first["queueArn"], first["subscriptionStatus"]) == ("", "Unknown")
    assert platform.allow_list(queue.arn).json()["subscriptionStatus"] == "Pending"
    (invitation,) = queue.receive()
    platform.http.get(invitation["SubscribeURL"])
    kept = platform.allow_list(None, accessKeyId="rotated").json()
    assert (kept["queueArn"], kept["subscriptionStatus"]) == (queue.arn, "Complete")
    moved = platform.allow_list(None, retailer="another").json()
    assert (moved["queueArn"], moved["subscriptionStatus"]) == ("", "Unknown")


@pytest.mark.parametrize("arn", ["", "queue", "arn:aws:sns:us-east-1:123456789012:t", "arn:aws:sqs:us-east-1:1:gone"])
def test_invalid_queue_is_refused(platform: Any, arn: str) -> None:
    assert platform.allow_list(arn).status_code == 400
    assert platform.http.get(f"/portal/accounts/{ACCOUNT}").status_code == 404


def test_confirmed_queue_is_not_asked_again_and_another_queue_is(onboarded: Any, queue: Any, make_queue: Any) -> None:
    assert onboarded.allow_list(queue.arn).json()["subscriptionStatus"] == "Complete"
    assert queue.receive() == []
    other = make_queue()
    assert onboarded.allow_list(other.arn).json()["subscriptionStatus"] == "Pending"
    assert [envelope["Type"] for envelope in other.receive()] == ["SubscriptionConfirmation"]


def test_account_keeps_its_statuses_while_its_retailer_stays(onboarded: Any, queue: Any) -> None:
    onboarded.signed("/portal/connectivity", b"")
    result = onboarded.allow_list(queue.arn, accessKeyId="rotated-key").json()
    assert (result["connectivityStatus"], result["subscriptionStatus"]) == ("Success", "Complete")
    result = onboarded.allow_list(queue.arn, retailer="another").json()
    assert result["connectivityStatus"] == "Unknown"


def test_account_is_unchanged_when_its_new_queue_is_invalid(onboarded: Any, queue: Any) -> None:
    before = onboarded.http.get(f"/portal/accounts/{ACCOUNT}").json()
    assert onboarded.allow_list("arn:aws:sqs:us-east-1:1:gone").status_code == 400
    assert onboarded.http.get(f"/portal/accounts/{ACCOUNT}").json() == before
    assert before["queueArn"] == queue.arn


def test_confirmation_may_come_before_the_sending_has_returned(
    platform: Any, queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Notifications._send  # noqa: SLF001 - the moment between arrival and return is not to be had otherwise

    def slow(self: Notifications, arn: str, text: str) -> None:
        send(self, arn, text)
        (invitation,) = queue.receive()
        assert platform.http.get(invitation["SubscribeURL"]).status_code == 200

    monkeypatch.setattr(Notifications, "_send", slow)
    assert platform.allow_list(queue.arn).json()["subscriptionStatus"] == "Complete"


def test_access_key_belongs_to_one_account(platform: Any, queue: Any) -> None:
    platform.allow_list(queue.arn)
    assert platform.allow_list(queue.arn, "222222222222").status_code == 409


def test_malformed_set_up_is_refused_without_repeating_the_secret(platform: Any) -> None:
    answer = platform.http.put(f"/portal/accounts/{ACCOUNT}", json={"secretAccessKey": "very-secret", "retailer": 7})
    assert answer.status_code == 400
    assert "accessKeyId" in answer.json()["errorMsg"]
    assert "very-secret" not in answer.text


def test_store_keeps_header_values_inside_and_sends_them(platform: Any, connector: Any) -> None:
    platform.set_up_store(connector, mode={"auth": "headers", "headers": {"x-api-key": "hush"}})
    shown = platform.http.get("/portal/stores/STORE-001")
    assert shown.json()["connector"]["headers"] == ["x-api-key"]
    assert platform.scan()["opens"]
    headers = connector.seen[0][1]
    assert headers["x-api-key"] == "hush"
    assert "authorization" not in headers
    assert "hush" not in shown.text + platform.http.get("/journal").text


@pytest.mark.parametrize(
    "url",
    [
        "https://us-east-1.catalog.amazonphysicalstores.com",
        "https://X.AMAZONPHYSICALSTORES.COM.",
        "ftp://127.0.0.1",
        "nowhere",
        "http://[",
    ],
)
def test_amazons_and_invalid_addresses_are_refused(steady: Any, url: str) -> None:
    setup = {"retailer": "corner-retail", "connector": {"url": url}}
    assert steady.http.put("/portal/stores/STORE-009", json=setup).status_code == 400
    assert steady.http.get("/portal/stores/STORE-009").status_code == 404


def test_connector_may_be_behind_api_gateway_but_aws_is_never_called(steady: Any) -> None:
    behind = {"url": "https://abc.execute-api.us-east-1.amazonaws.com/prod"}
    setup = {"retailer": "corner-retail", "connector": behind}
    assert steady.http.put("/portal/stores/STORE-008", json=setup).status_code == 200
    with pytest.raises(AmazonHostRefused):
        aws_url("https://sqs.us-east-1.amazonaws.com", block_amazon=True)


def test_gate_belongs_to_one_store_and_a_pattern_must_compile(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    taken = {"retailer": "corner-retail", "gates": ["STORE-001-GATE-1"]}
    assert steady.http.put("/portal/stores/STORE-002", json=taken).status_code == 409
    assert steady.http.put("/portal/stores/STORE-002", json={"retailer": "r", "qrPattern": "("}).status_code == 400


def test_connectivity_test_sends_the_mock_sample(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    result = steady.http.post("/portal/stores/STORE-001/connectivity-test").json()
    assert (result["passed"], result["status"], result["cause"]) == (True, 200, "200")
    (sent,) = connector.bodies("identity-keys")
    assert sent["storeId"] == "sample-store-id"
    assert sent["identityKey"] == "SldPSU1BRzE4YmMwNTU0ZDA0NWE0OGIyOWFmYTllMmFhYWMxNGFl"
    assert sent["authEvent"] == {**MOCK_EVENT, "timestamp": "2008-11-05T06:00:00Z"}
    steady.http.post("/portal/stores/STORE-001/connectivity-test")
    assert connector.bodies("identity-keys")[1]["authEvent"] == sent["authEvent"]
    assert connector.bodies("identity-keys")[1]["requestId"] != sent["requestId"]


@pytest.mark.parametrize(("kind", "path"), [("ordering", "order/purchases"), ("loyalty", "identity/scan")])
def test_other_probes_fit_the_contract_and_carry_the_mock_event(
    steady: Any, connector: Any, kind: str, path: str
) -> None:
    connector.scans = [(200, {"scanId": "s"})]
    steady.set_up_store(connector)
    steady.http.post(f"/portal/stores/STORE-001/connectors/{kind}/connectivity-test", json={"sku": "MILK"})
    (sent,) = connector.bodies(path)
    operation = CREATE_PURCHASES if kind == "ordering" else RESOLVE_SCAN
    assert message(operation.request).violations(sent) == []
    events = sent["shoppingTrip"]["authEvents"] if kind == "ordering" else [sent["scanEvent"]]
    assert [MOCK_EVENT.items() <= event.items() for event in events] == [True]


def test_connectivity_test_takes_the_testers_key_and_fails_on_anything_but_200(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    connector.identity = [(401, {})]
    result = steady.http.post("/portal/stores/STORE-001/connectivity-test", json={"identityKey": "dGVzdA=="}).json()
    assert (result["passed"], result["status"], result["cause"]) == (False, 401, "401")
    assert connector.bodies("identity-keys")[0]["storeId"] == "STORE-001"


def test_connectivity_test_needs_a_saved_connector(steady: Any) -> None:
    steady.set_up_store(None)
    assert steady.http.post("/portal/stores/STORE-001/connectivity-test").status_code == 400
    assert steady.http.post("/portal/stores/NOWHERE/connectivity-test").status_code == 404
