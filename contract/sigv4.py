"""AWS Signature Version 4 for the service `execute-api`: signs and verifies requests with botocore's functions.

Published: access to both sides is by AWS IAM. The wire form (SigV4, session token) is a house rule.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from contract.errors import SignatureRejected

SERVICE = "execute-api"
_STAMP = "%Y%m%dT%H%M%SZ"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/\s]+)/(?P<date>\d{8})"
    r"/(?P<region>[^/\s]+)/(?P<service>[^/\s]+)/aws4_request,"
    r"\s*SignedHeaders=(?P<headers>[a-z0-9;-]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


class Key(NamedTuple):
    """An AWS key pair, with the session token if the credentials are temporary."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return f"Key({self.access_key_id}, ***)"


def sign(
    method: str, url: str, headers: Mapping[str, str], body: bytes, key: Key, *, region: str, now: datetime
) -> dict[str, str]:
    """Return the headers plus `Authorization`, `X-Amz-Date` and, for temporary keys, `X-Amz-Security-Token`."""
    request = AWSRequest(method=method, url=url, headers=dict(headers), data=body)
    signer = SigV4Auth(Credentials(*key), SERVICE, region)
    request.headers["X-Amz-Date"] = now.astimezone(UTC).strftime(_STAMP)
    if key.session_token:
        request.headers["X-Amz-Security-Token"] = key.session_token
    signed = signer.signed_headers(signer.headers_to_sign(request))
    signature = _signature(signer, request, request.headers["X-Amz-Date"])
    scope = f"{request.headers['X-Amz-Date'][:8]}/{region}/{SERVICE}/aws4_request"
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key.access_key_id}/{scope}, SignedHeaders={signed}, Signature={signature}"
    )
    return dict(request.headers.items())


def verify(  # noqa: PLR0913 - a signature covers all of these
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    find_key: Callable[[str], Key | None],
    region: str,
    now: datetime,
    max_skew_s: float = 300,
) -> Key:
    """Verify a raw request (`url` with the Host that the caller used) and return the key that signed it.

    Raises SignatureRejected if the signature is not valid; its code names the part that is wrong.
    """
    given = {name.lower(): value for name, value in headers.items()}
    parts = _authorization(given)
    key = _known_key(parts, given, find_key)
    _check_scope(parts, region)
    stamp = _fresh_stamp(parts, given, now, max_skew_s)
    signed_names = parts["headers"].split(";")
    _check_signed_names(signed_names, given)
    declared_hash = given.get("x-amz-content-sha256")
    if declared_hash and declared_hash != hashlib.sha256(body).hexdigest():
        raise SignatureRejected("mismatch", "the body differs from the signed body")
    request = AWSRequest(method=method, url=url, headers={name: given[name] for name in signed_names}, data=body)
    expected = _signature(SigV4Auth(Credentials(*key), SERVICE, region), request, stamp)
    if not hmac.compare_digest(expected, parts["signature"]):
        raise SignatureRejected("mismatch", "the signature does not match the request")
    return key


def _signature(signer: SigV4Auth, request: AWSRequest, stamp: str) -> str:
    request.context["timestamp"] = stamp
    canonical = signer.canonical_request(request)
    text = signer.string_to_sign(request, canonical)
    return str(signer.signature(text, request))


def _authorization(given: Mapping[str, str]) -> dict[str, str]:
    if "authorization" not in given:
        raise SignatureRejected("missing", "the request is not signed: it has no Authorization header")
    match = _AUTHORIZATION.fullmatch(given["authorization"].strip())
    if match is None:
        raise SignatureRejected("malformed", "the Authorization header does not have the AWS4-HMAC-SHA256 form")
    return match.groupdict()


def _known_key(parts: dict[str, str], given: Mapping[str, str], find_key: Callable[[str], Key | None]) -> Key:
    key = find_key(parts["key"])
    if key is None:
        raise SignatureRejected("unknown_key", "the access key is not allow-listed")
    token = given.get("x-amz-security-token", "")
    if not hmac.compare_digest(token.encode(), (key.session_token or "").encode()):
        raise SignatureRejected("wrong_token", "the session token does not belong to this access key")
    return key


def _check_scope(parts: dict[str, str], region: str) -> None:
    if (parts["region"], parts["service"]) != (region, SERVICE):
        raise SignatureRejected(
            "wrong_scope",
            f"signed for {parts['service']} in {parts['region']}, expected {SERVICE} in {region}",
        )


def _fresh_stamp(parts: dict[str, str], given: Mapping[str, str], now: datetime, max_skew_s: float) -> str:
    stamp = given.get("x-amz-date", "")
    try:
        signed_at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError as error:
        raise SignatureRejected("malformed", "X-Amz-Date is missing or not of the form 20240209T175357Z") from error
    if stamp[:8] != parts["date"]:
        raise SignatureRejected("malformed", "X-Amz-Date and the credential's scope have different days")
    if abs(now - signed_at) > timedelta(seconds=max_skew_s):
        raise SignatureRejected("stale", f"signed at {stamp}, more than {max_skew_s:g} s from now")
    return stamp


def _check_signed_names(names: list[str], given: Mapping[str, str]) -> None:
    must = {"host"} | {name for name in given if name.startswith("x-amz-") and name != "x-amz-content-sha256"}
    unsigned = must.difference(names)
    absent = set(names).difference(given)
    if unsigned or absent:
        raise SignatureRejected(
            "unsigned_header", f"headers without a signature: {', '.join(sorted(unsigned | absent))}"
        )
