"""What each answer should have been: the right code, the right shape, the same for duplicates, and nobody else's.

A fast wrong answer is a finding all the same. Examples name our own ids only, never a key or a visitor.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any

from contract.errors import MalformedBody
from contract.messages import message, parse_object
from contract.operations import CREATE_PURCHASES
from contract.profile import Profile
from load.traffic import Event


class Finding(StrEnum):
    """What can be wrong with an answer that came."""

    WRONG_CODE = "wrong code"
    MALFORMED = "malformed answer"
    CHANGED_ANSWER = "duplicate answered differently"
    DOUBLED_PURCHASE = "doubled purchase"
    CROSS_TALK = "cross-talk"


class Expectations:
    """Judges answers as they come; remembers which purchase belongs to which trip."""

    def __init__(self, profile: Profile) -> None:
        self._schemas = {name: message(name, profile.house) for name in _RESPONSES}
        self._trips: dict[int, str] = {}

    def judge(self, event: Event, status: int, raw: bytes) -> tuple[Finding, str] | None:
        """Return what is wrong with an answer to an event, with an example in words; None when all is well."""
        if status != event.expected_status:
            return Finding.WRONG_CODE, f"{status} instead of {event.expected_status} to {_name(event)}"
        if status == 401:  # noqa: PLR2004 - a refusal has no body that counts
            return None
        try:
            body = parse_object(raw)
        except MalformedBody as error:
            return Finding.MALFORMED, f"{error}, to {_name(event)}"
        schema = self._schemas[event.operation.response]
        if not schema.is_valid(body):
            return Finding.MALFORMED, f"{schema.violations(body)[0].message}, to {_name(event)}"
        return self._cart(event, body) if event.operation is CREATE_PURCHASES else self._scan(event, body)

    def purchases(self) -> list[int]:
        """Return a digest of every purchase id, to be compared over workers."""
        return list(self._trips)

    def _scan(self, event: Event, body: dict[str, Any]) -> tuple[Finding, str] | None:
        visitor = body["visitorDetails"]
        if visitor["type"] != event.visitor_type:
            return Finding.CROSS_TALK, f"a {event.visitor_type} was answered as {visitor['type']}, to {_name(event)}"
        return _same(event, str(visitor["id"]), Finding.CHANGED_ANSWER)

    def _cart(self, event: Event, body: dict[str, Any]) -> tuple[Finding, str] | None:
        purchase_id = body["purchaseId"]
        if not purchase_id:
            return Finding.MALFORMED, f"an empty purchaseId for a full cart, to {_name(event)}"
        if wrong := _same(event, purchase_id, Finding.DOUBLED_PURCHASE):
            return wrong
        if self._trips.setdefault(digest(purchase_id), event.id) != event.id:
            return Finding.CROSS_TALK, f"another trip's purchaseId, to {_name(event)}"
        return None


_RESPONSES = ("verify_identity_keys.response", "create_purchases.response")


def digest(text: str) -> int:
    """Return 63 bits that stand for a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def _same(event: Event, answer: str, finding: Finding) -> tuple[Finding, str] | None:
    if event.answer is None:
        event.answer = (event.expected_status, answer)
    elif event.answer[1] != answer:
        return finding, f"two answers to {_name(event)}"
    return None


def _name(event: Event) -> str:
    return f"{event.operation.name} {event.id}"
