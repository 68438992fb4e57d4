"""Entry by card or palm: the reader's own check first, then the part that the store's Fraud and Abuse strategy names.

Every strategy: the reader refuses a means of payment that it knows as invalid, and calls no connector. Amazon Managed:
the platform's risk model. Amazon Recommendation: the connector, which receives the opinion of that model and may
accept, deny or adjust. Retailer Managed: the connector alone. None: no check but the reader's.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from jwo_contract.errors import MalformedBody
from jwo_contract.gate import GateAction, NoAnswer, decide
from jwo_contract.house import House
from jwo_contract.messages import message, parse_object
from jwo_contract.operations import SHOPPER_AUTHORIZATION
from jwo_contract.values import format_instant
from simulator.connector import Exchange, OutgoingRequest
from simulator.connector_calls import CallContext, ConnectorCalls
from simulator.entry.decision import ACCEPT, READER, Decision, EntryAttempt, decided, not_called
from simulator.entry.risk import INVALID, Opinion, RiskModel
from simulator.portal.stores import Store
from simulator.trip_record import AuthEvent

Interaction = Literal["TAP", "INSERT"]
_OK, _RETRIED = 200, {500, 503}


class Instrument(NamedTuple):
    """A means of payment at the reader: its id in the platform, its type, and how a card is shown."""

    id: str
    type: Literal["CREDIT_CARD", "PALM"] = "CREDIT_CARD"
    interaction: Interaction = "TAP"


class CardReader:
    """Decides on means of payment."""

    def __init__(self, calls: ConnectorCalls, risk: RiskModel, house: House) -> None:
        self._calls = calls
        self._risk = risk
        self._house = house

    async def read(self, attempt: EntryAttempt, instrument: Instrument) -> Decision:
        """Decide on one tap, insertion or palm."""
        store, opinion = attempt.store, self._risk.judge(instrument.id)
        if INVALID in opinion.risks:
            decision = not_called(f"{READER}:{INVALID}", opens=False)
        elif store.strategy == "amazon_managed":
            cause = "amazon_managed" if opinion.authorized else f"risk:{','.join(opinion.risks)}"
            decision = not_called(cause, opens=opinion.authorized)
        elif store.strategy == "none" and not self._house.shopper_auth.none_calls:
            decision = not_called("no_strategy", opens=True)
        else:
            decision = await self._ask(attempt, instrument, opinion)
        amount = self._amount(store) if decision.authorized_amount is None else decision.authorized_amount
        event = AuthEvent(attempt.event_id, attempt.at, "FINANCIAL")
        return decision._replace(
            event=event,
            shopper_identity=instrument.id,
            authorized_amount=amount,
            recommendation=",".join(opinion.risks) or ACCEPT,
        )

    async def _ask(self, attempt: EntryAttempt, instrument: Instrument, opinion: Opinion) -> Decision:
        store, request = attempt.store, self._message(attempt, instrument, opinion)
        context = CallContext(store.id, attempt.gate, attempt.trip_id, faults=attempt.faults)
        connector, left_s, spent_ms = store.connector_for("fraud_and_abuse"), self._house.gate.timeout_s, 0
        faults: set[str] = set()
        for left in range(self._house.shopper_auth.retries, -1, -1):
            outgoing = OutgoingRequest(SHOPPER_AUTHORIZATION, connector, request, left_s)
            exchange, triggered = await self._calls.make(outgoing, context)
            self._calls.note(exchange, context, triggered)
            faults |= set(triggered)
            spent_ms += exchange.elapsed_ms
            left_s -= exchange.elapsed_ms / 1000
            if exchange.status not in _RETRIED or not left or left_s <= 0:
                break
        return self._decide(store, exchange, opinion)._replace(elapsed_ms=spent_ms, faults=tuple(sorted(faults)))

    def _decide(self, store: Store, exchange: Exchange, opinion: Opinion) -> Decision:
        answer = self._answer(exchange)
        if answer is not None:
            return _by_answer(answer)
        outcome: int | NoAnswer = exchange.failure or exchange.status or NoAnswer.NO_CONNECTION
        if outcome == _OK:
            outcome = NoAnswer.MALFORMED_ANSWER
        opens, action, cause = decide(outcome, store.store_default)
        if action is GateAction.STORE_DEFAULT and self._house.shopper_auth.fallback == "recommendation":
            opens, cause = opinion.authorized, f"{cause}:recommendation"
        return decided(opens=opens, cause=cause, action=str(action))

    def _answer(self, exchange: Exchange) -> dict[str, Any] | None:
        if exchange.failure is not None or exchange.status != _OK:
            return None
        try:
            answer = parse_object(exchange.body)
        except MalformedBody:
            return None
        return answer if message("shopper_authorization.response", self._house).is_valid(answer) else None

    def _shown(self, instrument: Instrument) -> dict[str, str]:
        """Return the members that say what was shown, and how; the words for a palm are house settings."""
        if instrument.type == "PALM":
            rules = self._house.simulator
            return {"type": rules.palm_type, "interactionType": rules.palm_interaction}
        return {"type": instrument.type, "interactionType": instrument.interaction}

    def _amount(self, store: Store) -> float:
        return self._house.simulator.authorized_amount if store.authorized_amount is None else store.authorized_amount

    def _message(self, attempt: EntryAttempt, instrument: Instrument, opinion: Opinion) -> dict[str, Any]:
        rules, store = self._house.shopper_auth, attempt.store
        sends_recommendation = rules.send_recommendation == "always" or (
            rules.send_recommendation == "amazon_recommendation_only" and store.strategy == "amazon_recommendation"
        )
        recommendation = {"shopperAuthorized": opinion.authorized, "shopperRisks": list(opinion.risks)}
        return {
            "storeId": store.id,
            "shopperIdentity": {"id": instrument.id},
            "authorizedAmount": {
                "value": self._amount(store),
                "currencyCode": self._house.simulator.currency,
            },
            "shopperInteraction": {
                "shoppingTripId": attempt.trip_id,
                "gateAuthenticationEvent": {
                    "id": attempt.event_id,
                    "timestamp": format_instant(attempt.at),
                    "location": "ENTRY",
                    **self._shown(instrument),
                },
                **({"recommendation": recommendation} if sends_recommendation else {}),
            },
        }


def _by_answer(answer: dict[str, Any]) -> Decision:
    """Return the retailer's decision; an adjusted amount replaces the amount to reserve."""
    if not answer["shopperAuthorized"]:
        risks = answer.get("shopperRisks") or []
        return decided(opens=False, cause=":".join(["denied", ",".join(risks)]).rstrip(":"), action="stay_closed")
    conditions = answer.get("authorizationConditions") or []
    amounts = [one.get("amount", {}).get("value") for one in conditions if one.get("type") == "ADJUST"]
    amount = next((float(value) for value in amounts if value is not None), None)
    return decided(
        opens=True, cause="authorized" if amount is None else "adjusted", action="open", authorized_amount=amount
    )
