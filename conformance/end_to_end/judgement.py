"""What the journal of a day must show: nothing lost, nothing doubled, the gate right, nobody mixed up.

Each returns what is wrong as a value, or None, as the matches of single exchanges do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.drivers.exchange import Exchange
from conformance.drivers.masks import mask
from conformance.end_to_end.visits import Visit, is_lost
from conformance.errors import NotDeclared
from conformance.match import Mismatch, different_members, same_member, same_status
from contract.gate import NoAnswer
from contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS

_TOO_MANY_CALLS, _COMPARABLE = 429, 2
_SHORTEST = 6
"""Shorter ids stand in ordinary words as well."""


def nothing_lost(visits: Sequence[Visit]) -> Mismatch | None:
    """Match when every cart was taken in the end."""
    waiting = [visit for visit in visits if visit.delivery["state"] != "delivered"]
    lost = [visit for visit in waiting if is_lost(visit.delivery)] or waiting
    if not lost:
        return None
    told = "; ".join(f"{visit.label}: {_attempts(visit)}" for visit in lost[:3])
    return Mismatch(f"each of {len(visits)} carts taken in the end", f"{len(lost)} not taken: {told}")


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
    """Match when every scan of one event was answered alike: the same status, and the same visitor.

    A connector that declares a rate may refuse some with 429, which is no decision; NotDeclared when it leaves too few.
    """
    scans = visit.of(VERIFY_IDENTITY_KEYS.name)
    if limits_its_rate:
        scans = [each for each in scans if each.answer and each.answer.status != _TOO_MANY_CALLS]
        if len(scans) < _COMPARABLE:
            raise NotDeclared("the declared rate was used up, so that no scan was decided twice")
    return same_status(scans) or same_member(scans, "visitorDetails")


def kept_out(visit: Visit) -> Mismatch | None:
    """Match when the gate stayed closed because the connector does not know the key; a late answer is not judged."""
    decision = visit.decision
    if not decision["opens"] and decision["cause"] in {"401", NoAnswer.TIMED_OUT}:
        return None
    return Mismatch("a gate that stays closed for a key that nobody has", f"{decision['light']}: {decision['cause']}")


def tells_of_nobody_else(visits: Sequence[Visit]) -> Mismatch | None:
    """Match when no answer holds the key or the id of a visitor whom it is not about."""
    for visit in visits:
        others = {text for other in visits for text in _tells_of(other)} - _tells_of(visit)
        for exchange in visit.exchanges:
            told = exchange.answer.body.decode("utf-8", "replace") if exchange.answer else ""
            for own in _tells_of(visit):
                told = told.replace(own, "")
            if found := sorted(text for text in others if text in told):
                return Mismatch(
                    "answers that tell of nobody else",
                    f"{visit.label}: the answer to {exchange.operation.name} holds what is another's, {mask(found[0])}",
                )
    return None


def _tells_of(visit: Visit) -> set[str]:
    """Return what is a visitor's alone, as it stands in JSON, where it is long enough to be told from other words."""
    visitor = visit.decision.get("visitor")
    texts = {visit.key, str(visitor["id"]) if visitor else ""}
    return {json.dumps(text, ensure_ascii=False)[1:-1] for text in texts if len(text) >= _SHORTEST}


def _purchases(visit: Visit) -> list[Exchange]:
    return [each for each in visit.of(CREATE_PURCHASES.name) if each.answer and 200 <= each.answer.status < 300]  # noqa: PLR2004 - the 2xx


def _attempts(visit: Visit) -> str:
    attempts = visit.delivery["attempts"]
    told = ", ".join(f"{attempt['outcome']}{_status(attempt['status'])}" for attempt in attempts[-4:])
    return f"{len(attempts)} attempt{'' if len(attempts) == 1 else 's'}, {visit.delivery['state']}: {told}".replace(
        "_", " "
    )


def _status(status: int | None) -> str:
    return f" ({status})" if status else ""
