"""A small model of what a connector must remember: what each visit was told first, and so must be told again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.masks import mask
from contract.house import House
from contract.operations import CREATE_PURCHASES

_MADE, _FOUND, _REFUSED, _UNKNOWN, _CONFLICT = 201, 200, 400, 401, 409
_NOBODY_KNOWS = {_FOUND, _REFUSED, _UNKNOWN}
_OLD_CODE = "scan a shopper with a code an hour old"


class Told(NamedTuple):
    """What counts of an answer: its status, and the purchase id or the digest of a visitor; 0 when none came."""

    status: int
    content: str = ""

    def __str__(self) -> str:
        return f"{self.status} {self.content}".strip()


class Wanted(NamedTuple):
    """What an answer must be, in words and as a test."""

    words: str
    holds: Callable[[Told], bool]


@dataclass
class Visit:
    """A scan or a cart that was sent, when it was, and what it was told; nothing as long as it was not answered."""

    draft: Draft
    at: datetime
    kind: str
    told: Told | None = None


@dataclass
class Model:
    """The visits so far. It says what each answer must be and learns from the first answer to each visit."""

    house: House
    scans: list[Visit] = field(default_factory=list)
    carts: list[Visit] = field(default_factory=list)

    def wants(self, visit: Visit, now: datetime, how: str = "") -> Wanted:
        """Say what the next answer to a visit must be; `how` it is repeated matters for a changed cart."""
        if visit.told is None:
            return self._first(visit)
        if visit in self.scans and now - visit.at >= timedelta(hours=self.house.identity.remember_h):
            known = _NOBODY_KNOWS if visit.kind == _OLD_CODE else {_FOUND, _UNKNOWN}
            return Wanted("a decision", lambda told: told.status in known)
        if how == "with other lines" and self.house.ordering.changed_cart == "conflict_409":
            return Wanted(str(_CONFLICT), lambda told: told.status == _CONFLICT)
        return _just(visit.told)

    def learn(self, visit: Visit, told: Told) -> None:
        """Take in what a visit was told, once."""
        visit.told = visit.told or told

    def _first(self, visit: Visit) -> Wanted:
        """Say what a first answer must be, which for most visits leaves an id free."""
        others = {each.told for each in self.carts if each is not visit}
        free = {
            "scan nobody": _just(Told(_UNKNOWN)),
            "scan a shopper": Wanted("200 and a visitor", lambda told: told.status == _FOUND and bool(told.content)),
            _OLD_CODE: Wanted("a decision of any kind", lambda told: told.status in _NOBODY_KNOWS),
            "buy nothing": _just(Told(_MADE)),
        }
        own_purchase = Wanted(
            "201 and a purchase id of its own",
            lambda told: told.status == _MADE and bool(told.content) and told not in others,
        )
        return free.get(visit.kind, own_purchase)


def told_by(exchange: Exchange, *, again: bool = False) -> Told:
    """Reduce an answer to what counts. A purchase that was made before may be answered 200 as well as 201."""
    answer = exchange.answer
    if answer is None:
        return Told(0)
    if answer.status >= _REFUSED:
        return Told(answer.status)  # the body of a refusal is nobody's business
    body = answer.json() or {}
    if exchange.operation is CREATE_PURCHASES:
        status = _MADE if again and answer.status == _FOUND else answer.status
        return Told(status, str(body.get("purchaseId", "")))
    visitor = body.get("visitorDetails")
    return Told(answer.status, mask(json.dumps(visitor, sort_keys=True)) if visitor else "")


def _just(told: Told) -> Wanted:
    return Wanted(str(told), lambda other: other == told)
