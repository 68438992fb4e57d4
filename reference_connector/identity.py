"""Verify Identity Keys: read the request, then give its event one answer, and give repetitions the same one.

The key of a remembered answer is authEvent.id. `verify` chooses between two ways: decide and then insert, or look up,
decide and remember in one unit of work. `idempotency` compares them.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from jwo_contract.errors import BadValue
from jwo_contract.house import House
from jwo_contract.scan_key import from_identity_key
from jwo_contract.values import parse_instant
from reference_connector.errors import InvalidRequest, StillClaimed, StoreError
from reference_connector.idempotency import Attempt, Outcome
from reference_connector.messages import Answer, RequestReader, json_answer, request_hash
from reference_connector.payments.entry import Entry, EntryPayments
from reference_connector.retailer import CurrentRetailer, Visitor
from reference_connector.scan_keys import Refusal
from reference_connector.store import Authorisation, Records, RememberAnswer, Store
from reference_connector.telemetry import AUTH_EVENT, Clock, EventLog

_OK, _UNAUTHORIZED = 200, 401
_POLL_S = 0.01


class Scan(NamedTuple):
    """A valid request: a key, scanned at a store's gate.

    `identity_key` is the key as sent. `text` is the decoded key, or None if it is not a text.
    """

    request_id: str
    event_id: str
    identity_key: str
    text: str | None
    store_id: str
    scanned_at: str


class IdentityHandler:
    """Answers Verify Identity Keys."""

    def __init__(
        self,
        *,
        reader: RequestReader,
        retailer: CurrentRetailer,
        store: Store,
        payments: EntryPayments,
        house: House,
        clock: Clock,
        log: EventLog,
    ) -> None:
        self._reader = reader
        self._retailer = retailer
        self._store = store
        self._payments = payments
        self._rules = house.identity
        self._remember_for = timedelta(hours=house.identity.remember_h)
        self._clock = clock
        self._log = log

    async def verify(self, body: bytes) -> Answer:
        """Answer a request body with 200, 401 or the house rules' status for a refusal.

        Raises InvalidRequest if the answer is 400. An invalid request gets it even if its event has an answer.
        """
        scan = self._read(body)
        await self._check_store(scan)
        now = self._clock()
        # A repetition is a changed one if it has another key. Its other members do not matter.
        attempt = Attempt("identity", _event_key(scan), request_hash(scan.identity_key), now, now + self._remember_for)
        visitor = self._fixture_key_holder(scan)
        if visitor is not None and _OK in self._rules.remember:
            # The decision needs no records. If the insert returns an earlier answer, this one is dropped.
            answer = _welcome(visitor)
            earlier = await self._store.insert_answer_if_absent(
                RememberAnswer(*attempt, status=answer.status, body=answer.body)
            )
            outcome = Outcome(answer) if earlier is None else attempt.repeat(earlier)
        else:
            # Look up, decide and remember in one unit of work: a code needs its record, and an answer that is not
            # remembered must not be inserted. A pre-authorisation divides it into two, with the provider between.
            outcome = await self._answer_with_records(attempt, scan)
        self._log_answer(scan, outcome)
        return outcome.answer.about(AUTH_EVENT, scan.event_id)

    def _read(self, body: bytes) -> Scan:
        request = self._reader.read(body)
        event, identity_key, store_id = request["authEvent"], request["identityKey"], request["storeId"]
        try:
            text = from_identity_key(identity_key)
        except BadValue:
            text = None
        return Scan(request["requestId"], event["id"], identity_key, text, store_id, event["timestamp"])

    async def _check_store(self, scan: Scan) -> None:
        """Raise InvalidRequest for a store of another retailer, and record it for the phone of the key's owner."""
        if scan.store_id in self._retailer.current.stores:
            return
        with suppress(StoreError):
            await self._store.transact(self._payments.note_wrong_store, scan.text or "")
        raise InvalidRequest("storeId is not a store of this retailer", code="unknown_store")

    def _fixture_key_holder(self, scan: Scan) -> Visitor | None:
        """Find the visitor of a fixture key. Such a key has no age and no single use, so it needs no records."""
        return self._retailer.current.fixture_keys.get((scan.store_id, scan.text or ""))

    async def _answer_with_records(self, attempt: Attempt, scan: Scan) -> Outcome:
        """Answer, and ask the payment provider first if the entry needs a pre-authorisation.

        Raises StillClaimed if another call asks the provider for the same event, and is not done within the budget.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self._payments.budget_s
        found = await self._store.transact(self._answer_once, attempt, scan)
        while not isinstance(found, Outcome):
            if found.owner:
                entry = await self._payments.ask(found)
                return await self._store.transact(self._finish, attempt, scan, entry)
            if loop.time() > end:
                raise StillClaimed("another call for the same event is still being decided")
            await asyncio.sleep(_POLL_S)
            found = await self._store.transact(self._answer_once, attempt, scan)
        return found

    def _answer_once(self, records: Records, attempt: Attempt, scan: Scan) -> Outcome | Entry:
        """Repeat the remembered answer, or decide and remember. This is a unit of work, and may run twice.

        A code is used in the same transaction. If the payment provider decides on the entry, return it: it has an owner
        if the caller is to ask, and none if another call asks just now.
        """
        earlier = records.find_answer(attempt.scope, attempt.key, attempt.now)
        if earlier is not None:
            return attempt.repeat(earlier)
        found = self._decide(records, scan)
        if isinstance(found, Answer):
            return self._remember(records, attempt, found)
        if found.is_decided:
            return self._remember(records, attempt, self._answer_of(records, scan, found.visitor, found.authorisation))
        return found

    def _finish(self, records: Records, attempt: Attempt, scan: Scan, entry: Entry) -> Outcome:
        """Save the provider's decision, and remember the answer. This is a unit of work, and may run twice."""
        authorisation = self._payments.keep(records, entry)
        earlier = records.find_answer(attempt.scope, attempt.key, attempt.now)
        if earlier is not None:
            return attempt.repeat(earlier)
        return self._remember(records, attempt, self._answer_of(records, scan, entry.visitor, authorisation))

    def _remember(self, records: Records, attempt: Attempt, answer: Answer) -> Outcome:
        """Remember an answer if the house rules have its status."""
        if answer.status in self._rules.remember:
            records.overwrite_answer(RememberAnswer(*attempt, status=answer.status, body=answer.body))
        return Outcome(answer)

    def _answer_of(self, records: Records, scan: Scan, visitor: Visitor, authorisation: Authorisation) -> Answer:
        """Answer by the pre-authorisation of the entry."""
        return self._answer_for(self._payments.decide(records, scan.text or "", authorisation) or visitor)

    def _answer_for(self, found: Visitor | Refusal) -> Answer:
        if isinstance(found, Visitor):
            return _welcome(found)
        status = _UNAUTHORIZED if found is Refusal.UNKNOWN_KEY else self._rules.refusal_status
        return json_answer(status, {"errorMsg": "The key is not accepted."}, code=found)

    def _decide(self, records: Records, scan: Scan) -> Answer | Entry:
        """Decide on a key of any kind. The outcome code of a refusal is its reason, which the caller does not get.

        Return an Entry if the payment provider must decide too.
        """
        found: Visitor | Refusal | Entry | None = self._fixture_key_holder(scan)
        if found is None:
            scanned_at = parse_instant(scan.scanned_at)
            found = self._payments.redeem(records, scan.text or "", _event_key(scan), scanned_at, scan.store_id)
        return found if isinstance(found, Entry) else self._answer_for(found)

    def _log_answer(self, scan: Scan, outcome: Outcome) -> None:
        code = outcome.answer.code
        refusal = {"refusal": code} if code and not outcome.replayed else {}
        self._log.event(
            "identity_answered",
            requestId=scan.request_id,
            authEventId=scan.event_id,
            status=outcome.answer.status,
            replayed=outcome.replayed,
            **refusal,
        )
        if outcome.changed:
            self._log.event("identity_key_changed", requestId=scan.request_id, authEventId=scan.event_id)


def _event_key(scan: Scan) -> str:
    """Return the key of the event. Upper and lower case are the same in a UUID."""
    return scan.event_id.lower()


def _welcome(visitor: Visitor) -> Answer:
    return json_answer(_OK, {"visitorDetails": {"id": visitor.id, "type": visitor.type}})
