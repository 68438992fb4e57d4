"""Faults of who is who: an answer that belongs to another call, trip, shopper or store, or that tells too much.

Each is a right connector behind something that bends answers; most of them show only when visits are played through.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from conformance.mutants.spoilt import PATHS, App, Receive, Scope, Send, read, replayed

Body = dict[str, Any]
Reply = tuple[int, Body]
_CALLS = {path: call for call, path in PATHS.items()}
_OK, _CREATED, _INVALID, _UNKNOWN, _TOO_MANY = 200, 201, 400, 401, 429
_TRIP_ID = re.compile(rb'"idempotentShoppingTripId"\s*:\s*"([^"]+)"')
_HANGS_UP_WITHIN_S = 0.05


@dataclass
class Notes:
    """What a faulty connector keeps beside what a right one does."""

    scans: dict[str, Reply] = field(default_factory=dict)
    last: Reply = (_UNKNOWN, {})
    last_store: str = ""
    last_visitor: str = ""
    last_key: str = ""
    newest: tuple[str, Body] = ("", {})
    by_visitor: dict[str, Reply] = field(default_factory=dict)
    attempts: dict[str, list[str]] = field(default_factory=dict)
    spoilt: set[str] = field(default_factory=set)
    times: int = 0


Bend = Callable[[Notes, Body, Reply], Reply]
"""Takes what was asked and what a right connector answers; returns what the faulty one does."""


class Fault(NamedTuple):
    """A fault by the ids each of which must find it, and what it makes of scans and of carts."""

    found_by: tuple[str, ...]
    scan: Bend | None = None
    cart: Bend | None = None


class Crosstalk:
    """An ASGI app around another; a fault that is not of this kind changes nothing."""

    def __init__(self, app: App, fault: str) -> None:
        self._app = app
        self._name = fault
        self._fault = FAULTS.get(fault)
        self._notes = Notes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._fault is None or scope["type"] != "http" or scope["path"] not in _CALLS:
            await self._app(scope, receive, send)
            return
        raw, is_whole = await read(receive)
        if self._name == "loses_a_cart_after_a_cut_connection" and not is_whole:
            self._notes.spoilt |= {trip.decode() for trip in _TRIP_ID.findall(raw)}
        reply = await self._right_answer(scope, raw)
        bend = self._fault.scan if _CALLS[scope["path"]] == "scan" else self._fault.cart
        asked = _parsed(raw)
        if bend and asked:
            reply = bend(self._notes, asked, reply)
        if "hangs_up" in self._name and await _has_hung_up(receive):
            self._notes.spoilt.add(_trip(asked))
        await _answer(send, *reply)

    async def _right_answer(self, scope: Scope, raw: bytes) -> Reply:
        sent: list[Any] = []

        async def keep(message: Any) -> None:  # noqa: ANN401 - as ASGI has it
            sent.append(message)

        await self._app(scope, replayed(raw), keep)
        return int(sent[0]["status"]), _parsed(sent[1]["body"])


async def _has_hung_up(receive: Receive) -> bool:
    try:
        async with asyncio.timeout(_HANGS_UP_WITHIN_S):
            return bool((await receive())["type"] == "http.disconnect")
    except TimeoutError:
        return False


async def _answer(send: Send, status: int, answer: Body) -> None:
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _parsed(raw: bytes) -> Body:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _trip(asked: Body) -> str:
    return str(asked.get("idempotentShoppingTripId"))


def _events(asked: Body) -> list[str]:
    return [str(event.get("id")) for event in asked["shoppingTrip"]["authEvents"]]


def _visitor(asked: Body) -> str:
    events = asked["shoppingTrip"]["authEvents"]
    return str((events[0].get("scanResult") or {}).get("id", "")) if events else ""


def _bought(reply: Reply) -> bool:
    return reply[0] == _CREATED and bool(reply[1].get("purchaseId"))


def _another(reply: Reply, suffix: object) -> Reply:
    return reply[0], {"purchaseId": f"{reply[1]['purchaseId']}-{suffix}"} if _bought(reply) else reply[1]


def _note_scan(notes: Notes, asked: Body, reply: Reply) -> Reply:
    notes.scans[str(asked["authEvent"]["id"])] = reply
    return reply


def _answer_of_the_scan(notes: Notes, asked: Body, reply: Reply) -> Reply:
    known = [event for event in _events(asked) if event in notes.scans] if _bought(reply) else []
    return notes.scans[known[0]] if known else reply


def _used_up(notes: Notes, asked: Body, reply: Reply) -> Reply:
    known = _bought(reply) and any(event in notes.scans for event in _events(asked))
    return (400, {"errorMsg": "this event was used"}) if known else reply


def _next_one_in(notes: Notes, _asked: Body, reply: Reply) -> Reply:
    followed = reply[0] == _UNKNOWN and notes.last[0] == _OK
    before, notes.last = notes.last, reply
    return before if followed else reply


def _by_visitor(notes: Notes, asked: Body, reply: Reply) -> Reply:
    visitor = _visitor(asked)
    return notes.by_visitor.setdefault(visitor, reply) if visitor and _bought(reply) else reply


def _note_events_gone(notes: Notes, asked: Body, reply: Reply) -> Reply:
    if _bought(reply):
        notes.spoilt.update(_events(asked))
    return reply


def _gone(notes: Notes, asked: Body, reply: Reply) -> Reply:
    return (_UNKNOWN, {"errorMsg": "used"}) if asked.get("authEvent", {}).get("id") in notes.spoilt else reply


def _tell_of_the_last(notes: Notes, _asked: Body, reply: Reply) -> Reply:
    if reply[0] != _OK:
        return reply
    before, notes.last_visitor = notes.last_visitor, reply[1]["visitorDetails"]["id"]
    return reply[0], {**reply[1], "cameBefore": before}


def _signed_by_the_last(notes: Notes, _asked: Body, reply: Reply) -> Reply:
    return reply[0], {**reply[1], "servedAfter": notes.last_visitor}


def _note_visitor(notes: Notes, _asked: Body, reply: Reply) -> Reply:
    if reply[0] == _OK:
        notes.last_visitor = reply[1]["visitorDetails"]["id"]
    return reply


def _of_the_other_store(notes: Notes, asked: Body, reply: Reply) -> Reply:
    if not _bought(reply):
        return reply
    switched = notes.last_store not in {"", asked["storeId"]}
    before, notes.last, notes.last_store = notes.last, reply, asked["storeId"]
    return before if switched else reply


def _forgets_at_a_switch(notes: Notes, asked: Body, reply: Reply) -> Reply:
    notes.times += notes.last_store not in {"", asked.get("storeId")}
    notes.last_store = str(asked.get("storeId"))
    return _another(reply, notes.times)


def _again_at_the_third(notes: Notes, asked: Body, reply: Reply) -> Reply:
    tried = notes.attempts.setdefault(_trip(asked), [])
    tried.append(str(asked.get("requestId")))
    return _another(reply, "again") if len(tried) == 3 else reply  # noqa: PLR2004 - the fault's own number


def _undone(notes: Notes, asked: Body, reply: Reply) -> Reply:
    return _another(reply, "again") if _trip(asked) in notes.spoilt else reply


def _lost(notes: Notes, asked: Body, reply: Reply) -> Reply:
    return (_CREATED, {"purchaseId": ""}) if _trip(asked) in notes.spoilt else reply


def _newest_again(notes: Notes, asked: Body, reply: Reply) -> Reply:
    end = str(asked.get("shoppingTrip", {}).get("endTime"))
    if not _bought(reply):
        return reply
    if end < notes.newest[0]:
        return reply[0], notes.newest[1]
    notes.newest = (end, reply[1])
    return reply


def _old_attempt_is_new(notes: Notes, asked: Body, reply: Reply) -> Reply:
    tried, request = notes.attempts.setdefault(_trip(asked), []), str(asked.get("requestId"))
    is_old = request in tried[:-1]
    tried.append(request)
    return _another(reply, "old") if is_old else reply


def _throttled_is_seen(notes: Notes, asked: Body, reply: Reply) -> Reply:
    if reply[0] == _TOO_MANY:
        notes.spoilt.add(_trip(asked))
    return _lost(notes, asked, reply) if _bought(reply) else reply


def _repeat_key(_notes: Notes, asked: Body, reply: Reply) -> Reply:
    return (reply[0], {**reply[1], "identityKey": asked["identityKey"]}) if reply[0] == _OK else reply


def _quote_key(_notes: Notes, asked: Body, reply: Reply) -> Reply:
    text = base64.b64decode(str(asked.get("identityKey"))).decode("utf-8", "replace")
    return (_UNKNOWN, {"errorMsg": f"{text} is not known"}) if reply[0] == _UNKNOWN else reply


def _repeat_invalid(_notes: Notes, asked: Body, reply: Reply) -> Reply:
    return (_INVALID, {"errorMsg": "invalid", "input": asked}) if reply[0] == _INVALID else reply


def _answer_with_the_record(_notes: Notes, asked: Body, reply: Reply) -> Reply:
    return (reply[0], {**asked, **reply[1]}) if reply[0] == _CREATED else reply


def _hand_out_the_last_key(notes: Notes, asked: Body, reply: Reply) -> Reply:
    before, notes.last_key = notes.last_key, str(asked.get("identityKey"))
    return (reply[0], {**reply[1], "lastKey": before}) if reply[0] == _OK else reply


FAULTS = {
    "answers_a_cart_with_its_scan": Fault(("E2E-X.1",), _note_scan, _answer_of_the_scan),
    "uses_events_up_at_the_gate": Fault(("E2E-X.1",), _note_scan, _used_up),
    "lets_the_next_one_in": Fault(("E2E-X.2",), _next_one_in),
    "remembers_trips_by_visitor": Fault(("E2E-X.3",), cart=_by_visitor),
    "forgets_an_event_when_its_cart_came": Fault(("E2E-X.5",), _gone, _note_events_gone),
    "tells_of_the_last_visitor": Fault(("E2E-X.6",), _tell_of_the_last),
    "signs_purchases_with_the_last_visitor": Fault(("E2E-X.6",), _note_visitor, _signed_by_the_last),
    "hands_out_the_last_key": Fault(("E2E-X.6",), _hand_out_the_last_key),
    "repeats_the_key": Fault(("VIK-X.45",), _repeat_key),
    "quotes_unknown_keys": Fault(("VIK-X.45",), _quote_key),
    "repeats_invalid_scans": Fault(("VIK-X.45",), _repeat_invalid),
    "answers_with_the_record": Fault(("CP-X.55",), cart=_answer_with_the_record),
    "repeats_invalid_carts": Fault(("CP-X.55",), cart=_repeat_invalid),
    "answers_with_the_other_stores_purchase": Fault(("E2E-X.8",), cart=_of_the_other_store),
    "forgets_trips_when_another_store_sells": Fault(("E2E-X.8",), cart=_forgets_at_a_switch),
    "buys_again_at_the_third_attempt": Fault(("E2E-X.9",), cart=_again_at_the_third),
    "undoes_a_purchase_when_the_caller_hangs_up": Fault(("E2E-X.10",), cart=_undone),
    "loses_a_cart_when_the_caller_hangs_up": Fault(("E2E-X.10",), cart=_lost),
    "loses_a_cart_after_a_cut_connection": Fault(("E2E-X.11",), cart=_lost),
    "takes_an_older_cart_for_a_duplicate": Fault(("E2E-X.12",), cart=_newest_again),
    "takes_an_old_attempt_for_a_new_trip": Fault(("E2E-X.13",), cart=_old_attempt_is_new),
    "takes_a_throttled_cart_for_seen": Fault(("E2E-X.14",), cart=_throttled_is_seen),
}
