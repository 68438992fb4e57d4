"""The valid request of each operation: one registry, from which the suite makes all other requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from conformance.core_drafts import Builder
from conformance.drafts import Draft
from conformance.drivers.keys import KeySource
from conformance.entry_drafts import EntryBuilder
from conformance.errors import NotDeclared
from conformance.forms import Accepted
from jwo_contract.operations import (
    CREATE_PURCHASES,
    GET_SCAN_DETAILS,
    RESOLVE_SCAN,
    SHOPPER_AUTHORIZATION,
    VERIFY_IDENTITY_KEYS,
    Operation,
)
from jwo_contract.profile import Profile


class Requests:
    """Makes the requests of one run: `build` and `entry` from the profile, with identity keys from `keys`.

    Control calls write into `accepted` which form of a request the connector accepts.
    """

    def __init__(self, profile: Profile, now: Callable[[], datetime], accepted: Accepted | None = None) -> None:
        self.profile = profile
        self.now = now
        self.accepted = accepted or Accepted()
        self.keys = KeySource(profile)
        self.build = self.builder_at(now)
        self.entry = EntryBuilder(profile, now)

    def builder_at(self, now: Callable[[], datetime]) -> Builder:
        """Return a builder of the same requests with another clock."""
        return Builder(self.profile, now, self.accepted)

    def valid_request(self, operation: Operation) -> Draft:
        """Return a valid request of an operation in the registry, with the values that the profile declares."""
        return REGISTRY[operation].build(self)

    def understood_scan(self) -> Draft:
        """Return a scan of the declared shopper, or of an unknown key if the profile declares no shopper."""
        return self.build.scan(self.keys.take("shopper") if self.keys.has("shopper") else self.keys.unknown())


def _none(_profile: Profile) -> frozenset[int]:
    return frozenset()


class RequestKind(NamedTuple):
    """How the suite makes a valid request of an operation, and which values of the profile the request needs."""

    build: Callable[[Requests], Draft]
    needs: Mapping[str, Callable[[Profile], object]]
    """Functions that read a value, by its name in the profile. Without it, a connector may refuse the request."""
    judged_by: Callable[[Profile], str]
    """Returns the case that judges the valid request itself. Other cases are blocked if the connector refuses it."""
    accepted: Callable[[Profile], frozenset[int]] = _none
    """Returns the statuses other than 2xx by which a connector shows that it accepts the valid request."""


def _case_of_scans(profile: Profile) -> str:
    return "VIK-1.1" if "shopper" in profile.declared_keys() else "VIK-2"


def _scan_decisions(profile: Profile) -> frozenset[int]:
    return frozenset() if "shopper" in profile.declared_keys() else frozenset({401})


_STORE: Mapping[str, Callable[[Profile], object]] = {"[store] id": lambda profile: profile.store.id}
_ITEMS: Mapping[str, Callable[[Profile], object]] = {"[catalog] skus": lambda profile: profile.catalog.skus}

REGISTRY: Mapping[Operation, RequestKind] = {
    VERIFY_IDENTITY_KEYS: RequestKind(Requests.understood_scan, _STORE, _case_of_scans, _scan_decisions),
    CREATE_PURCHASES: RequestKind(
        lambda requests: requests.build.cart(), {**_STORE, **_ITEMS}, lambda _profile: "CP-1.1"
    ),
    SHOPPER_AUTHORIZATION: RequestKind(
        lambda requests: requests.entry.authorization(), _STORE, lambda _profile: "PLAN-CCD-VAL-CONN-001"
    ),
    RESOLVE_SCAN: RequestKind(lambda requests: requests.entry.scan(), _STORE, lambda _profile: "RS-X.4"),
    GET_SCAN_DETAILS: RequestKind(
        lambda requests: requests.entry.details(), _STORE, lambda _profile: "GSD-X.2", lambda _profile: frozenset({404})
    ),
}
"""Every operation that the suite calls. A step can only use operations of this registry."""


def is_answered(operation: Operation, profile: Profile) -> bool:
    """Say whether the connector answers an operation: it is of the core, or the profile declares it."""
    return not operation.declared_by or bool(getattr(profile.tiers, operation.declared_by))


def needs_answering(operation: Operation, profile: Profile) -> None:
    """Check that the profile declares the operation and a store. Raises NotDeclared if one is missing."""
    if not is_answered(operation, profile):
        raise NotDeclared(f"[tiers] {operation.declared_by} is not declared in the profile")
    if not profile.store.id:
        raise NotDeclared("[store] id is not declared in the profile")
