"""Access to the calls of retailers: the signature and the account of a call, then the account's token bucket."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

from fastapi import Request

from jwo_contract.errors import SignatureRejected
from jwo_contract.house import House
from jwo_contract.house_retailer_calls import CallLimits
from jwo_contract.sigv4 import Form, Key, verify
from jwo_toolkit.request_target import request_target
from simulator.clock import Clock
from simulator.errors import AccessDenied, PlatformFailed, ServiceUnavailable, TooManyRequests
from simulator.faults import Faults, Where
from simulator.portal.accounts import Account, Accounts


class Access:
    """Checks callers; `authenticate` and `admit` are rows 1 and 2 of the check order."""

    def __init__(self, accounts: Accounts, house: House, clock: Clock, faults: Faults, base_url: str) -> None:
        self._host = urlsplit(base_url).netloc
        self._accounts = accounts
        self._faults = faults
        self._house = house
        self._clock = clock
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}
        self._calls: Counter[tuple[str, str]] = Counter()

    def authenticate(self, request: Request, body: bytes) -> Account:
        """Return the account with the key that signed the call.

        Raises AccessDenied if there is no such account, or if the key's role may not call this path.
        """
        rules = self._house.auth
        try:
            key = verify(
                request.method,
                request_target(request.scope),
                request.headers,
                body,
                find_key=self._find_key,
                region=rules.region,
                now=self._clock.wall(),
                max_skew_s=rules.max_skew_s,
                form=Form(rules.normalize_path, rules.require_signed_token),
            )
        except SignatureRejected as refusal:
            raise AccessDenied(refusal.code, f"{refusal}{self._hint(refusal, request)}") from refusal
        account = self._accounts.by_key(key.access_key_id)
        assert account is not None, "verify returns only keys of accounts"
        request.state.account = account.id
        found = account.find_key(key.access_key_id)
        if found and found.may_call is not None and request.url.path not in found.may_call:
            raise AccessDenied(
                "not_authorized",
                f"{key.access_key_id} is not authorized to perform execute-api:Invoke on POST {request.url.path}: "
                "the policy of its role does not allow this call",
            )
        return account

    def _find_key(self, access_key_id: str) -> Key | None:
        account = self._accounts.by_key(access_key_id)
        found = account.find_key(access_key_id) if account else None
        return found.key if found else None

    def _hint(self, refusal: SignatureRejected, request: Request) -> str:
        """Return the likely cause of a mismatch, if the request is not for the platform's own address."""
        host = request.headers.get("host", "")
        if refusal.code != "mismatch" or host.lower() == self._host.lower():
            return ""
        return f"; it is for the host {host[:255]}, not {self._host}: a proxy must pass the caller's Host on"

    def admit(self, account: Account, api: str, limits: CallLimits | None = None) -> bool:
        """Take a token from the account's bucket for this API; return whether a fault loses the answer.

        Without `limits`, those of the catalog apply.

        Raises TooManyRequests if the bucket is empty, and the error of an armed fault.
        """
        rules, now = limits or self._house.catalog, self._clock.monotonic()
        tokens, filled_at = self._buckets.get((account.id, api), (float(rules.burst), now))
        tokens = min(float(rules.burst), tokens + (now - filled_at) * rules.rate_per_s)
        allowed = tokens >= 1
        self._buckets[(account.id, api)] = (tokens - 1 if allowed else tokens, now)
        if not allowed:
            raise TooManyRequests(rules.retry_after_s)
        self._calls[(account.id, api)] += 1
        place, number = Where(operation=api, account=account.id), self._calls[(account.id, api)]
        faults = self._faults.trigger("catalog", place, account.id, api, number)
        self.fail(faults, rules.retry_after_s)
        return "answer_lost" in faults

    def fail(self, faults: dict[str, float], retry_after_s: int | None = None) -> None:
        """Raise the error of a fault, if one of `faults` is an error; `retry_after_s` is for a 429."""
        rules = self._house.catalog
        if "throttle" in faults:
            raise TooManyRequests(rules.retry_after_s if retry_after_s is None else retry_after_s)
        if "error_503" in faults:
            raise ServiceUnavailable(rules.retry_after_s)
        if "error_500_retry" in faults:
            raise PlatformFailed(rules.error500_retry_text, rules.retry_after_s)
        if "error_500_final" in faults:
            raise PlatformFailed(rules.error500_final_text)
