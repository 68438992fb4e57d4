"""Checks each answer: right code, right shape, the same for duplicates, and never the answer to another request.

A fast wrong answer is a finding too. Examples contain only this run's ids, never a key or a visitor.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from enum import StrEnum
from typing import Any

from jwo_contract.errors import MalformedBody
from jwo_contract.messages import Violation, message, parse_object
from jwo_contract.operations import CREATE_PURCHASES
from jwo_contract.profile import Profile
from load.traffic import RUN_DIGITS, Event

_RECENT = 2048
_MOST_REPEATED = 100
_MOST_VISITORS = 1000
_HEX = b"0123456789abcdef"
_RESPONSES = ("verify_identity_keys.response", "create_purchases.response")


class Finding(StrEnum):
    """A problem of an answer."""

    WRONG_CODE = "wrong code"
    MALFORMED = "malformed answer"
    CHANGED_ANSWER = "duplicate answered differently"
    DOUBLED_PURCHASE = "doubled purchase"
    CROSS_TALK = "cross-talk"


Wrong = tuple[Finding, str]
"""A finding, and an example as a text."""


class Expectations:
    """Judges each answer when it arrives. Remembers the trip of each purchase, and events to repeat after the load."""

    def __init__(self, profile: Profile) -> None:
        self._schemas = {name: message(name, profile.house) for name in _RESPONSES}
        self._purchases: dict[int, str] = {}
        self._visitors: dict[str, Counter[int]] = {}
        self._recent: dict[int, Event] = {}
        self._suspects: list[Event] = []
        self._sample: list[Event] = []
        self._first_answers = 0

    def judge(self, event: Event, status: int, raw: bytes, *, sent_ns: int = 0) -> Wrong | None:
        """Return the problem of an answer to an event that was sent at `sent_ns`; None if the answer is right."""
        if _names_another(event, raw):
            return Finding.CROSS_TALK, f"an id of another request, in the answer to {_describe_event(event)}"
        if status not in (expected := event.statuses(sent_ns)):
            codes = " or ".join(map(str, expected))
            return Finding.WRONG_CODE, f"{status} instead of {codes} to {_describe_event(event)}"
        if status == 401:  # noqa: PLR2004 - the contract says nothing about a refusal's body
            return None
        try:
            body = parse_object(raw)
        except MalformedBody as error:
            return Finding.MALFORMED, f"{error}, to {_describe_event(event)}"
        schema = self._schemas[event.operation.response]
        if not schema.is_valid(body) and (breaches := _published(schema.violations(body))):
            return Finding.MALFORMED, f"{breaches[0].message}, to {_describe_event(event)}"
        return self._cart(event, body) if event.operation is CREATE_PURCHASES else self._scan(event, body)

    def purchases(self) -> list[int]:
        """Return a digest of each purchase id, for the comparison between workers."""
        return list(self._purchases)

    def events_to_repeat(self) -> list[Event]:
        """Return the events to send again, alone, to compare the answers.

        First come pairs of events that got the same visitor at about the same time: if each shopper has a key, the
        answer to one of them went to the wrong shopper. Then comes a random sample.
        """
        return list({event.mark: event for event in (*self._suspects, *self._sample)}.values())

    def count_other_visitors(self, visitor_type: str, visitor_id: str) -> int:
        """Return how many scans of a type got a visitor other than this one."""
        counts, own = self._visitors.get(visitor_type, Counter()), digest(visitor_id)
        return sum(count for visitor, count in counts.items() if visitor != own)

    def _scan(self, event: Event, body: dict[str, Any]) -> Wrong | None:
        visitor = body["visitorDetails"]
        if visitor["type"] != event.visitor_type:
            return (
                Finding.CROSS_TALK,
                f"a {event.visitor_type} was answered as {visitor['type']}, to {_describe_event(event)}",
            )
        answer = digest(str(visitor["id"]))
        before = self._recent.get(answer)
        if event.answer is not None and event.answer != answer:
            if before is not None and before is not event:
                return Finding.CROSS_TALK, f"the visitor of another scan, to {_describe_event(event)}"
            return Finding.CHANGED_ANSWER, f"two answers to {_describe_event(event)}"
        if event.answer is None:
            event.answer = answer
            self._note_visitor(event, answer, before)
            self._note(event)
        return None

    def _cart(self, event: Event, body: dict[str, Any]) -> Wrong | None:
        if not body["purchaseId"]:
            return Finding.MALFORMED, f"an empty purchaseId for a full cart, to {_describe_event(event)}"
        answer = digest(body["purchaseId"])
        if self._purchases.setdefault(answer, event.mark) != event.mark:
            return Finding.CROSS_TALK, f"another trip's purchaseId, to {_describe_event(event)}"
        if event.answer is not None and event.answer != answer:
            return Finding.DOUBLED_PURCHASE, f"two answers to {_describe_event(event)}"
        if event.answer is None:
            event.answer = answer
            self._note(event)
        return None

    def _note_visitor(self, event: Event, visitor: int, before: Event | None) -> None:
        counts = self._visitors.setdefault(event.visitor_type, Counter())
        if visitor in counts or len(counts) < _MOST_VISITORS:
            counts[visitor] += 1
        if before is not None and len(self._suspects) < _MOST_REPEATED:
            self._suspects += [before, event]
        self._recent[visitor] = event
        if len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]

    def _note(self, event: Event) -> None:
        """Keep a random sample of all events, in which each is equally likely."""
        self._first_answers += 1
        if len(self._sample) < _MOST_REPEATED:
            self._sample.append(event)
        elif (place := int(random.random() * self._first_answers)) < _MOST_REPEATED:  # noqa: S311 - a sample
            self._sample[place] = event


def _published(violations: list[Violation]) -> list[Violation]:
    """Return the violations of Amazon's published rules, without those of this kit's own rules."""
    return [each for each in violations if not each.by_house]


def digest(text: str) -> int:
    """Return a 63-bit hash of a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def _names_another(event: Event, raw: bytes) -> bool:
    """Return whether an answer contains a whole id of another event of this run, in any spelling of UUIDs."""
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


def _describe_event(event: Event) -> str:
    return f"{event.operation.name} {event.id}"
