"""A small model of what a connector must remember: the first answer to each visit, which it must repeat."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.masks import mask
from jwo_contract.house import House
from jwo_contract.operations import CREATE_PURCHASES

_MADE, _FOUND, _REFUSED, _UNKNOWN, _CONFLICT = 201, 200, 400, 401, 409
_ANY_DECISION = {_FOUND, _REFUSED, _UNKNOWN}
_OLD_CODE = "scan a shopper with a code an hour old"


class AnswerSummary(NamedTuple):
    """What the model compares of an answer: the status (0 for none), and the purchase id or a digest of the visitor."""

    status: int
    content: str = ""

    def __str__(self) -> str:
        return f"{self.status} {self.content}".strip()


class Expectation(NamedTuple):
    """The expected answer, as a text for reports and as a test."""

    text: str
    accepts: Callable[[AnswerSummary], bool]


@dataclass
class Visit:
    """A scan or a cart, its time, and the first answer to it; None before the first answer."""

    draft: Draft
    at: datetime
    kind: str
    first_answer: AnswerSummary | None = None


@dataclass
class Model:
    """The visits so far. The model predicts each answer, and learns the first answer to each visit."""

    house: House
    scans: list[Visit] = field(default_factory=list)
    carts: list[Visit] = field(default_factory=list)

    def expect(self, visit: Visit, now: datetime, how: str = "") -> Expectation:
        """Return what the next answer to a visit must be; `how` says how an act repeats the visit."""
        if visit.first_answer is None:
            return self._expect_first(visit)
        if visit in self.scans and now - visit.at >= timedelta(hours=self.house.identity.remember_h):
            statuses = _ANY_DECISION if visit.kind == _OLD_CODE else {_FOUND, _UNKNOWN}
            return Expectation("a decision", lambda answer: answer.status in statuses)
        if visit in self.scans and visit.first_answer.status not in self.house.identity.remember:
            return Expectation("a decision", lambda answer: answer.status in _ANY_DECISION)
        if how == "with other lines" and self.house.ordering.changed_cart == "conflict_409":
            return Expectation(str(_CONFLICT), lambda answer: answer.status == _CONFLICT)
        return _exactly(visit.first_answer)

    def learn(self, visit: Visit, answer: AnswerSummary) -> None:
        """Remember the first answer to a visit; later answers change nothing."""
        visit.first_answer = visit.first_answer or answer

    def _expect_first(self, visit: Visit) -> Expectation:
        """Return what the first answer to a visit must be; most visits allow any id in it."""
        others = {each.first_answer for each in self.carts if each is not visit}
        by_kind = {
            "scan nobody": _exactly(AnswerSummary(_UNKNOWN)),
            "scan a shopper": Expectation(
                "200 and a visitor", lambda answer: answer.status == _FOUND and bool(answer.content)
            ),
            _OLD_CODE: Expectation("a decision of any kind", lambda answer: answer.status in _ANY_DECISION),
            "buy nothing": _exactly(AnswerSummary(_MADE)),
        }
        own_purchase = Expectation(
            "201 and a purchase id of its own",
            lambda answer: answer.status == _MADE and bool(answer.content) and answer not in others,
        )
        return by_kind.get(visit.kind, own_purchase)


def summarise(exchange: Exchange, *, again: bool = False) -> AnswerSummary:
    """Return the relevant part of an answer. `again`: a 200 for an earlier purchase counts as the 201."""
    answer = exchange.answer
    if answer is None:
        return AnswerSummary(0)
    if answer.status >= _REFUSED:
        return AnswerSummary(answer.status)  # the body of a refusal may differ
    body = answer.json() or {}
    if exchange.operation is CREATE_PURCHASES:
        status = _MADE if again and answer.status == _FOUND else answer.status
        return AnswerSummary(status, str(body.get("purchaseId", "")))
    visitor = body.get("visitorDetails")
    return AnswerSummary(answer.status, mask(json.dumps(visitor, sort_keys=True)) if visitor else "")


def _exactly(expected: AnswerSummary) -> Expectation:
    return Expectation(str(expected), lambda answer: answer == expected)
