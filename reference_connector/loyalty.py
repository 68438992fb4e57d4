"""Resolve Scan and Get Scan Details: the owner of a scanned code, and the loyalty scheme of that owner.

A refusal is a 200 with REJECT. Besides it, Amazon's contract has 500 only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from jwo_contract.errors import BadValue
from jwo_contract.house import House
from jwo_contract.operations import GET_SCAN_DETAILS, RESOLVE_SCAN, Operation
from jwo_contract.scan_key import from_identity_key
from jwo_contract.values import parse_instant
from jwo_toolkit.json_types import Json
from reference_connector.badges import EntryKeys
from reference_connector.errors import InvalidRequest, NotThere
from reference_connector.idempotency import Attempt, Outcome
from reference_connector.messages import Answer, RequestReader, json_answer, request_hash
from reference_connector.retailer import CurrentRetailer, Retailer, Visitor
from reference_connector.store import Records, RememberAnswer, Store
from reference_connector.telemetry import SCAN_EVENT, Clock, EventLog

_UUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SCAN_TYPES = {"SHOPPER": "SHOPPER", "ASSOCIATE": "ASSOCIATE", "CASH_SHOPPER": "CASH"}


class Resolved(NamedTuple):
    """The owner of a scanned code: the id and type that Get Scan Details receives."""

    id: str
    type: str


class LoyaltyHandler:
    """Answers Resolve Scan and Get Scan Details."""

    def __init__(
        self,
        *,
        reader_for: Callable[[Operation], RequestReader],
        retailer: CurrentRetailer,
        store: Store,
        entry_keys: EntryKeys,
        house: House,
        clock: Clock,
        log: EventLog,
    ) -> None:
        self._scans = reader_for(RESOLVE_SCAN)
        self._details = reader_for(GET_SCAN_DETAILS)
        self._retailer = retailer
        self._store = store
        self._entry_keys = entry_keys
        self._house = house
        self._clock = clock
        self._log = log

    async def resolve(self, body: bytes) -> Answer:
        """Answer a request body with 200, ACCEPT or REJECT. Raises InvalidRequest if the answer is 400."""
        request = self._scans.read(body)
        event, store_id, now = request["scanEvent"], request["storeId"], self._clock()
        scanned_at = _scanned_at(event, now)
        forget_at = now + timedelta(hours=self._house.resolve_scan.remember_h)
        attempt = Attempt("scan", _event_key(event), request_hash([store_id, event]), now, forget_at)
        outcome = await self._store.transact(self._answer_once, attempt, store_id, event, scanned_at)
        self._log.event("scan_answered", requestId=request["requestId"], replayed=outcome.replayed)
        return outcome.answer.about(SCAN_EVENT, event["id"])

    def _answer_once(
        self, records: Records, attempt: Attempt, store_id: str, event: Json, scanned_at: datetime
    ) -> Outcome:
        """Repeat the remembered answer, or decide and remember. This is a unit of work, and may run twice.

        A code is used in the same transaction.
        """
        earlier = records.find_answer(attempt.scope, attempt.key, attempt.now)
        if earlier is None and event["id"] != attempt.key:  # earlier connectors kept an id in upper case as it was sent
            earlier = records.find_answer(attempt.scope, event["id"], attempt.now)
        if earlier is not None:
            return attempt.repeat(earlier)
        answer = self._in_shape(self._resolve(records, store_id, event, scanned_at))
        if self._house.resolve_scan.idempotent:
            records.overwrite_answer(RememberAnswer(*attempt, status=answer.status, body=answer.body))
        return Outcome(answer)

    def _in_shape(self, resolved: Resolved | None) -> Answer:
        if self._house.resolve_scan.response_shape == "wrapped":
            found = {"scanResult": resolved._asdict()} if resolved else {}
            return json_answer(200, {"resolution": "ACCEPT" if resolved else "REJECT", **found})
        return json_answer(200, {"action": "ACCEPT", **resolved._asdict()} if resolved else {"action": "REJECT"})

    async def details(self, body: bytes) -> Answer:
        """Answer a request body with 200. Raises InvalidRequest, or NotThere if the id is unknown."""
        try:
            request = self._details.read(body)
        except InvalidRequest as error:
            raise InvalidRequest(str(error), status=self._house.scan_details.invalid_status) from error
        retailer, wanted = self._retailer.current, request["scanResult"]
        if request["storeId"] not in retailer.stores:
            raise InvalidRequest("storeId is not a store of this retailer", code="unknown_store")
        details = _details(retailer, Resolved(wanted["id"], wanted["type"]))
        if details is None:
            raise NotThere("no shopper with this id and type is known")
        return json_answer(200, details)

    def _resolve(self, records: Records, store_id: str, event: Json, scanned_at: datetime) -> Resolved | None:
        retailer, text = self._retailer.current, self._text(event)
        if text is None or store_id not in retailer.stores:
            return None
        if text in retailer.members:
            member = retailer.members[text]
            return Resolved(member.id, member.type)
        found = retailer.fixture_keys.get((store_id, text))
        visitor = found or self._entry_keys.redeem(records, text, _event_key(event), scanned_at)
        return Resolved(visitor.id, _SCAN_TYPES[visitor.type]) if isinstance(visitor, Visitor) else None

    def _text(self, event: Json) -> str | None:
        """Return the scanned text: the value, or the id if the id is the data itself; None if it is not a text."""
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


def _event_key(event: Json) -> str:
    """Return the key of a scan event. Upper and lower case are the same in a UUID, and not in other ids: Base64."""
    event_id = str(event["id"])
    return event_id.lower() if _UUID.fullmatch(event_id) else event_id


def _scanned_at(event: Json, now: datetime) -> datetime:
    try:
        return parse_instant(event["timestamp"]) if "timestamp" in event else now
    except BadValue as error:
        raise InvalidRequest("scanEvent.timestamp is not a date and time") from error
