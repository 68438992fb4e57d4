"""The base of small, correct clients: it signs calls, sends them, and tries them again if their answer allows it.

It uses only environment variables and the standard library, and nothing else of this project.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import Message
from http.client import HTTPException
from typing import Any, NamedTuple

Document = dict[str, Any]
THROTTLED, FAILED, UNAVAILABLE = 429, 500, 503
_MOST_TRIES = 4
_AFTER_LOSS_S = 0.1


class Reply(NamedTuple):
    """The reply to a call; its status is 0 if the connection broke before its end."""

    status: int
    headers: Message
    body: bytes


class GaveUp(Exception):
    """The platform refused a call for good."""


class SmallClient:
    """Makes signed calls to the platform."""

    prefix: str
    """The beginning of the names of the client's own environment variables."""
    service = "execute-api"

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def call(self, path: str, body: bytes) -> Document:
        """Call the platform, with retries if its answer allows them. Raises GaveUp if it refuses for good."""
        for attempt in range(_MOST_TRIES):
            reply = self.send_signed(path, body)
            if 200 <= reply.status < 300:  # noqa: PLR2004 - the 2xx
                return dict(json.loads(reply.body or b"{}"))
            pause_s = self.pause_s(reply, attempt)
            if pause_s is None:
                break
            time.sleep(pause_s)
        raise GaveUp(f"{path} answered {reply.status}: {reply.body[:200].decode(errors='replace')}")

    def pause_s(self, reply: Reply, attempt: int) -> float | None:
        """Return the seconds before the next attempt, or None if there must be no further attempt."""
        asked = reply.headers.get("Retry-After")
        if not reply.status:
            return _AFTER_LOSS_S
        if reply.status in {THROTTLED, UNAVAILABLE}:
            return float(asked or 2**attempt)
        return float(asked) if reply.status == FAILED and asked is not None else None

    # signing

    def send_signed(self, path: str, body: bytes) -> Reply:
        """Sign a call, send it, and return the reply."""
        url = self.environment[f"{self.prefix}_ENDPOINT"] + path
        return send(url, body, self.headers() | self.authorization(path, url, body))

    def headers(self) -> dict[str, str]:
        """Return the headers that are not part of the signature."""
        return {"Content-Type": "application/json", "Accept": "application/json"}

    def authorization(self, path: str, url: str, body: bytes) -> dict[str, str]:
        """Return the headers that sign a call."""
        del path
        return self.signature(url, body, self.service)

    def region(self) -> str:
        """Return the region for which calls are signed."""
        return self.environment["AWS_REGION"]

    def session_token(self) -> str:
        """Return the session token; empty for keys without one."""
        return self.environment.get("AWS_SESSION_TOKEN", "")

    def signature(self, url: str, body: bytes, service: str, method: str = "POST") -> dict[str, str]:
        """Sign by AWS Signature Version 4, with the host and the headers of AWS covered."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        parts = urllib.parse.urlsplit(url)
        covered = {"host": parts.netloc, "x-amz-date": stamp}
        if service == "s3":
            covered["x-amz-content-sha256"] = hashlib.sha256(body).hexdigest()
        if token := self.session_token():
            covered["x-amz-security-token"] = token
        names = ";".join(sorted(covered))
        lines = [f"{name}:{covered[name]}" for name in sorted(covered)]
        canonical = "\n".join([method, parts.path or "/", "", *lines, "", names, hashlib.sha256(body).hexdigest()])
        scope = f"{stamp[:8]}/{self.region()}/{service}/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = b"AWS4" + self.environment["AWS_SECRET_ACCESS_KEY"].encode()
        for word in (*scope.split("/"), text):
            key = hmac.digest(key, word.encode(), "sha256")
        credential = f"{self.environment['AWS_ACCESS_KEY_ID']}/{scope}"
        value = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={key.hex()}"
        return {**{name: value for name, value in covered.items() if name != "host"}, "Authorization": value}


def send(url: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
    """Send a POST with the body, or a GET without one, and return the reply of any status."""
    request = urllib.request.Request(url, body, dict(headers))  # noqa: S310 - the platform's own addresses
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the platform's own addresses
            return Reply(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read())
    except (OSError, HTTPException):
        return Reply(0, Message(), b"")
