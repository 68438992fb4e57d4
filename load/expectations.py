"""What each answer should have been: the right code, the right shape, the same for duplicates, and nobody else's.

A fast wrong answer is a finding all the same. Examples name our own ids only, never a key or a visitor.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from enum import StrEnum
from typing import Any

from contract.errors import MalformedBody
from contract.messages import Violation, message, parse_object
from contract.operations import CREATE_PURCHASES
from contract.profile import Profile
from load.traffic import RUN_DIGITS, Event

_RECENT = 2048
_MOST_ASKED_AGAIN = 100
_MOST_VISITORS = 1000
_HEX = b"0123456789abcdef"
_RESPONSES = ("verify_identity_keys.response", "create_purchases.response")


class Finding(StrEnum):
    """What can be wrong with an answer that came."""

    WRONG_CODE = "wrong code"
    MALFORMED = "malformed answer"
    CHANGED_ANSWER = "duplicate answered differently"
    DOUBLED_PURCHASE = "doubled purchase"
    CROSS_TALK = "cross-talk"


Wrong = tuple[Finding, str]


class Expectations:
    """Judges answers as they come; remembers whose purchases they were, and which events to ask about again."""

    def __init__(self, profile: Profile) -> None:
        self._schemas = {name: message(name, profile.house) for name in _RESPONSES}
        self._purchases: dict[int, str] = {}
        self._visitors: dict[str, Counter[int]] = {}
        self._recent: dict[int, Event] = {}
        self._suspects: list[Event] = []
        self._sample: list[Event] = []
        self._first_answers = 0

    def judge(self, event: Event, status: int, raw: bytes, *, sent_ns: int = 0) -> Wrong | None:
        """Return what is wrong with an answer to an event sent then, with an example in words; None if nothing is."""
        if _names_another(event, raw):
            return Finding.CROSS_TALK, f"an id of another request, in the answer to {_name(event)}"
        if status not in (right := event.statuses(sent_ns)):
            return Finding.WRONG_CODE, f"{status} instead of {' or '.join(map(str, right))} to {_name(event)}"
        if status == 401:  # noqa: PLR2004 - a refusal has no body that counts
            return None
        try:
            body = parse_object(raw)
        except MalformedBody as error:
            return Finding.MALFORMED, f"{error}, to {_name(event)}"
        schema = self._schemas[event.operation.response]
        if not schema.is_valid(body) and (breaches := _published(schema.violations(body))):
            return Finding.MALFORMED, f"{breaches[0].message}, to {_name(event)}"
        return self._cart(event, body) if event.operation is CREATE_PURCHASES else self._scan(event, body)

    def purchases(self) -> list[int]:
        """Return a digest of every purchase id, to be compared over workers."""
        return list(self._purchases)

    def to_ask_again(self) -> list[Event]:
        """Return events whose answers shall be compared with those that come when nothing else is under way.

        First those of which two, at about the same time, were told one visitor: with a key for each shopper, this is
        how an answer looks that went to the wrong one. Then some by chance.
        """
        return list({event.mark: event for event in (*self._suspects, *self._sample)}.values())

    def told_another(self, visitor_type: str, visitor_id: str) -> int:
        """Return how many scans of a kind were told another visitor; for a key that always names this one."""
        return sum(count for told, count in self._visitors.get(visitor_type, {}).items() if told != digest(visitor_id))

    def _scan(self, event: Event, body: dict[str, Any]) -> Wrong | None:
        visitor = body["visitorDetails"]
        if visitor["type"] != event.visitor_type:
            return Finding.CROSS_TALK, f"a {event.visitor_type} was answered as {visitor['type']}, to {_name(event)}"
        told = digest(str(visitor["id"]))
        before = self._recent.get(told)
        if event.answer is not None and event.answer != told:
            if before is not None and before is not event:
                return Finding.CROSS_TALK, f"the visitor of another scan, to {_name(event)}"
            return Finding.CHANGED_ANSWER, f"two answers to {_name(event)}"
        if event.answer is None:
            event.answer = told
            self._note_visitor(event, told, before)
            self._note(event)
        return None

    def _cart(self, event: Event, body: dict[str, Any]) -> Wrong | None:
        if not body["purchaseId"]:
            return Finding.MALFORMED, f"an empty purchaseId for a full cart, to {_name(event)}"
        told = digest(body["purchaseId"])
        if self._purchases.setdefault(told, event.mark) != event.mark:
            return Finding.CROSS_TALK, f"another trip's purchaseId, to {_name(event)}"
        if event.answer is not None and event.answer != told:
            return Finding.DOUBLED_PURCHASE, f"two answers to {_name(event)}"
        if event.answer is None:
            event.answer = told
            self._note(event)
        return None

    def _note_visitor(self, event: Event, told: int, before: Event | None) -> None:
        counts = self._visitors.setdefault(event.visitor_type, Counter())
        if told in counts or len(counts) < _MOST_VISITORS:
            counts[told] += 1
        if before is not None and len(self._suspects) < _MOST_ASKED_AGAIN:
            self._suspects += [before, event]
        self._recent[told] = event
        if len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]

    def _note(self, event: Event) -> None:
        """Keep a sample of all events, each as likely as any other."""
        self._first_answers += 1
        if len(self._sample) < _MOST_ASKED_AGAIN:
            self._sample.append(event)
        elif (place := int(random.random() * self._first_answers)) < _MOST_ASKED_AGAIN:  # noqa: S311 - a sample
            self._sample[place] = event


def _published(violations: list[Violation]) -> list[Violation]:
    """Leave out the breaches of rules that are our own."""
    return [each for each in violations if not each.by_house]


def digest(text: str) -> int:
    """Return a 63-bit digest of a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def _names_another(event: Event, raw: bytes) -> bool:
    """Whether an answer holds a whole id of this run that is not the event's own, in whatever way UUIDs are written."""
    own, run = _plain(event.mark.encode()), _plain(event.mark[:RUN_DIGITS].encode())
    text = _plain(raw)
    at = text.find(run)
    while at >= 0:
        mark = text[at : at + len(own)]
        if mark != own and len(mark) == len(own) and not mark.strip(_HEX):
            return True
        at = text.find(run, at + len(run))
    return False


def _plain(text: bytes) -> bytes:
    return text.lower().replace(b"-", b"")


def _name(event: Event) -> str:
    return f"{event.operation.name} {event.id}"
