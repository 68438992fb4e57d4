"""AWS Signature Version 4 for the service `execute-api`: signs requests, and verifies requests as they arrived.

Published: access to both sides is by AWS IAM. The wire form (SigV4, session token) is a house rule.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlsplit

from jwo_contract.errors import SignatureRejected

SERVICE = "execute-api"
_STAMP = "%Y%m%dT%H%M%SZ"
_STAMP_FORM = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_ALGORITHM = "AWS4-HMAC-SHA256"
_NAME = r"[!#$%&'*+.^_`|~0-9a-z-]+"
"""A header's name in lower case."""
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM}\s+Credential=(?P<key>[^/\s,]+)/(?P<date>[0-9]{{8}})"
    r"/(?P<region>[^/\s,]+)/(?P<service>[^/\s,]+)/aws4_request\s*,"
    rf"\s*SignedHeaders=(?P<headers>{_NAME}(?:;{_NAME})*)\s*,\s*Signature=(?P<signature>[0-9a-f]{{64}})"
)
_URL = re.compile(r"(?:[^:/?#]+://[^/?#]*)?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?.*", re.DOTALL)
UNSIGNED_HEADERS = frozenset(
    {
        "baggage", "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
        "traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id",
    }
)  # fmt: skip
"""Headers that AWS's signers leave out, as proxies change them."""
_DEFAULT_PORT = {"http": ":80", "https": ":443"}
_DATE, _TOKEN, _BODY_HASH = "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"
_ADDED_LATER = frozenset({_BODY_HASH, "x-amz-cf-id"})
"""Headers that may be unsigned: the body's own hash is compared, and CloudFront adds its id after the signing."""
_ONLY_ONCE = ("authorization", _DATE, _TOKEN, _BODY_HASH, "date")
_Values = Mapping[str, Sequence[str]]


class Key(NamedTuple):
    """An AWS key pair, with the session token if the credentials are temporary."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return f"Key({self.access_key_id}, ***)"


class Form(NamedTuple):
    """What a signature covers, where AWS services differ."""

    normalize_path: bool = True
    require_signed_token: bool = True


EXECUTE_API = Form()


def sign(
    method: str, url: str, headers: Mapping[str, str], body: bytes, key: Key, *, region: str, now: datetime
) -> dict[str, str]:
    """Return the headers plus `Authorization`, `X-Amz-Date` and, for temporary keys, `X-Amz-Security-Token`.

    The signature covers the headers that AWS's own client library signs.
    """
    stamp = now.astimezone(UTC).strftime(_STAMP)
    sent = {name: value for name, value in headers.items() if name.lower() not in ("authorization", _DATE)}
    sent["X-Amz-Date"] = stamp
    if key.session_token:
        sent = {name: value for name, value in sent.items() if name.lower() != _TOKEN}
        sent["X-Amz-Security-Token"] = key.session_token
    values = {"host": [_host(url)]} | _by_name(sent.items())
    names = sorted(values.keys() - UNSIGNED_HEADERS)
    path, query = _path_and_query(url)
    canonical = _canonical_request(
        method.upper(),
        _canonical_path(path, EXECUTE_API),
        _canonical_queries(query)[0],
        [(name, values[name]) for name in names],
        values.get(_BODY_HASH, [hashlib.sha256(body).hexdigest()])[0],
    )
    scope = f"{stamp[:8]}/{region}/{SERVICE}/aws4_request"
    signature = _signature(canonical, stamp, scope, key.secret_access_key)
    sent["Authorization"] = (
        f"{_ALGORITHM} Credential={key.access_key_id}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    return sent


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
    form: Form = EXECUTE_API,
) -> Key:
    """Verify a raw request and return the key that signed it.

    `url` is the address, or only its path and query, exactly as the caller sent it: not decoded. `headers.items()` may
    have a name several times. The signature covers the headers that its `SignedHeaders` names, whichever they are.

    Raises SignatureRejected if the signature is not valid; its code names the part that is wrong.
    """
    given = _by_name(headers.items())
    parts = _authorization(given)
    key = _known_key(parts, given, find_key)
    _check_scope(parts, region)
    stamp = _fresh_stamp(parts, given, now, max_skew_s)
    names = set(parts["headers"].split(";"))
    _check_signed_names(names, given, form)
    body_hash = _body_hash(given, body)
    path, query = _path_and_query(url)
    scope = f"{stamp[:8]}/{region}/{SERVICE}/aws4_request"
    signed = [(name, given[name]) for name in sorted(names)]
    for canonical_query in _canonical_queries(query):
        canonical = _canonical_request(method, _canonical_path(path, form), canonical_query, signed, body_hash)
        if hmac.compare_digest(_signature(canonical, stamp, scope, key.secret_access_key), parts["signature"]):
            return key
    raise SignatureRejected("mismatch", "the signature does not match the request")


def _by_name(headers: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the values of each header by its name in lower case, in their order."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(value)
    return found


def _authorization(given: _Values) -> dict[str, str]:
    if "authorization" not in given:
        raise SignatureRejected("missing", "the request is not signed: it has no Authorization header")
    for name in _ONLY_ONCE:
        if len(given.get(name, ())) > 1:
            raise SignatureRejected("malformed", f"the request has the header {name} more than once")
    match = _AUTHORIZATION.fullmatch(given["authorization"][0].strip())
    if match is None:
        raise SignatureRejected(
            "malformed",
            f"the Authorization header does not have the form {_ALGORITHM} Credential=..., SignedHeaders=...,"
            " Signature=..., with header names in lower case and a signature of 64 lower-case hex digits",
        )
    return match.groupdict()


def _known_key(parts: dict[str, str], given: _Values, find_key: Callable[[str], Key | None]) -> Key:
    key = find_key(parts["key"])
    if key is None:
        raise SignatureRejected("unknown_key", "the access key is not allow-listed")
    if not hmac.compare_digest(_octets(key.session_token or ""), _octets(given.get(_TOKEN, [""])[0])):
        raise SignatureRejected("wrong_token", "the session token does not belong to this access key")
    return key


def _check_scope(parts: dict[str, str], region: str) -> None:
    if (parts["region"], parts["service"]) != (region, SERVICE):
        raise SignatureRejected(
            "wrong_scope",
            f"signed for {parts['service']} in {parts['region']}, expected {SERVICE} in {region}",
        )


def _fresh_stamp(parts: dict[str, str], given: _Values, now: datetime, max_skew_s: float) -> str:
    """Return the time of the signature in AWS's form; signers that set `Date` may omit `X-Amz-Date`."""
    name = "X-Amz-Date" if _DATE in given or "date" not in given else "Date"
    text = given.get(name.lower(), [""])[0].strip()
    try:
        signed_at = _http_date(text) if name == "Date" and not _STAMP_FORM.fullmatch(text) else _instant(text)
        stamp = signed_at.strftime(_STAMP)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise SignatureRejected("malformed", f"{name} is missing or not of the form 20240209T175357Z") from error
    if stamp[:8] != parts["date"]:
        raise SignatureRejected("malformed", f"{name} and the credential's scope have different days")
    if abs(now - signed_at) > timedelta(seconds=max_skew_s):
        raise SignatureRejected("stale", f"signed at {stamp}, more than {max_skew_s:g} s from now")
    return stamp


def _instant(text: str) -> datetime:
    if not _STAMP_FORM.fullmatch(text):
        raise ValueError(text)
    return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)


def _http_date(text: str) -> datetime:
    """Return the instant of a `Date` header. Its parser raises several errors."""
    found = parsedate_to_datetime(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _check_signed_names(names: set[str], given: _Values, form: Form) -> None:
    if absent := names.difference(given):
        raise SignatureRejected(
            "unsigned_header",
            f"the request does not have all headers of SignedHeaders, it lacks: {', '.join(sorted(absent))};"
            " a proxy may have removed them",
        )
    must = {"host", *([] if _DATE in given else ["date"])}
    must |= {name for name in given if name.startswith("x-amz-") and name not in _ADDED_LATER}
    if not form.require_signed_token:
        must.discard(_TOKEN)
    if unsigned := must.difference(names):
        raise SignatureRejected("unsigned_header", f"headers without a signature: {', '.join(sorted(unsigned))}")


def _body_hash(given: _Values, body: bytes) -> str:
    """Return the body's SHA-256, which is the declared one, if there is one."""
    found = hashlib.sha256(body).hexdigest()
    declared = given.get(_BODY_HASH, [""])[0].strip() or found
    if declared.startswith(("UNSIGNED-", "STREAMING-")):
        raise SignatureRejected("mismatch", f"X-Amz-Content-SHA256 is {declared[:60]}: sign the body itself")
    if not hmac.compare_digest(_octets(declared), found.encode()):
        raise SignatureRejected("mismatch", "the body differs from the signed body")
    return found


def _path_and_query(url: str) -> tuple[str, str]:
    match = _URL.fullmatch(url)
    assert match is not None, "the pattern matches any text"
    return match["path"], match["query"] or ""


def _host(url: str) -> str:
    """Return the Host header that a client sends."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2].lower().removesuffix(_DEFAULT_PORT.get(parts.scheme, ""))


def _canonical_path(path: str, form: Form) -> bytes:
    """Encode a path once more, as signers do for every service but S3."""
    whole = normalize_path(path) if form.normalize_path else path or "/"
    return quote(_bytes_of_url(whole), safe="/~").encode()


def normalize_path(path: str) -> str:
    """Remove empty and dot segments (RFC 3986, 5.2.4), as AWS's signers do. An empty path is `/`."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in {"", "."}:
            kept.append(segment)
    first = "/" if path.startswith("/") or not path else ""
    last = "/" if path.endswith("/") and kept else ""
    return f"{first}{'/'.join(kept)}{last}"


def _canonical_queries(query: str) -> list[bytes]:
    """Return the forms of a query that signers sign: decoded and encoded, and as it is, as botocore signs an address.

    A raw `+` is a plus to some of AWS's own signers, and a space to others.
    """
    pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
    readings = [[(_encoded(name), _encoded(value)) for name, value in pairs]]
    if "+" in query:
        spaced = [(name.replace("+", " "), value.replace("+", " ")) for name, value in pairs]
        readings.append([(_encoded(name), _encoded(value)) for name, value in spaced])
    readings.append([(_bytes_of_url(name), _bytes_of_url(value)) for name, value in pairs])
    forms = [b"&".join(b"%s=%s" % pair for pair in sorted(reading)) for reading in readings]
    return list(dict.fromkeys(forms))


def _encoded(text: str) -> bytes:
    return quote(unquote_to_bytes(_bytes_of_url(text)), safe="").encode()


def _bytes_of_url(text: str) -> bytes:
    """Return the bytes of a part of an address, also of one that is not UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def _octets(value: str) -> bytes:
    """Return a header's bytes; servers decode them as Latin-1."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")


def _canonical_request(
    method: str, path: bytes, query: bytes, headers: Sequence[tuple[str, Sequence[str]]], body_hash: str
) -> bytes:
    """Return the text that a signature covers. Repeated values are joined, and blanks in them folded."""
    lines = [
        b"%s:%s" % (_octets(name), b",".join(b" ".join(_octets(value).split()) for value in values))
        for name, values in headers
    ]
    names = ";".join(name for name, _ in headers)
    return b"\n".join([method.encode(), path, query, *lines, b"", _octets(names), body_hash.encode()])


def _signature(canonical: bytes, stamp: str, scope: str, secret: str) -> str:
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
