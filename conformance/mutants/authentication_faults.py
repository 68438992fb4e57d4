"""Faults of authentication: small connectors that check headers or AWS signatures, and let wrong ones pass.

The check of signatures is written from AWS's description of Signature Version 4 alone.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.registry import CONFORMANT_ODDITIES, CONNECTOR_FAULTS
from conformance.mutants.small_connector import MINT, RESTART, BreaksOneCall, SmallConnector

_fault_of_each_call = CONNECTOR_FAULTS.fault_of_each_call
_KEY, _TOKEN = "s3cret-of-the-gallery", "Bearer token-of-the-gallery"
_ID, _SECRET, _REGION = "AKIAGALLERY", "secret-of-the-gallery", "eu-central-1"
_MAX_SKEW = timedelta(minutes=5)
_FORM = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/execute-api/aws4_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)
_ALL_SCANS = tuple(f"VIK-X.{number}" for number in range(110, 116))
_ALL_CARTS = tuple(f"CP-X.{number}" for number in range(120, 126))


class Guarded(BreaksOneCall, ABC):
    """The base of connectors that check their callers. The broken call is the one that a fault leaves open."""

    async def answer(self, request: Request) -> Reply:
        if request.path == RESTART or request.path.startswith(MINT) or self.may_pass(request):
            return await super().answer(request)
        return self.forbid(request)

    def may_pass(self, request: Request) -> bool:
        """Say whether a call may pass: it is authentic, or a fault lets it pass."""
        return self.is_authentic(request) or (request.call == self.broken_call and self.passes_wrongly(request))

    @abstractmethod
    def is_authentic(self, request: Request) -> bool:
        """Say whether the credentials are right."""

    def passes_wrongly(self, request: Request) -> bool:
        """Say whether the fault lets a call without the right credentials pass."""
        del request
        return False

    def forbid(self, request: Request) -> Reply:
        """Return the reply to a call without the right credentials, which changes nothing."""
        del request
        return error(403, "not allowed")


class GuardedByHeaders(Guarded):
    """Compares two headers, one of them with a scheme."""

    auth: ClassVar[Mapping[str, Any]] = {"auth": "headers", "headers": {"x-shop-key": _KEY, "Authorization": _TOKEN}}

    def is_authentic(self, request: Request) -> bool:
        given = request.headers
        return given.get("x-shop-key") == _KEY and given.get("authorization") == _TOKEN


class Signed(Guarded):
    """Verifies AWS signatures; a fault changes what it compares."""

    auth: ClassVar[Mapping[str, Any]] = {
        "auth": "sigv4",
        "access_key_id": _ID,
        "secret_access_key": _SECRET,
        "region": _REGION,
    }

    def is_authentic(self, request: Request) -> bool:
        return self.is_signed(request)

    def is_signed(self, request: Request, *, body: bytes | None = None, is_timely: bool = True, at: str = "") -> bool:
        """Say whether the signature is right for the body, the time and the region, or for the given others."""
        found = _FORM.fullmatch(request.headers.get("authorization", ""))
        stamp = request.headers.get("x-amz-date", "")
        if not found or found[1] != _ID or found[3] != (at or _REGION) or not stamp.startswith(found[2]):
            return False
        age = datetime.now(UTC) - datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if is_timely and abs(age) > _MAX_SKEW:
            return False
        content = request.raw if body is None else body
        return hmac.compare_digest(_signature(request, content, stamp, found[3], found[4].split(";")), found[5])


def _signature(request: Request, body: bytes, stamp: str, region: str, names: list[str]) -> str:
    lines = [f"{name}:{request.headers.get(name, '')}" for name in names]
    digest = hashlib.sha256(body).hexdigest()
    canonical = "\n".join([request.method, request.path, "", *lines, "", ";".join(names), digest])
    scope = f"{stamp[:8]}/{region}/execute-api/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{_SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


# correct ones


@CONFORMANT_ODDITIES.fault(*_ALL_SCANS, *_ALL_CARTS)
class checks_headers(GuardedByHeaders):
    pass


@CONFORMANT_ODDITIES.fault(*_ALL_SCANS, *_ALL_CARTS)
class checks_signatures(Signed):
    pass


# headers


@_fault_of_each_call(scan=("VIK-X.110", "VIK-X.111", "VIK-X.115"), cart=("CP-X.120", "CP-X.121", "CP-X.125"))
class checks_no_credentials(GuardedByHeaders):
    def passes_wrongly(self, request: Request) -> bool:
        return True


@_fault_of_each_call(scan=("VIK-X.110",), cart=("CP-X.120",))
class lets_calls_without_credentials_pass(GuardedByHeaders):
    def passes_wrongly(self, request: Request) -> bool:
        return "x-shop-key" not in request.headers and "authorization" not in request.headers


@_fault_of_each_call(scan=("VIK-X.111",), cart=("CP-X.121",))
class looks_for_credentials_only(GuardedByHeaders):
    def passes_wrongly(self, request: Request) -> bool:
        return bool(request.headers.get("x-shop-key"))


@_fault_of_each_call(scan=("VIK-X.111",), cart=("CP-X.121",))
class compares_the_beginning_of_credentials(GuardedByHeaders):
    def passes_wrongly(self, request: Request) -> bool:
        return request.headers.get("x-shop-key", "").startswith(_KEY)


@_fault_of_each_call(scan=("VIK-X.111",), cart=("CP-X.121",))
class takes_a_prefix_of_the_credentials(GuardedByHeaders):
    def passes_wrongly(self, request: Request) -> bool:
        return _KEY.startswith(request.headers.get("x-shop-key", "-"))


@_fault_of_each_call(scan=("VIK-X.111",), cart=("CP-X.121",))
class compares_credentials_without_case(GuardedByHeaders):
    def passes_wrongly(self, request: Request) -> bool:
        return request.headers.get("x-shop-key", "").lower() == _KEY


class _ActsFirst(GuardedByHeaders):
    """The base of faults that act before they check the credentials, and then refuse."""

    async def answer(self, request: Request) -> Reply:
        if request.call == self.broken_call and not self.is_authentic(request):
            await SmallConnector.answer(self, request)
        return await super().answer(request)


@_fault_of_each_call(scan=("VIK-X.110",), cart=("CP-X.120",))
class refuses_after_it_has_acted(_ActsFirst):
    pass


@_fault_of_each_call(scan=("VIK-X.115",), cart=("CP-X.125",))
class answers_duplicates_without_credentials(GuardedByHeaders):
    def passes_wrongly(self, request: Request) -> bool:
        known = self.decisions.get(self.event_key(request)) or self.purchases.get(self.trip_key(request))
        return known is not None


# signatures


@_fault_of_each_call(
    scan=("VIK-X.111", "VIK-X.112", "VIK-X.113", "VIK-X.114"), cart=("CP-X.121", "CP-X.122", "CP-X.123", "CP-X.124")
)
class looks_at_the_access_key_only(Signed):
    def passes_wrongly(self, request: Request) -> bool:
        return f"Credential={_ID}/" in request.headers.get("authorization", "")


@_fault_of_each_call(scan=("VIK-X.110",), cart=("CP-X.120",))
class lets_unsigned_calls_pass(Signed):
    def passes_wrongly(self, request: Request) -> bool:
        return "authorization" not in request.headers


@_fault_of_each_call(scan=("VIK-X.112",), cart=("CP-X.122",))
class takes_the_signature_of_an_empty_body(Signed):
    def passes_wrongly(self, request: Request) -> bool:
        return self.is_signed(request, body=b"")


@_fault_of_each_call(scan=("VIK-X.113",), cart=("CP-X.123",))
class takes_old_signatures(Signed):
    def passes_wrongly(self, request: Request) -> bool:
        return self.is_signed(request, is_timely=False)


@_fault_of_each_call(scan=("VIK-X.114",), cart=("CP-X.124",))
class takes_signatures_for_any_region(Signed):
    def passes_wrongly(self, request: Request) -> bool:
        found = _FORM.fullmatch(request.headers.get("authorization", ""))
        return found is not None and self.is_signed(request, at=found[3])
