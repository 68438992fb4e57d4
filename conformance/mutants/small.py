"""A small, correct connector in plain ASGI, whose every rule can be switched off or bent by the name of a fault.

It is written from the specification alone and shares nothing with the reference connector or the contract's schemas, so
that one misreading cannot hide in both. It keeps everything in memory.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import uuid
from typing import Any

from conformance.mutants.memory import Since, event_key, trip_key
from conformance.mutants.refusals import refused, refused_raw, without_nulls
from conformance.mutants.rules import CART_RULES, SCAN_RULES, Rules
from conformance.mutants.small_entry import AUTHORIZATION, DETAILS, SCAN, SmallEntry
from conformance.mutants.spoilt import Receive, Scope, Send, read

Reply = tuple[int, bytes]

ITEMS = {"SKU-001", "SKU-002", "012345678905", "SKU-W01"}
VISITORS = {
    "valid_shopper_key": ("shopper-uuid-001", "SHOPPER"),
    "associate_key": ("associate-uuid-001", "ASSOCIATE"),
    "cash_shopper_key": ("cash-uuid-001", "CASH_SHOPPER"),
}
TURNED_AWAY = {
    "refused_key": "opens_for_a_refused_key",
    "expired_key": "opens_for_an_expired_key",
    "used_key": "opens_for_a_used_key",
}
STORES = ("STORE-001", "STORE-002")
LATE_S = 2.5
RESTART = "/restart"
_RACE_S = 0.05
RACES: dict[str, Reply] = {
    "refuses_the_loser_with_409": (409, b""),
    "fails_for_the_loser": (500, b""),
    "answers_the_loser_with_nothing": (201, b'{"purchaseId": ""}'),
}
"""What a cart gets that comes while another of its trip is worked on."""
_NEW_VISITORS = (
    "forgets_the_auth_event",
    "decides_twice_at_once",
    "remembers_by_request_id",
    "remembers_by_body:scan",
    "remembers_32:scan",
    "forgets_after_two_seconds:scan",
    "forgets_at_restart:scan",
    "forgets_by_the_times_in_messages:scan",
)
"""Faults of memory that show only where each decision makes a visitor of its own."""


class SmallConnector:
    """An ASGI app. `fault` is empty for the correct one; see `conformance.mutants.gallery` for the names."""

    def __init__(self, fault: str = "", rate_limit_per_second: int = 0, stores: tuple[str, ...] = STORES) -> None:
        self.fault = fault
        self._stores = set(stores)
        self._entry = SmallEntry(fault, self._stores)
        self._rate_limit = rate_limit_per_second
        self._arrivals: list[float] = []
        self._decisions: dict[str, Reply] = {}
        self._purchases: dict[str, tuple[str, list[Any]]] = {}
        self._entered: set[str] = set()
        self._since = Since()
        self._current: Reply = (200, b"")
        self._current_trip = ""
        self._calls = 0
        self._made = 0
        self._under_way: set[str] = set()

    def is_faulty(self, *faults: str) -> bool:
        """Say whether one of these faults is switched on."""
        return self.fault in faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        body, _ = await read(receive)
        if self.is_faulty("answers_everything_after_2500_ms"):
            await asyncio.sleep(LATE_S)
        status, answer = _error(405, "POST only")
        if scope["method"] == "POST":
            status, answer = await self._route(scope["path"], body)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _route(self, path: str, body: bytes) -> Reply:
        if path == "/v1/identity/identity-keys":
            return await self._scan(body)
        if path == "/v1/order/purchases":
            return _error(429, "too many") if self._is_too_fast() else await self._cart(body)
        if path in {AUTHORIZATION, SCAN, DETAILS}:
            return await self._entry_tier(path, body)
        if path == RESTART:
            self._restart()
            return 200, b""
        return _error(404, "no such path")

    async def _entry_tier(self, path: str, raw: bytes) -> Reply:
        if self._entry.is_late(path):
            await asyncio.sleep(LATE_S)
        try:
            body = without_nulls(json.loads(raw))
        except ValueError:
            body = None
        return self._entry.answer(path, body) if isinstance(body, dict) else _error(400, "no object")

    def _restart(self) -> None:
        """Stands for a restart: what is remembered is on a disk, unless a fault keeps it in memory alone."""
        if self.is_faulty("forgets_at_restart:scan"):
            self._decisions.clear()
        if self.is_faulty("forgets_at_restart:cart"):
            self._purchases.clear()
        self._made -= 1

    async def _scan(self, raw: bytes) -> Reply:
        self._calls += 1
        if self.is_faulty("answers_scans_after_2500_ms") or (
            self.is_faulty("answers_one_scan_in_ten_late") and self._calls % 10 == 0
        ):
            await asyncio.sleep(LATE_S)
        if self._is_too_fast():
            return _error(503 if self.is_faulty("limits_its_rate_with_503") else 429, "too many")
        body, refusal = self._understood(raw, SCAN_RULES)
        if body is None:
            return refusal
        event, key = body["authEvent"].get("id", ""), body.get("identityKey", "")
        remembered_by, now = event_key(self.fault, raw, body), asyncio.get_running_loop().time()
        self._since.forget(self.fault, "scan", self._decisions, now)
        if remembered_by not in self._decisions:
            if self.is_faulty("decides_twice_at_once"):
                await asyncio.sleep(_RACE_S)
            decision = self._decide(key, body)
            if self.is_faulty("forgets_refusals") and decision[0] != 200:  # noqa: PLR2004 - not an entry
                return (200, _visitor("late-guest", "SHOPPER")) if self._seen(event) else decision
            self._decisions[remembered_by] = decision
            self._since.note(remembered_by, "scan", body, now)
            if self.is_faulty("answers_late_after_the_decision"):
                await asyncio.sleep(LATE_S)
        if self.is_faulty("mixes_visitors_up"):
            self._current = self._decisions[remembered_by]
            await asyncio.sleep(0.02)
            return self._current
        return self._decisions[remembered_by]

    def _seen(self, event: str) -> bool:
        seen = event in self._decisions
        self._decisions[event] = (200, b"")
        return seen

    def _decide(self, key: str, body: dict[str, Any]) -> Reply:
        try:
            text = base64.b64decode(key, validate=True).decode()
        except (binascii.Error, ValueError):
            text = ""
        visitor = VISITORS.get(text)
        if visitor is None and self._opens_wrongly(text):
            visitor = ("somebody", "SHOPPER")
        if self.is_faulty("opens_each_event_once_a_shopper") and text in self._entered:
            visitor = None
        self._entered.add(text)
        if visitor is None or (self.is_faulty("refuses_without_key_channel") and "keyChannel" not in body):
            return _error(403 if self.is_faulty("refuses_with_403") else 401, "not known")
        name, kind = visitor
        if self.is_faulty(*_NEW_VISITORS):
            name = str(uuid.uuid4())
        return 200, _bent_visitor(self.fault, name, kind)

    def _opens_wrongly(self, text: str) -> bool:
        if text in TURNED_AWAY:
            return self.fault == TURNED_AWAY[text]
        return self.is_faulty("opens_for_an_unknown_key")

    async def _cart(self, raw: bytes) -> Reply:
        if self.is_faulty("answers_carts_after_2500_ms"):
            await asyncio.sleep(LATE_S)
        body, refusal = self._understood(raw, CART_RULES)
        if body is None:
            return refusal
        items = [line.get("id") for line in body.get("cartItems", [])]
        if self.is_faulty("refuses_unknown_items") and not ITEMS.issuperset(items):
            return _error(400, "no such item")
        visit = body.get("shoppingTrip", {})
        if self.is_faulty("wants_a_visit_to_last") and visit.get("startTime") == visit.get("endTime"):
            return _error(400, "no visit")
        if race := await self._lost(body.get("idempotentShoppingTripId", "")):
            return race
        trip, known = await self._purchase(raw, body, items)
        purchase_id, first_items = self._purchases[trip]
        is_changed = self.is_faulty("refuses_a_changed_cart") and first_items != body.get("cartItems")
        if known and (is_changed or self.is_faulty("answers_duplicates_with_409")):
            return _error(409, "already made")
        status = 200 if self.is_faulty("answers_purchases_with_200") else 201
        if known and self.is_faulty("answers_duplicates_with_200"):
            status = 200
        return status, _bent_purchase(self.fault, purchase_id)

    async def _lost(self, trip: str) -> Reply | None:
        """Give a cart that comes while another of its trip is worked on what a fault of races has for it."""
        if self.fault not in RACES or trip in self._purchases:
            return None
        if trip in self._under_way:
            return RACES[self.fault]
        self._under_way.add(trip)
        await asyncio.sleep(_RACE_S)
        return None

    async def _purchase(self, raw: bytes, body: dict[str, Any], items: list[Any]) -> tuple[str, bool]:
        """Make the purchase of a trip unless there is one; return its key, and whether there was one."""
        trip, now = trip_key(self.fault, raw, body), asyncio.get_running_loop().time()
        self._since.forget(self.fault, "cart", self._purchases, now)
        known = trip in self._purchases
        if not known:
            if self.is_faulty("buys_twice_at_once"):
                await asyncio.sleep(_RACE_S)
            self._purchases[trip] = (self._purchase_id(items), body.get("cartItems", []))
            self._since.note(trip, "cart", body, now)
        if self.is_faulty("mixes_trips_up"):
            self._current_trip = trip
            await asyncio.sleep(0.02)
            trip = self._current_trip
        if self.is_faulty("forgets_on_an_empty_cart") and not items:
            self._purchases = {trip: self._purchases[trip]}
        if self.is_faulty("answers_late_after_the_purchase_is_made") and not known:
            await asyncio.sleep(LATE_S)
        return trip, known

    def _purchase_id(self, items: list[Any]) -> str:
        if not items:
            empties = len(self._purchases)
            faulty = self.is_faulty("makes_a_purchase_of_nothing") or (
                self.is_faulty("forgets_empty_trips") and empties % 2 == 1
            )
            return str(uuid.uuid4()) if faulty else ""
        self._made += 1
        if self.is_faulty("gives_an_id_again_after_a_restart"):
            return f"purchase-{self._made}"
        if self.is_faulty("parks_with_no_purchase_id") and not ITEMS.issuperset(items):
            return ""
        return str(uuid.uuid4())

    def _understood(self, raw: bytes, rules: Rules) -> tuple[dict[str, Any] | None, Reply]:
        """Return the body, or None and the refusal."""
        try:
            body = json.loads(raw)
        except ValueError:
            return None, _error(500 if self.is_faulty(f"fails_on_malformed_json:{rules.name}") else 400, "no JSON")
        if not isinstance(body, dict):
            return None, _error(500 if self.is_faulty(f"fails_on_a_list:{rules.name}") else 400, "no object")
        if self.is_faulty(f"refuses_unknown_members:{rules.name}") and "xFutureAttribute" in json.dumps(body):
            return None, _error(400, "unknown member")
        original, body = body, without_nulls(body)
        for rule in rules.broken_by(body, self._stores):
            if self.fault != rule:
                self._remember_refusal(body)
                return None, _error(422 if self.is_faulty(f"refuses_with_422:{rules.name}") else 400, rule)
        if refused(self.fault, original) or refused_raw(self.fault, raw):
            return None, _error(400, "refused though it is right")
        return body, (200, b"")

    def _remember_refusal(self, body: dict[str, Any]) -> None:
        event = body.get("authEvent")
        if self.is_faulty("remembers_invalid_scans") and isinstance(event, dict) and event.get("id"):
            self._decisions[event["id"]] = _error(400, "remembered")
        if self.is_faulty("remembers_invalid_carts") and body.get("idempotentShoppingTripId"):
            self._purchases[body["idempotentShoppingTripId"]] = ("", [])

    def _is_too_fast(self) -> bool:
        if not self._rate_limit or self.is_faulty("never_limits_its_rate"):
            return False
        now = asyncio.get_running_loop().time()
        self._arrivals = [at for at in self._arrivals if at > now - 1] + [now]
        return len(self._arrivals) > self._rate_limit


def _bent_visitor(fault: str, name: str, kind: str) -> bytes:
    bent = {
        "calls_everybody_a_shopper": _visitor(name, "SHOPPER"),
        "calls_everybody_an_associate": _visitor(name, "ASSOCIATE"),
        "names_no_visitor_type": json.dumps({"visitorDetails": {"id": name}}).encode(),
        "names_no_visitor": json.dumps({"visitorDetails": {"id": "", "type": kind}}).encode(),
        "answers_flat": json.dumps({"id": name, "type": kind}).encode(),
        "answers_malformed_json": b'{"visitorDetails": {"id": ',
        "says_cash_for_cash_shopper": _visitor(name, "CASH" if kind == "CASH_SHOPPER" else kind),
        "names_visitors_at_length": _visitor(name * 300, kind),
        "names_visitors_by_number": json.dumps({"visitorDetails": {"id": 4711, "type": kind}}).encode(),
        "writes_the_type_small": _visitor(name, kind.lower()),
        "answers_in_xml": b"<visitor/>",
        "answers_a_list": b"[]",
        "answers_nothing": b"",
    }
    return bent.get(fault, _visitor(name, kind))


def _bent_purchase(fault: str, purchase_id: str) -> bytes:
    bent: dict[str, object] = {
        "calls_it_order_id": {"orderId": purchase_id},
        "counts_its_purchases": {"purchaseId": 17 if purchase_id else ""},
        "leaves_the_purchase_id_empty": {"purchaseId": ""},
        "answers_an_empty_cart_with_null": {"purchaseId": purchase_id or None},
        "wraps_the_purchase": {"purchase": {"purchaseId": purchase_id}},
        "writes_the_purchase_id_small": {"purchaseid": purchase_id},
        "makes_ids_of_300_characters": {"purchaseId": purchase_id and purchase_id * 9},
    }
    return json.dumps(bent.get(fault, {"purchaseId": purchase_id})).encode()


def _visitor(name: str, kind: str) -> bytes:
    return json.dumps({"visitorDetails": {"id": name, "type": kind}}).encode()


def _error(status: int, text: str) -> Reply:
    return status, json.dumps({"errorMsg": text}).encode()
