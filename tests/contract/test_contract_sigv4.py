from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from jwo_contract import sigv4
from jwo_contract.errors import SignatureRejected
from jwo_contract.sigv4 import Key

NOW = datetime(2024, 2, 9, 17, 53, 57, tzinfo=UTC)
PLAIN = Key("AKIDPLAIN", "plain-secret")
TEMPORARY = Key("ASIATEMPORARY", "temporary-secret", "session-token")
KEYS = {key.access_key_id: key for key in (PLAIN, TEMPORARY)}
URL = "http://127.0.0.1:8080/v1/order/purchases"
BODY = b'{"requestId":"1"}'


def signed(key: Key = TEMPORARY, url: str = URL, body: bytes = BODY, region: str = "us-east-1") -> dict[str, str]:
    headers = {"Host": "127.0.0.1:8080", "Content-Type": "application/json"}
    return sigv4.sign("POST", url, headers, body, key, region=region, now=NOW)


def verified(headers: dict[str, str], **changes: Any) -> Key:
    call: dict[str, Any] = {"method": "POST", "url": URL, "body": BODY, "now": NOW} | changes
    return sigv4.verify(
        call["method"],
        call["url"],
        headers,
        call["body"],
        find_key=KEYS.get,
        region="us-east-1",
        now=call["now"],
    )


def code_of(headers: dict[str, str], **changes: Any) -> str:
    with pytest.raises(SignatureRejected) as caught:
        verified(headers, **changes)
    assert "secret" not in str(caught.value)
    assert "session-token" not in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("key", [PLAIN, TEMPORARY])
@pytest.mark.parametrize("url", [URL, URL + "?b=2&a=1%20x&a=0", "http://127.0.0.1:8080/", URL + "/a%2Fb c"])
@pytest.mark.parametrize("body", [BODY, b"", "\N{SHOPPING TROLLEY}".encode()])
def test_signed_request_verifies(key: Key, url: str, body: bytes) -> None:
    assert verified(signed(key, url, body), url=url, body=body) == key


def test_headers_in_lower_case_as_servers_give_them_verify() -> None:
    assert verified({name.lower(): value for name, value in signed().items()}) == TEMPORARY


def test_signature_is_valid_within_the_allowed_skew() -> None:
    for seconds in (-300, 300):
        assert verified(signed(), now=NOW + timedelta(seconds=seconds)) == TEMPORARY


def test_a_signature_made_by_the_aws_client_library_verifies() -> None:
    request = AWSRequest("POST", URL, {"Content-Type": "application/json", "Host": "127.0.0.1:8080"}, BODY)
    SigV4Auth(Credentials(*TEMPORARY), "execute-api", "us-east-1").add_auth(request)
    stamp = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert verified(dict(request.headers.items()), now=stamp) == TEMPORARY


def without(name: str) -> dict[str, str]:
    return {given: value for given, value in signed().items() if given != name}


def with_authorization(old: str, new: str) -> dict[str, str]:
    headers = signed()
    assert old in headers["Authorization"]
    return headers | {"Authorization": headers["Authorization"].replace(old, new)}


@pytest.mark.parametrize(
    ("code", "headers"),
    [
        ("missing", {}),
        ("missing", without("Authorization")),
        ("malformed", signed() | {"Authorization": "Bearer token"}),
        ("malformed", without("X-Amz-Date")),
        ("malformed", signed() | {"X-Amz-Date": "yesterday"}),
        ("malformed", signed() | {"X-Amz-Date": "20240210T175357Z"}),
        ("unknown_key", with_authorization("ASIATEMPORARY", "ASIASTRANGER")),
        ("wrong_token", without("X-Amz-Security-Token")),
        ("wrong_token", signed() | {"X-Amz-Security-Token": "another"}),
        ("wrong_token", signed(PLAIN) | {"X-Amz-Security-Token": "session-token"}),
        ("wrong_scope", signed(region="eu-west-1")),
        ("wrong_scope", with_authorization("execute-api", "s3")),
        ("unsigned_header", with_authorization("host;", "")),
        ("unsigned_header", signed() | {"X-Amz-Target": "added"}),
        ("unsigned_header", without("Content-Type")),
        ("mismatch", signed() | {"Host": "elsewhere:8080"}),
        ("mismatch", signed() | {"Content-Type": "text/plain"}),
        ("mismatch", signed() | {"X-Amz-Content-SHA256": hashlib.sha256(b"other").hexdigest()}),
        ("mismatch", signed(Key("AKIDPLAIN", "a wrong one"))),
    ],
)
def test_a_bad_signature_is_rejected_with_its_code(code: str, headers: dict[str, str]) -> None:
    assert code_of(headers) == code


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("stale", {"now": NOW + timedelta(seconds=301)}),
        ("stale", {"now": NOW - timedelta(seconds=301)}),
        ("mismatch", {"body": BODY + b" "}),
        ("mismatch", {"method": "PUT"}),
        ("mismatch", {"url": URL + "/other"}),
        ("mismatch", {"url": URL + "?a=1"}),
    ],
)
def test_a_changed_request_is_rejected_with_its_code(code: str, changes: dict[str, Any]) -> None:
    assert code_of(signed(), **changes) == code


def test_a_key_does_not_print_its_secrets() -> None:
    assert repr(TEMPORARY) == "Key(ASIATEMPORARY, ***)"
