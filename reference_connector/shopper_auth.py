"""Shopper Authorization: the retailer decides on a shopper that the platform has authenticated.

The risk check is another system and may be slow, so the handler claims the event with a lease: see `idempotency`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any, NamedTuple, Protocol

from jwo_contract.errors import BadValue
from jwo_contract.house import House
from jwo_contract.values import parse_instant
from jwo_toolkit.json_types import Json
from reference_connector.errors import InvalidRequest
from reference_connector.idempotency import Attempt, LeasedAnswers
from reference_connector.messages import Answer, RequestReader, json_answer, request_hash
from reference_connector.retailer import CardShopper, CurrentRetailer, Policy
from reference_connector.retailer_rows import CardShopperRow
from reference_connector.store import Records, Store
from reference_connector.telemetry import TRIP, Clock, EventLog

_WITHOUT_A_ROW = CardShopperRow(id="-").card_shopper()


class Decision(NamedTuple):
    """Whether the shopper may enter, the changed pre-authorisation if any, and the risks found."""

    authorized: bool
    conditions: list[Json]
    risks: list[str]


class RiskCheck(Protocol):
    """The retailer's own risk system."""

    async def look_up(self, shopper_id: str) -> CardShopper | None:
        """Find the record of a card's holder; None for a new one. It may be slow, and may raise any error."""


class RetailersOwnRecords:
    """The shipped risk check: it reads the retailer files, and adds the charges that were declined since."""

    def __init__(self, retailer: CurrentRetailer, store: Store) -> None:
        self._retailer = retailer
        self._store = store

    async def look_up(self, shopper_id: str) -> CardShopper | None:
        """Find the row, and add the debt of its person. A shopper without a row is known by a debt alone."""
        known = self._retailer.current.card_shoppers.get(shopper_id)
        debt = await self._store.transact(_debt_of, {shopper_id, known.account if known else ""} - {""})
        if known is None:
            return _WITHOUT_A_ROW._replace(id=shopper_id, debt=debt) if debt else None
        return known._replace(debt=debt)


def _debt_of(records: Records, ids: set[str]) -> Decimal:
    return sum((records.debt_of(each) for each in ids), Decimal(0))


class ShopperHandler:
    """Answers Shopper Authorization."""

    def __init__(
        self,
        *,
        reader: RequestReader,
        retailer: CurrentRetailer,
        answers: LeasedAnswers,
        risk: RiskCheck,
        house: House,
        clock: Clock,
        log: EventLog,
    ) -> None:
        self._reader = reader
        self._retailer = retailer
        self._answers = answers
        self._risk = risk
        self._house = house
        self._clock = clock
        self._log = log

    async def authorize(self, body: bytes) -> Answer:
        """Answer a request body with 200 and a decision. Raises InvalidRequest if the answer is 400."""
        request = self._reader.read(body)
        answer = await self._answer(request)
        trip = request.get("shopperInteraction", {}).get("shoppingTripId", "")
        return answer.about(TRIP, trip) if trip else answer

    async def _answer(self, request: Json) -> Answer:
        _check_instant(request)
        if request["storeId"] not in self._retailer.current.stores:
            raise InvalidRequest("storeId is not a store of this retailer", code="unknown_store")
        key = _event_key(request) if self._house.shopper_auth.idempotent else ""
        if not key:
            async with asyncio.timeout(self._house.shopper_auth.answer_budget_s):
                return await self._decide(request)
        outcome = await self._answers.answer(self._attempt(key, request), partial(self._decide, request))
        self._log.event("shopper_answered", status=outcome.answer.status, replayed=outcome.replayed)
        return outcome.answer

    def _attempt(self, key: str, request: Json) -> Attempt:
        now = self._clock()
        forget_at = now + timedelta(hours=self._house.shopper_auth.remember_h)
        return Attempt("shopper_auth", key, request_hash(request), now, forget_at)

    async def _decide(self, request: Json) -> Answer:
        shopper_id = request["shopperIdentity"].get("id", "")
        known = await self._risk.look_up(shopper_id) if shopper_id else None
        decision = decide(known, request, self._retailer.current.policy, self._clock())
        body: dict[str, Any] = {"shopperAuthorized": decision.authorized}
        if decision.conditions:
            body["authorizationConditions"] = decision.conditions
        if decision.risks:
            body["shopperRisks"] = decision.risks
        return json_answer(200, body)


def decide(known: CardShopper | None, request: Json, policy: Policy, now: datetime) -> Decision:
    """Decide from the retailer's record and the platform's recommendation; the retailer's own rules come first."""
    advice = request.get("shopperInteraction", {}).get("recommendation", {})
    advised = advice.get("shopperAuthorized", True)
    follow = Decision(advised, advice.get("authorizationConditions", []) if advised else [], _risks(advice, advised))
    if known is None:
        return follow
    if known.always:
        return Decision(known.always == "accept", [], [])
    risk = next((name for name, found in _found_risks(known, policy, now) if found), "")
    if risk:
        return Decision(authorized=False, conditions=[], risks=[risk])
    if known.adjust_to is not None:
        return Decision(authorized=True, conditions=[_adjust(known.adjust_to, request, policy)], risks=[])
    return follow


def _risks(advice: Json, advised: bool) -> list[str]:  # noqa: FBT001 - a value of the message
    return [] if advised else list(advice.get("shopperRisks", []))


def _found_risks(known: CardShopper, policy: Policy, now: datetime) -> list[tuple[str, bool]]:
    return [
        ("InvalidCard", not known.card_valid),
        ("InvalidCard", (now.year, now.month) > known.card_expires),
        ("CustomerFraud", known.flagged or known.fraud_score > policy.max_fraud_score),
        ("BadDebt", known.debt > policy.max_debt or known.open_balance + known.debt > policy.max_open_balance),
    ]


def _adjust(amount: Decimal, request: Json, policy: Policy) -> Json:
    currency = request.get("authorizedAmount", {}).get("currencyCode", policy.currency)
    return {"type": "ADJUST", "amount": {"value": float(amount), "currencyCode": currency}}


def _event_key(request: Json) -> str:
    interaction = request.get("shopperInteraction", {})
    trip, event = interaction.get("shoppingTripId", ""), interaction.get("gateAuthenticationEvent", {}).get("id", "")
    return f"{trip}\0{event}" if trip and event else ""


def _check_instant(request: Json) -> None:
    stamp = request.get("shopperInteraction", {}).get("gateAuthenticationEvent", {}).get("timestamp")
    try:
        if stamp is not None:
            parse_instant(stamp)
    except BadValue as error:
        raise InvalidRequest("gateAuthenticationEvent.timestamp is not a date and time") from error


def new_owner_ids(prefix: str) -> Callable[[], str]:
    """Number the claims of one process."""
    numbers = count(1)

    def new_id() -> str:
        return f"{prefix}-{next(numbers)}"

    return new_id
