"""What the journal of a day must show: nothing lost, nothing doubled, the gate right, nobody mixed up.

Each returns what is wrong as a value, or None, as the matches of single exchanges do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.drivers.exchange import Exchange
from conformance.drivers.masks import mask
from conformance.end_to_end.visits import Visit
from conformance.match import Mismatch, different_members, same_member, same_status
from contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS

_SHORTEST = 6
"""Shorter ids stand in ordinary words as well."""


def nothing_lost(visits: Sequence[Visit]) -> Mismatch | None:
    """Match when every cart was taken in the end."""
    lost = [visit for visit in visits if visit.delivery["state"] != "delivered"]
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


def one_decision(visit: Visit) -> Mismatch | None:
    """Match when every scan of one event was answered alike: the same status, and the same visitor."""
    scans = visit.of(VERIFY_IDENTITY_KEYS.name)
    return same_status(scans) or same_member(scans, "visitorDetails")


def kept_out(visit: Visit) -> Mismatch | None:
    """Match when the gate stayed closed because the connector does not know the key."""
    decision = visit.decision
    if not decision["opens"] and decision["cause"] == "401":
        return None
    return Mismatch("a gate that stays closed for a key that nobody has", f"{decision['light']}: {decision['cause']}")


def tells_of_nobody_else(visits: Sequence[Visit]) -> Mismatch | None:
    """Match when no answer holds the id of a visitor whom it is not about."""
    names = {visit.label: _visitor_id(visit) for visit in visits}
    for visit in visits:
        others = {name for name in names.values() if len(name) >= _SHORTEST and name != names[visit.label]}
        for exchange in visit.exchanges:
            text = exchange.answer.body.decode("utf-8", "replace") if exchange.answer else ""
            own = text.replace(_as_json(names[visit.label]), "") if names[visit.label] else text
            if told := sorted(name for name in others if _as_json(name) in own):
                return Mismatch(
                    f"nobody but {visit.label} in the answers to {visit.label}",
                    f"the answer to {exchange.operation.name} holds the id of another visitor, {mask(told[0])}",
                )
    return None


def _as_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _purchases(visit: Visit) -> list[Exchange]:
    return [each for each in visit.of(CREATE_PURCHASES.name) if each.answer and 200 <= each.answer.status < 300]  # noqa: PLR2004 - the 2xx


def _visitor_id(visit: Visit) -> str:
    visitor = visit.decision.get("visitor")
    return str(visitor["id"]) if visitor else ""


def _attempts(visit: Visit) -> str:
    attempts = visit.delivery["attempts"]
    told = ", ".join(f"{attempt['outcome']}{_status(attempt['status'])}" for attempt in attempts[-4:])
    return f"{len(attempts)} attempt{'' if len(attempts) == 1 else 's'}, {visit.delivery['state']}: {told}".replace(
        "_", " "
    )


def _status(status: int | None) -> str:
    return f" ({status})" if status else ""
