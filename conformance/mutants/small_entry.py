"""The entry tier of the small connector, and its faults."""

from __future__ import annotations

import json
import uuid
from typing import Any

from conformance.mutants.rules import at

Reply = tuple[int, bytes]
Body = dict[str, Any]

AUTHORIZATION, SCAN, DETAILS = (
    "/v1/fraudandabuse/shopperauthorization",
    "/v1/identity/scan",
    "/v1/identity/scan/details",
)
REFUSED_SHOPPERS = {"card-risk", "card-invalid", "card-expired", "card-debt"}
ADJUSTED_SHOPPER = "card-small"
MEMBERS = {"bG95YWx0eS0x": "loyalty-1"}
"""Base64 of the scanned code, and the member's id."""

_UNKNOWN_MEMBER = "xFutureAttribute"
FAULTS: dict[str, tuple[str, ...]] = {
    "authorises_with_204": ("SA-7a.1", "SA-7a.6", "SA-7a.7", "SA-7a.8", "PLAN-CCD-VAL-CONN-001"),
    "refuses_cards_with_403": ("SA-7a.2", "SA-7a.4", "SA-7a.5", "SA-7a.9", "SA-7a.11"),
    "authorises_everybody": ("SA-7a.2", "SA-7a.4", "SA-7a.5", "SA-7a.11"),
    "refuses_everybody": ("SA-7a.1",),
    "follows_the_recommendation": ("SA-7a.9",),
    "never_adjusts": ("SA-7a.3", "SA-7a.10"),
    "fails_on_bad_debt": ("SA-7a.6",),
    "authorises_in_words": ("SA-7a.1",),
    "authorises_without_a_store": ("SA-7a.12",),
    "authorises_without_a_shopper": ("SA-7a.12",),
    "authorises_for_any_store": ("SA-7a.13",),
    "decides_each_tap_anew": ("SA-X.1",),
    "refuses_unknown_members_of_a_tap": ("SA-X.2",),
    "authorises_late": ("SA-X.3",),
    "accepts_scans_with_201": ("RS-1.1",),
    "rejects_every_scan": ("RS-1.1",),
    "resolves_without_an_id": ("RS-1.1",),
    "rejects_with_401": ("RS-X.1",),
    "accepts_every_scan": ("RS-X.1",),
    "refuses_unknown_members_of_a_loyalty_scan": ("RS-X.2",),
    "uses_a_loyalty_card_up": ("RS-X.3",),
    "resolves_late": ("RS-X.4",),
    "resolves_without_a_store": ("RS-2",),
    "resolves_without_an_event_id": ("RS-2",),
    "resolves_any_request_id": ("RS-3",),
    "leaves_promotions_out": ("GSD-X.1",),
    "knows_no_member_again": ("GSD-X.1",),
    "knows_everybody": ("GSD-X.2",),
}


class SmallEntry:
    """Answers the entry tier's calls; `fault` is empty for the correct one."""

    def __init__(self, fault: str, stores: set[str]) -> None:
        self._fault = fault
        self._stores = stores
        self._seen: set[str] = set()

    def answer(self, path: str, body: Body) -> Reply:
        """Answer a call by its path."""
        return {AUTHORIZATION: self._authorize, SCAN: self._scan, DETAILS: self._details}[path](body)

    def is_late(self, path: str) -> bool:
        """Say whether the answer comes late."""
        return (path, self._fault) in {(AUTHORIZATION, "authorises_late"), (SCAN, "resolves_late")}

    def _breaks(self, body: Body, wanted: dict[str, str]) -> bool:
        """Say whether a required text is missing, other than the one that the fault leaves out."""
        return any(fault != self._fault and not at(body, path)[0] for path, fault in wanted.items())

    def _authorize(self, body: Body) -> Reply:
        needed = {"storeId": "authorises_without_a_store", "shopperIdentity.id": "authorises_without_a_shopper"}
        unknown_store = body.get("storeId") not in self._stores and body.get("storeId") is not None
        if self._breaks(body, needed) or (unknown_store and self._fault != "authorises_for_any_store"):
            return _reply(400)
        if self._fault == "refuses_unknown_members_of_a_tap" and _UNKNOWN_MEMBER in body:
            return _reply(400)
        advice = "shopperInteraction.recommendation"
        if self._fault == "fails_on_bad_debt" and at(body, f"{advice}.shopperRisks")[0] == ["BadDebt"]:
            return _reply(500)
        shopper = at(body, "shopperIdentity.id")[0]
        refused = shopper in REFUSED_SHOPPERS
        if refused and self._fault == "refuses_cards_with_403":
            return _reply(403)
        if self._fault == "follows_the_recommendation":
            refused = not at(body, f"{advice}.shopperAuthorized")[0]
        refused = (refused or self._fault == "refuses_everybody") and self._fault != "authorises_everybody"
        return self._decision(refused, adjusted=shopper == ADJUSTED_SHOPPER)

    def _decision(self, refused: bool, *, adjusted: bool) -> Reply:  # noqa: FBT001 - the decision itself
        answer: Body = {"shopperAuthorized": not refused}
        if adjusted and self._fault != "never_adjusts":
            answer["authorizationConditions"] = [{"type": "ADJUST", "amount": {"value": 25, "currencyCode": "USD"}}]
        if self._fault == "decides_each_tap_anew":
            answer["shopperRisks"] = [str(uuid.uuid4())]
        if self._fault == "authorises_in_words":
            answer = {"decision": "DENIED" if refused else "APPROVED"}
        return _reply(204 if self._fault == "authorises_with_204" and not refused else 200, answer)

    def _scan(self, body: Body) -> Reply:
        needed = {
            "requestId": "",
            "storeId": "resolves_without_a_store",
            "scanEvent.id": "resolves_without_an_event_id",
        }
        bad_id = len(str(body.get("requestId"))) != 36 and self._fault != "resolves_any_request_id"  # noqa: PLR2004 - a UUID
        if self._breaks(body, needed) or bad_id:
            return _reply(400)
        if self._fault == "refuses_unknown_members_of_a_loyalty_scan" and _UNKNOWN_MEMBER in body:
            return _reply(400)
        value = str(at(body, "scanEvent.value")[0])
        member = MEMBERS.get(value) or ("loyalty-0" if self._fault == "accepts_every_scan" else "")
        if self._fault == "uses_a_loyalty_card_up" and value in self._seen:
            member = ""
        self._seen.add(value)
        if not member or self._fault == "rejects_every_scan":
            return _reply(401 if self._fault == "rejects_with_401" else 200, {"action": "REJECT"})
        answer = {"action": "ACCEPT", "id": member, "type": "LOYALTY"}
        if self._fault == "resolves_without_an_id":
            del answer["id"]
        return _reply(201 if self._fault == "accepts_scans_with_201" else 200, answer)

    def _details(self, body: Body) -> Reply:
        known = at(body, "scanResult.id")[0] in MEMBERS.values() and self._fault != "knows_no_member_again"
        if not known and self._fault != "knows_everybody":
            return _reply(404)
        answer: Body = {"provider": "Corner Club", "promotionIds": []}
        if self._fault == "leaves_promotions_out":
            del answer["promotionIds"]
        return _reply(200, answer)


def _reply(status: int, body: Body | None = None) -> Reply:
    return status, b"" if status == 204 else json.dumps(body or {}).encode()  # noqa: PLR2004 - no content
