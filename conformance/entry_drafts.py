"""Requests of the entry tier: Shopper Authorization, Resolve Scan and Get Scan Details, valid and with new ids."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from conformance.drafts import SAMPLE_STORE, Draft
from jwo_contract.operations import GET_SCAN_DETAILS, RESOLVE_SCAN, SHOPPER_AUTHORIZATION
from jwo_contract.profile import Profile
from jwo_contract.values import format_instant


class EntryBuilder:
    """Makes valid requests for the profile's store."""

    def __init__(self, profile: Profile, now: Callable[[], datetime]) -> None:
        self._profile = profile
        self._now = now
        self._store_id = profile.store.id or SAMPLE_STORE

    def authorization(self, shopper: str = "", *, recommended: bool = True, risks: tuple[str, ...] = ()) -> Draft:
        """Return a Shopper Authorization for a card tap of the given shopper, or of an unknown shopper."""
        recommendation: dict[str, Any] = {"shopperAuthorized": recommended, "shopperRisks": list(risks)}
        body = {
            "storeId": self._store_id,
            "shopperIdentity": {"id": shopper or f"nobody-{uuid.uuid4().hex}"},
            "authorizedAmount": {"value": 50, "currencyCode": "USD"},
            "shopperInteraction": {
                "shoppingTripId": str(uuid.uuid4()),
                "gateAuthenticationEvent": {
                    "id": str(uuid.uuid4()),
                    "type": "CREDIT_CARD",
                    "interactionType": "TAP",
                    "timestamp": format_instant(self._now()),
                    "location": "ENTRY",
                },
                "recommendation": recommendation,
            },
        }
        return Draft(SHOPPER_AUTHORIZATION, body).checked(self._profile.house)

    def scan(self, value: str = "") -> Draft:
        """Return a Resolve Scan of the given content, or of an unknown content."""
        body = {
            "requestId": str(uuid.uuid4()),
            "storeId": self._store_id,
            "scanEvent": {
                "id": str(uuid.uuid4()),
                "timestamp": format_instant(self._now()),
                "location": "ENTRY",
                "value": value or base64.b64encode(f"nobody{uuid.uuid4().hex}".encode()).decode(),
                "channel": "OPTICAL",
            },
        }
        return Draft(RESOLVE_SCAN, body).checked(self._profile.house)

    def details(self, shopper_id: str = "", kind: str = "LOYALTY") -> Draft:
        """Return a Get Scan Details request for the given id, or for an unknown id."""
        scan_result = {"id": shopper_id or f"nobody-{uuid.uuid4().hex}", "type": kind}
        body = {"storeId": self._store_id, "scanResult": scan_result}
        return Draft(GET_SCAN_DETAILS, body).checked(self._profile.house)
