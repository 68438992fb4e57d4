"""The connectivity test in plain words, its newest results, and what a saved store keeps."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

STORE = "STORE-001"
PATH = f"/portal/stores/{STORE}"


def result_of(platform: Any, kind: str = "identity", **probe: Any) -> dict[str, Any]:
    answer = platform.http.post(f"{PATH}/connectors/{kind}/connectivity-test", json=probe)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize(
    ("identity", "meaning", "fix"),
    [
        ((200, {"visitorDetails": {"id": "v"}}), "the body does not fit the contract", "Correct the body"),
        ((200, b"<html>"), "the body does not fit the contract", "Correct the body"),
        ((401, {}), "does not accept the code of the sample", "a code of your own"),
        ((403, {}), "signs with SigV4", "Compare the mode, region"),
        ((404, {}), "no POST /v1/identity/identity-keys", "without the path of the call"),
        ((307, {}), "follows no redirects", "to which it redirects"),
        ((415, {}), "does not accept application/json", "Accept"),
        ((418, {}), "expects another status", "as the contract says"),
        ((429, {}), "limits its callers", "Wait"),
        ((400, {}), "with the store id sample-store-id", "the id of your store"),
        ((503, {}), "failed with 503", "logs"),
        ((200, {}, {"delay_s": 1.5}), "sent no answer within 1 s", "log"),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, tuple) else "",
)
def test_result_says_what_happened_and_what_to_do(
    steady: Any, connector: Any, identity: Any, meaning: str, fix: str
) -> None:
    connector.identity = [identity]
    steady.set_up_store(connector)
    result = result_of(steady)
    assert not result["passed"]
    assert meaning in result["meaning"]
    assert fix in result["fix"]
    assert result["request"]["body"]["storeId"] == "sample-store-id"
    assert (result["response"] or {}).get("status") == result["status"]


def test_broken_rules_of_the_answer_are_named(steady: Any, connector: Any) -> None:
    connector.identity = [(200, {"visitorDetails": {"id": "v"}})]
    steady.set_up_store(connector)
    assert result_of(steady)["breaches"] == ["visitorDetails.type is missing"]


def test_passed_test_needs_no_fix_and_hides_the_key(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    result = result_of(steady, identityKey="c2VjcmV0LWtleQ==")
    assert (result["passed"], result["fix"], result["breaches"]) == (True, "", [])
    assert "as expected" in result["meaning"]
    assert "c2VjcmV0LWtleQ==" not in str(result)


@pytest.mark.parametrize(
    ("url", "meaning"),
    [
        ("http://127.0.0.1:9", "No program listens at 127.0.0.1:9"),
        ("http://no-such-host.invalid", "The name no-such-host.invalid leads to no address"),
    ],
)
def test_unreachable_connector_is_explained(steady: Any, url: str, meaning: str) -> None:
    steady.set_up_store(url)
    assert meaning in result_of(steady)["meaning"]


def test_plain_http_at_an_https_address_is_explained(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector.url.replace("http://", "https://"))
    result = result_of(steady)
    assert "TLS handshake" in result["meaning"]
    assert "http://" in result["fix"]


@pytest.mark.parametrize(
    ("answer", "meaning"), [(b"", "closed the connection"), (b"SSH-2.0-x\r\n\r\n", "but not in HTTP")]
)
def test_program_that_speaks_no_http_is_explained(steady: Any, answer: bytes, meaning: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        steady.set_up_store(f"http://127.0.0.1:{listener.getsockname()[1]}")
        assert meaning in result_of(steady)["meaning"]
        thread.join(5)


def test_newest_results_are_kept_until_the_connector_changes(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    result = result_of(steady)
    newest = steady.http.get(f"{PATH}/connectivity-tests").json()
    assert newest["identity"] == {"status": "Success", "result": result}
    steady.set_up_store("http://127.0.0.1:9")
    assert steady.http.get(f"{PATH}/connectivity-tests").json()["identity"]["status"] == "Unknown"
    result_of(steady)
    assert steady.http.get(f"{PATH}/connectivity-tests").json()["identity"]["status"] == "Failed"


def test_saved_header_keeps_its_value_that_no_answer_shows(steady: Any, connector: Any) -> None:
    headers = {"X-Api-Key": "very-secret"}
    steady.set_up_store(connector, mode={"auth": "headers", "headers": headers})
    shown = steady.http.get(PATH).json()["connector"]
    assert shown["headers"] == ["X-Api-Key"]
    steady.set_up_store(connector, mode={"auth": "headers", "headers": {"X-Api-Key": None, "X-New": "1"}})
    result_of(steady)
    sent = connector.seen[-1][1]
    assert (sent["x-api-key"], sent["x-new"]) == ("very-secret", "1")
    setup = {"retailer": "r", "connector": {"url": connector.url, "headers": {"X-Other": None}}}
    refused = steady.http.put(PATH, json=setup)
    assert (refused.status_code, "no header X-Other to keep" in refused.text) == (400, True)


def test_removed_configuration_gives_its_calls_to_the_connector_of_the_store(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    saved = steady.http.put(f"{PATH}/connectors/ordering", json={"endpoint": "http://127.0.0.1:9"}).json()
    assert saved["connectorConfigurations"]["ordering"]["own"]
    removed = steady.http.delete(f"{PATH}/connectors/ordering").json()["connectorConfigurations"]["ordering"]
    assert (removed["own"], removed["endpoint"]) == (False, connector.url)


def test_refused_values_of_the_tester_are_not_called_the_sample(steady: Any, connector: Any) -> None:
    connector.identity = [(400, {}), (401, {})]
    steady.set_up_store(connector)
    meanings = [result_of(steady, storeId=STORE, identityKey="dGVzdA==")["meaning"] for _ in range(2)]
    assert not [meaning for meaning in meanings if "sample" in meaning]


def test_merchant_with_a_slash_in_its_name_has_its_onboarding(steady: Any) -> None:
    steady.http.put("/portal/stores/SLASH", json={"retailer": "a/b </script>"}).raise_for_status()
    shown = steady.http.get("/portal/merchants/a%2Fb%20%3C%2Fscript%3E/onboarding").json()
    assert shown["retailer"] == "a/b </script>"
