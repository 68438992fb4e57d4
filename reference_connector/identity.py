"""Verify Identity Keys: fields, store, remembered answer, key, in this order.

The answer is remembered by authEvent.id, and the use of a single-use code is recorded in the same unit of work.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

from contract.errors import BadValue
from contract.house import House
from contract.operations import VERIFY_IDENTITY_KEYS
from contract.scan_key import from_identity_key
from contract.values import parse_instant
from reference_connector.dispatch import MessageReader
from reference_connector.errors import InvalidRequest
from reference_connector.idempotency import (
    Answer,
    Claim,
    Outcome,
    Pending,
    decide_once,
    fingerprint,
    json_answer,
    keep_first,
)
from reference_connector.retailer import CurrentRetailer, Visitor
from reference_connector.scan_keys import Refusal, ScanKeys
from reference_connector.store import NewAnswer, Records
from reference_connector.telemetry import Clock, EventLog

_OK, _UNAUTHORIZED = 200, 401


class Scan(NamedTuple):
    """A valid request: who wants in, where and when."""

    request_id: str
    event_id: str
    identity_key: str
    store_id: str
    scanned_at: str


class IdentityHandler:
    """Answers Verify Identity Keys."""

    def __init__(
        self, *, retailer: CurrentRetailer, scan_keys: ScanKeys, house: House, clock: Clock, log: EventLog
    ) -> None:
        self._retailer = retailer
        self._scan_keys = scan_keys
        self._rules = house.identity
        self._remember = timedelta(hours=house.identity.remember_h)
        self._messages = MessageReader(VERIFY_IDENTITY_KEYS, house)
        self._clock = clock
        self._log = log

    def verify(self, body: bytes) -> Pending:
        """Answer a request body with 200 or 401; InvalidRequest for what is 400."""
        scan = self._read(body)
        now, mark = self._clock(), fingerprint(scan.identity_key)
        key = scan.event_id.lower()  # a UUID is the same in either case
        known = self._holder_of_fixture_key(scan)
        if known is not None and _OK in self._rules.remember:
            welcome = _welcome(known)
            new = NewAnswer("identity", key, welcome.status, welcome.body, mark, now, now + self._remember)
            return keep_first(new, welcome, lambda outcome: self._answer(scan, outcome, ()))
        refusals: list[Refusal] = []
        claim = Claim("identity", key, mark, now, now + self._remember, self._rules.remember)
        decide = lambda records: self._decide(records, scan, refusals)  # noqa: E731 - one expression
        return decide_once(claim, decide, lambda outcome: self._answer(scan, outcome, refusals))

    def _read(self, body: bytes) -> Scan:
        request = self._messages.read(body)
        event = request["authEvent"]
        scan = Scan(request["requestId"], event["id"], request["identityKey"], request["storeId"], event["timestamp"])
        if scan.store_id not in self._retailer.now.stores:
            raise InvalidRequest("storeId is not a store of this retailer", code="unknown_store")
        return scan

    def _decide(self, records: Records, scan: Scan, refusals: list[Refusal]) -> Answer:
        refusals.clear()
        verdict = self._judge(records, scan)
        if isinstance(verdict, Visitor):
            return _welcome(verdict)
        refusals.append(verdict)
        unknown = verdict is Refusal.UNKNOWN_KEY
        status = _UNAUTHORIZED if unknown else self._rules.refusal_status
        return json_answer(status, {"errorMsg": "The key is not accepted."})._replace(code=verdict)

    def _judge(self, records: Records, scan: Scan) -> Visitor | Refusal:
        text = _text_of(scan.identity_key)
        if text is None:
            return Refusal.UNKNOWN_KEY
        visitor = self._holder_of_fixture_key(scan)
        return visitor or self._scan_keys.judge(records, text, scan.event_id.lower(), parse_instant(scan.scanned_at))

    def _holder_of_fixture_key(self, scan: Scan) -> Visitor | None:
        """Find whose plain key it is; no record has a say in that, as age and single use do not apply to it."""
        return self._retailer.now.fixture_keys.get((scan.store_id, _text_of(scan.identity_key) or ""))

    def _answer(self, scan: Scan, outcome: Outcome, refusals: Sequence[Refusal]) -> Answer:
        self._log.event(
            "identity_answered",
            requestId=scan.request_id,
            authEventId=scan.event_id,
            status=outcome.answer.status,
            replayed=outcome.replayed,
            **({"refusal": refusals[-1]} if refusals else {}),
        )
        if outcome.changed:
            self._log.event("identity_key_changed", requestId=scan.request_id, authEventId=scan.event_id)
        return outcome.answer


def _text_of(identity_key: str) -> str | None:
    try:
        return from_identity_key(identity_key)
    except BadValue:
        return None


@lru_cache(maxsize=1024)
def _welcome(visitor: Visitor) -> Answer:
    return json_answer(200, {"visitorDetails": {"id": visitor.id, "type": visitor.type}})
