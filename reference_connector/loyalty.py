"""Resolve Scan and Get Scan Details: whose a scanned code is, and what a loyalty scheme knows of them.

A refusal is a 200 with REJECT; Amazon's contract knows 500 beside it and nothing else.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from contract.errors import BadValue
from contract.house import House
from contract.messages import Json
from contract.operations import GET_SCAN_DETAILS, RESOLVE_SCAN
from contract.scan_key import from_identity_key
from contract.values import parse_instant
from reference_connector.dispatch import MessageReader
from reference_connector.errors import InvalidRequest, NotThere
from reference_connector.idempotency import Answer, Claim, Outcome, Pending, decide_once, fingerprint, json_answer
from reference_connector.retailer import CurrentRetailer, Retailer, Visitor
from reference_connector.scan_keys import ScanKeys
from reference_connector.store import Records
from reference_connector.telemetry import Clock, EventLog

_UUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SCAN_TYPES = {"SHOPPER": "SHOPPER", "ASSOCIATE": "ASSOCIATE", "CASH_SHOPPER": "CASH"}


class Resolved(NamedTuple):
    """Whom a scan belongs to, as Get Scan Details is asked for them."""

    id: str
    type: str


class LoyaltyHandler:
    """Answers Resolve Scan and Get Scan Details."""

    def __init__(
        self,
        *,
        retailer: CurrentRetailer,
        scan_keys: ScanKeys,
        house: House,
        clock: Clock,
        log: EventLog,
    ) -> None:
        self._retailer = retailer
        self._scan_keys = scan_keys
        self._house = house
        self._scans = MessageReader(RESOLVE_SCAN, house)
        self._questions = MessageReader(GET_SCAN_DETAILS, house)
        self._clock = clock
        self._log = log

    def resolve(self, body: bytes) -> Pending:
        """Answer a request body with 200, ACCEPT or REJECT; InvalidRequest for what is 400."""
        request = self._scans.read(body)
        event, store_id = request["scanEvent"], request["storeId"]
        scanned_at = _scanned_at(event, self._clock())
        rules, now = self._house.resolve_scan, self._clock()
        forget_at = now + timedelta(hours=rules.remember_h)
        remembered = (200,) if rules.idempotent else ()
        claim = Claim("scan", event["id"], fingerprint([store_id, event]), now, forget_at, remembered)
        decide = lambda records: self._decide(records, store_id, event, scanned_at)  # noqa: E731 - one expression
        return decide_once(claim, decide, lambda outcome: self._answer(request["requestId"], outcome))

    def _answer(self, request_id: str, outcome: Outcome) -> Answer:
        self._log.event("scan_answered", requestId=request_id, replayed=outcome.replayed)
        return outcome.answer

    def details(self, body: bytes) -> Answer:
        """Answer a request body with 200; NotThere for an unknown id."""
        try:
            request = self._questions.read(body)
        except InvalidRequest as error:
            raise InvalidRequest(str(error), status=self._house.scan_details.invalid_status) from error
        retailer, wanted = self._retailer.now, request["scanResult"]
        if request["storeId"] not in retailer.stores:
            raise InvalidRequest("storeId is not a store of this retailer", code="unknown_store")
        details = _details(retailer, Resolved(wanted["id"], wanted["type"]))
        if details is None:
            raise NotThere("nobody of that id and type is known")
        return json_answer(200, details)

    def _decide(self, records: Records, store_id: str, event: Json, scanned_at: datetime) -> Answer:
        resolved = self._resolve(records, store_id, event, scanned_at)
        if self._house.resolve_scan.response_shape == "wrapped":
            found = {"scanResult": resolved._asdict()} if resolved else {}
            return json_answer(200, {"resolution": "ACCEPT" if resolved else "REJECT", **found})
        return json_answer(200, {"action": "ACCEPT", **resolved._asdict()} if resolved else {"action": "REJECT"})

    def _resolve(self, records: Records, store_id: str, event: Json, scanned_at: datetime) -> Resolved | None:
        retailer, text = self._retailer.now, self._text(event)
        if text is None or store_id not in retailer.stores:
            return None
        if text in retailer.members:
            member = retailer.members[text]
            return Resolved(member.id, member.type)
        found = retailer.fixture_keys.get((store_id, text))
        visitor = found or self._scan_keys.judge(records, text, event["id"].lower(), scanned_at)
        return Resolved(visitor.id, _SCAN_TYPES[visitor.type]) if isinstance(visitor, Visitor) else None

    def _text(self, event: Json) -> str | None:
        """Return what was scanned: the value, or an id that is the data itself; None where it cannot be read."""
        rules = self._house.resolve_scan
        if "value" in event:
            raw = event.get("channel") is not None and event["channel"] not in rules.value_base64
            return str(event["value"]) if raw else _decoded(event["value"])
        if rules.id_as_data and not _UUID.fullmatch(event["id"]):
            return _decoded(event["id"].strip())
        return None


def _details(retailer: Retailer, wanted: Resolved) -> dict[str, Any] | None:
    for member in retailer.members.values():
        if (member.id, member.type) == wanted:
            return {"provider": member.provider, "promotionIds": list(member.promotion_ids)}
    visitors = [account.visitor for account in retailer.accounts.values()] + list(retailer.fixture_keys.values())
    if any((visitor.id, _SCAN_TYPES[visitor.type]) == wanted for visitor in visitors):
        return {"provider": retailer.policy.loyalty_provider, "promotionIds": []}
    return None


def _decoded(text: str) -> str | None:
    try:
        return from_identity_key(text)
    except BadValue:
        return None


def _scanned_at(event: Json, now: datetime) -> datetime:
    try:
        return parse_instant(event["timestamp"]) if "timestamp" in event else now
    except BadValue as error:
        raise InvalidRequest("scanEvent.timestamp is not a date and time") from error
