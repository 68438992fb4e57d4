"""Forms of signed requests that are equally valid, and forms that only look so. Signatures here are made by hand."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import SIGNED_HEADERS_BLACKLIST, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import normalize_url_path
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers

from jwo_contract import sigv4
from jwo_contract.errors import SignatureRejected
from jwo_contract.sigv4 import EXECUTE_API, Form, Key
from tests.contract.signing import STAMP, Pairs, Signer

NOW = datetime(2024, 2, 9, 17, 53, 57, tzinfo=UTC)
KEY = Key("AKIDEXAMPLE", "a-secret")
SIGNER = Signer(*KEY[:2])
BASE = [("host", "shop.example"), ("x-amz-date", STAMP)]
BODY = b'{"a":1}'
CODES = {"malformed", "mismatch", "missing", "stale", "unknown_key", "unsigned_header", "wrong_scope", "wrong_token"}


def verified(headers: Pairs, target: str = "/", key: Key = KEY, form: Form = EXECUTE_API, **changes: Any) -> Key:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    call: dict[str, Any] = {"now": NOW, "body": BODY, "max_skew_s": 300} | changes
    return sigv4.verify(
        "POST",
        target,
        Headers(raw=raw),
        call["body"],
        find_key={key.access_key_id: key}.get,
        region="us-east-1",
        now=call["now"],
        max_skew_s=call["max_skew_s"],
        form=form,
    )


def code_of(headers: Pairs, target: str = "/", **changes: Any) -> str:
    with pytest.raises(SignatureRejected) as caught:
        verified(headers, target, **changes)
    return caught.value.code


def signed(*more: tuple[str, str], path: str = "/", query: str = "", base: Pairs = BASE) -> list[tuple[str, str]]:
    """Return headers with a signature over all of them, for a canonical path and query."""
    headers = sorted([*base, *more])
    return [*headers, ("authorization", SIGNER.authorization("POST", path, query, headers, BODY))]


@pytest.mark.parametrize(
    "name", [*SIGNED_HEADERS_BLACKLIST, "content-length", "x_shop_id", "x.shop.id", "x-a!#$%&'*+^`|~", "accept"]
)
def test_signature_covers_whichever_headers_it_names(name: str) -> None:
    headers = signed((name, "one two"))
    assert verified(headers) == KEY
    assert code_of([(each, "one twq" if each == name else value) for each, value in headers]) == "mismatch"
    assert code_of([pair for pair in headers if pair[0] != name]) == "unsigned_header"


def test_unsigned_headers_are_those_of_botocore() -> None:
    assert set(SIGNED_HEADERS_BLACKLIST) == sigv4.UNSIGNED_HEADERS


@given(st.lists(st.sampled_from(["/", ".", "..", "a", "%2F"])).map("".join))
def test_path_is_normalized_as_botocore_does(path: str) -> None:
    assert sigv4.normalize_path(path) == normalize_url_path(path)


def test_header_that_the_signature_does_not_name_may_have_any_value() -> None:
    for value in ("Java-http-client/21", ""):
        assert verified([*signed(), ("user-agent", value), ("x-amzn-trace-id", "Root=1")]) == KEY


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        (["  one   two\t three "], "one two three"),
        (["a", "b", "a"], "a,b,a"),
        ([" a  1", "", "b "], "a 1,,b"),
        ([""], ""),
        (["é"], "é"),
        (["à la carte\N{NO-BREAK SPACE}"], "à la carte\N{NO-BREAK SPACE}"),
    ],
)
def test_values_are_folded_and_joined(sent: list[str], canonical: str) -> None:
    headers = signed(("my-header", canonical))
    on_the_wire = [("My-Header", value.encode().decode("latin-1")) for value in sent]
    assert verified([*(pair for pair in headers if pair[0] != "my-header"), *on_the_wire]) == KEY


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("a=*", "a=%2A"),
        ("a=%2a", "a=%2A"),
        ("a=*", "a=*"),
        ("a=%7E", "a=~"),
        ("a=~", "a=~"),
        ("a=é", "a=%C3%A9"),
        ("é=a", "%C3%A9=a"),
        ("a=%c3%A9", "a=%C3%A9"),
        ("a=%FF", "a=%FF"),
        ("a=b+c", "a=b%20c"),
        ("a=b+c", "a=b%2Bc"),
        ("a=b%20c", "a=b%20c"),
        ("a=b%2Bc", "a=b%2Bc"),
        ("a=/x:y@z", "a=%2Fx%3Ay%40z"),
        ("a=x=y", "a=x%3Dy"),
        ("a=%zz", "a=%25zz"),
        ("flag", "flag="),
        ("flag=", "flag="),
        ("=a", "=a"),
        ("&a=1&&", "a=1"),
        ("", ""),
        ("b=1&a=2&a=1&a=", "a=&a=1&a=2&b=1"),
        ("a=1&A=2", "A=2&a=1"),
        ("a-b=1&a=2", "a=2&a-b=1"),
        ("a=1&a%2Db=2", "a=1&a-b=2"),
        ("z=1&é=2", "%C3%A9=2&z=1"),
    ],
)
def test_query_is_decoded_and_encoded(sent: str, canonical: str) -> None:
    headers = signed(query=canonical)
    assert verified(headers, f"/?{sent}") == KEY
    for other in (f"{sent}&a=3", f"{sent}x"):
        assert code_of(headers, f"/?{other}") == "mismatch"


@pytest.mark.parametrize(
    ("sent", "canonical"), [("a=b%20c", "a=b%2Bc"), ("a=1%26b=2", "a=1&b=2"), ("a=%2520", "a=%20")]
)
def test_query_with_another_meaning_is_refused(sent: str, canonical: str) -> None:
    assert code_of(signed(query=canonical), f"/?{sent}") == "mismatch"


@pytest.mark.parametrize(
    ("sent", "canonical", "form"),
    [
        ("/a%20b", "/a%2520b", EXECUTE_API),
        ("/a%2Fb", "/a%252Fb", EXECUTE_API),
        ("/a/../b/", "/b/", EXECUTE_API),
        ("//a//b", "/a/b", EXECUTE_API),
        ("/~x*", "/~x%2A", EXECUTE_API),
        ("/é", "/%C3%A9", EXECUTE_API),
        ("", "/", EXECUTE_API),
        ("", "/", Form(normalize_path=False)),
        ("/a/../b/", "/a/../b/", Form(normalize_path=False)),
        ("//a//b", "//a//b", Form(normalize_path=False)),
    ],
)
def test_path_is_covered_as_the_setting_says(sent: str, canonical: str, form: Form) -> None:
    headers = signed(path=canonical)
    for origin in ("", "https://shop.example", "http://[::1"):
        assert verified(headers, origin + sent, form=form) == KEY
    assert code_of(headers, f"{sent}/c", form=form) == "mismatch"


def test_path_that_is_not_normalized_is_another_path_without_normalization() -> None:
    assert code_of(signed(path="/b"), "/a/../b", form=Form(normalize_path=False)) == "mismatch"


@pytest.mark.parametrize("covers_token", [True, False])
def test_temporary_credentials_need_their_token(covers_token: bool) -> None:  # noqa: FBT001 - a case
    key, token = KEY._replace(session_token="a-token"), ("x-amz-security-token", "a-token")
    headers = signed(token) if covers_token else [*signed(), token]
    assert verified(headers, key=key, form=Form(require_signed_token=covers_token)) == key
    for value in ("a-tokem", "a-token2", "", "é"):
        other = [(name, value if name == token[0] else old) for name, old in headers]
        assert code_of(other, key=key) == "wrong_token"
    assert code_of(headers) == "wrong_token"
    assert code_of(signed(), key=key) == "wrong_token"


@pytest.mark.parametrize("seconds", [-301, -300, 300, 301])
def test_skew_is_limited_on_both_sides(seconds: int) -> None:
    now = NOW + timedelta(seconds=seconds)
    if abs(seconds) > 300:
        assert code_of(signed(), now=now) == "stale"
        assert verified(signed(), now=now, max_skew_s=400) == KEY
    else:
        assert verified(signed(), now=now) == KEY


@pytest.mark.parametrize("text", ["Fri, 09 Feb 2024 17:53:57 GMT", STAMP, "Fri, 09 Feb 2024 18:53:57 +0100"])
def test_date_replaces_a_missing_x_amz_date(text: str) -> None:
    headers = signed(base=[("host", "shop.example"), ("date", text)])
    assert verified(headers) == KEY
    assert code_of(headers, now=NOW + timedelta(seconds=301)) == "stale"
    unsigned = [*signed(base=[("host", "shop.example")]), ("date", text)]
    assert code_of(unsigned) == "unsigned_header"


@pytest.mark.parametrize("name", ["date", "x-amz-date"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "2024029T175357Z",
        "20240209T175357z",
        "20240230T175357Z",
        "20240209T176157Z",
        "2024-02-09T17:53:57Z",
        "Fri, 31 Dec 9999 23:59:59 -2359",
    ],
)
def test_date_in_another_form_is_malformed(name: str, text: str) -> None:
    assert code_of([("host", "shop.example"), (name, text), signed()[-1]]) == "malformed"


def test_unsigned_host_is_refused_over_any_other_headers() -> None:
    assert code_of([("host", "shop.example"), *signed(base=BASE[1:])]) == "unsigned_header"
    assert code_of(signed(("x-amz-target", "T"), base=[("x-amz-date", STAMP)])) == "unsigned_header"
    assert code_of([*signed(), ("x-amz-meta", "added")]) == "unsigned_header"


@pytest.mark.parametrize("name", ["authorization", "x-amz-date", "host", "x-amz-security-token"])
def test_header_that_comes_twice_is_refused(name: str) -> None:
    key = KEY._replace(session_token="a-token")
    headers = signed(("x-amz-security-token", "a-token"))
    twice = [*headers, next(pair for pair in headers if pair[0] == name)]
    assert code_of(twice, key=key) == ("mismatch" if name == "host" else "malformed")


@pytest.mark.parametrize("declared", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "0" * 64, "é"])
def test_declared_hash_is_the_hash_of_the_body(declared: str) -> None:
    headers = [*BASE, ("x-amz-content-sha256", declared)]
    assert code_of([*headers, signed()[-1]]) == "mismatch"


@pytest.mark.parametrize("change", [str.upper, str.title, lambda name: f"{name};", lambda name: f";{name}"])
def test_names_of_signed_headers_are_in_lower_case_and_not_empty(change: Any) -> None:
    names = change("host;x-amz-date")
    assert code_of([*BASE, ("authorization", SIGNER.authorization("POST", "/", "", BASE, BODY, names=names))]) == (
        "malformed"
    )


@pytest.mark.parametrize("separator", [",", ", ", " ,  "])
def test_parts_of_authorization_may_be_apart(separator: str) -> None:
    *headers, (name, value) = signed()
    assert verified([*headers, (name, f" {value.replace(', ', separator)} ")]) == KEY


@given(st.text(st.characters(max_codepoint=255), max_size=30), st.text(st.characters(max_codepoint=255), max_size=30))
@settings(max_examples=150, deadline=None, database=None)
def test_no_text_breaks_the_check(one: str, other: str) -> None:
    *headers, (_, value) = signed()
    for odd in (
        [*headers, ("authorization", one)],
        [*headers, ("authorization", value[:40] + one + value[40:])],
        [("host", one), ("date", other), ("authorization", value)],
        [("host", one), ("x-amz-date", STAMP), ("authorization", value)],
        [*headers, ("authorization", value), ("x-amz-security-token", one)],
    ):
        try:
            code = verified(odd, f"/{one}?{other}").access_key_id
        except SignatureRejected as refusal:
            code = refusal.code
        assert code in CODES or code == KEY.access_key_id


def test_signature_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[Any, Any]] = []
    compare = hmac.compare_digest

    def noting(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noting)
    key = KEY._replace(session_token="a-token")
    headers = signed(("x-amz-security-token", "a-token"))
    assert verified(headers, key=key) == key
    signature = headers[-1][1].rpartition("=")[2]
    assert (signature, signature) in compared
    assert (b"a-token", b"a-token") in compared


@pytest.mark.parametrize("key", [KEY, KEY._replace(session_token="a-token")])
@pytest.mark.parametrize(
    ("url", "canonical_url"),
    [
        ("http://Shop.example:8080/v1/order", ""),
        ("https://shop.example:443/a/../b%20c//d?b=1&a=%20x&a=", ""),
        ("http://[::1]:80/", ""),
        ("https://shop.example/x?a=*&b=~&c=é", "https://shop.example/x?a=%2A&b=~&c=%C3%A9"),
    ],
)
def test_signs_as_the_aws_client_library_does(key: Key, url: str, canonical_url: str) -> None:
    headers = {"Content-Type": "application/json", "User-Agent": "x", "X-Shop": " a  b "}
    ours = sigv4.sign("POST", url, headers, BODY, key, region="eu-west-1", now=NOW)
    request = AWSRequest("POST", canonical_url or url, headers, BODY)
    request.context["timestamp"] = request.headers["X-Amz-Date"] = STAMP
    if key.session_token:
        request.headers["X-Amz-Security-Token"] = key.session_token
    signer = SigV4Auth(Credentials(*key), "execute-api", "eu-west-1")
    wanted = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert ours["Authorization"].rpartition("Signature=")[2] == wanted
    assert "user-agent" not in ours["Authorization"]
    assert {name: ours[name] for name in headers} == headers


def test_signing_again_replaces_the_old_signature() -> None:
    key = KEY._replace(session_token="a-token")
    once = sigv4.sign("POST", "http://shop.example/", {}, BODY, KEY, region="us-east-1", now=NOW - timedelta(hours=1))
    again = {"authorization": once["Authorization"], "x-amz-date": "old", "x-amz-security-token": "old"}
    ours = sigv4.sign("POST", "http://shop.example/", again, BODY, key, region="us-east-1", now=NOW)
    assert verified([*ours.items(), ("host", "shop.example")], key=key) == key


def test_cloudfronts_own_header_may_be_unsigned() -> None:
    assert verified([*signed(), ("x-amz-cf-id", "added-later")]) == KEY
    assert code_of([*signed(), ("x-amz-meta-owner", "added-later")]) == "unsigned_header"
