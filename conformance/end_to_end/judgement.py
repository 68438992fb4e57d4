"""Matches over visits: no cart lost, no purchase doubled, correct gate decisions, no answer with data of others.

Each returns a Mismatch or None, as the matches of single exchanges in `conformance/match.py` do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.drivers.exchange import Exchange
from conformance.drivers.masks import mask
from conformance.end_to_end.visits import Visit, is_lost
from conformance.errors import NotDeclared
from conformance.match import Mismatch, different_members, same_member, same_status, same_visitor
from jwo_contract.gate import NoAnswer
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS

_TOO_MANY_CALLS, _COMPARABLE = 429, 2
_MIN_LENGTH = 6
"""Shorter ids also occur inside ordinary words."""


def nothing_lost(visits: Sequence[Visit]) -> Mismatch | None:
    """Match when the connector accepted every cart in the end."""
    waiting = [visit for visit in visits if visit.delivery["state"] != "delivered"]
    lost = [visit for visit in waiting if is_lost(visit.delivery)] or waiting
    if not lost:
        return None
    details = "; ".join(f"{visit.label}: {_attempts(visit)}" for visit in lost[:3])
    return Mismatch(f"each of {len(visits)} carts accepted in the end", f"{len(lost)} not accepted: {details}")


def nothing_doubled(visits: Sequence[Visit]) -> Mismatch | None:
    """Match when all answers to the attempts of a trip name one purchase, and no two trips share one."""
    for visit in visits:
        if mismatch := one_purchase(visit):
            return mismatch
    firsts = [_purchases(visit)[0] for visit in visits if _purchases(visit)]
    return different_members(firsts, "purchaseId") if firsts else None


def one_purchase(visit: Visit) -> Mismatch | None:
    """Match when all answers to the attempts of a trip name one purchase."""
    answers = _purchases(visit)
    mismatch = same_member(answers, "purchaseId") if answers else None
    return mismatch and Mismatch(mismatch.expected, f"{visit.label}: {mismatch.got}")


def one_decision(visit: Visit, *, limits_its_rate: bool = False) -> Mismatch | None:
    """Match when all scans of one event got the same status and the same visitor.

    A connector with a declared rate may refuse scans with 429, which is not a decision. Raises NotDeclared if fewer
    than two decisions remain.
    """
    scans = visit.answered(VERIFY_IDENTITY_KEYS.name)
    if limits_its_rate:
        scans = [each for each in scans if each.answer and each.answer.status != _TOO_MANY_CALLS]
        if len(scans) < _COMPARABLE:
            raise NotDeclared("other calls used up the declared rate, so the connector decided no scan twice")
    return same_status(scans) or same_visitor(scans)


def kept_out(visit: Visit) -> Mismatch | None:
    """Match when the gate stayed closed because of a 401 or a late answer, which another case judges."""
    decision = visit.decision
    if not decision["opens"] and decision["cause"] in {"401", NoAnswer.TIMED_OUT}:
        return None
    return Mismatch("a gate that stays closed for an unknown key", f"{decision['light']}: {decision['cause']}")


def nothing_leaked(visits: Sequence[Visit]) -> Mismatch | None:
    """Match when no answer holds the key or the id of another visitor."""
    for visit in visits:
        others = {text for other in visits for text in _private_texts(other)} - _private_texts(visit)
        for exchange in visit.exchanges:
            body = exchange.answer.body.decode("utf-8", "replace") if exchange.answer else ""
            for own in _private_texts(visit):
                body = body.replace(own, "")
            if leaked := sorted(text for text in others if text in body):
                got = f"the answer to {exchange.operation.name} holds another visitor's data, {mask(leaked[0])}"
                return Mismatch("answers without another visitor's data", f"{visit.label}: {got}")
    return None


def _private_texts(visit: Visit) -> set[str]:
    """Return the key and the id of a visitor, escaped as in JSON, without short ones."""
    visitor = visit.decision.get("visitor")
    texts = {visit.key, str(visitor["id"]) if visitor else ""}
    return {json.dumps(text, ensure_ascii=False)[1:-1] for text in texts if len(text) >= _MIN_LENGTH}


def _purchases(visit: Visit) -> list[Exchange]:
    return [each for each in visit.answered(CREATE_PURCHASES.name) if each.answer and 200 <= each.answer.status < 300]  # noqa: PLR2004 - the 2xx


def _attempts(visit: Visit) -> str:
    attempts = visit.delivery["attempts"]
    outcomes = ", ".join(f"{attempt['outcome']}{_status(attempt['status'])}" for attempt in attempts[-4:])
    count = f"{len(attempts)} attempt{'' if len(attempts) == 1 else 's'}"
    return f"{count}, {visit.delivery['state']}: {outcomes}".replace("_", " ")


def _status(status: int | None) -> str:
    return f" ({status})" if status else ""
