"""Kinds of carts that are repeated, trips with similar ids, and changes of a cart that is sent again."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from conformance.cart_parts import group, lines, with_card
from conformance.drafts import Draft
from conformance.forms import minimal
from conformance.requests import Requests
from conformance.variants import Variant
from jwo_contract.values import format_instant

_TRIP, _EVENT = "idempotentShoppingTripId", "shoppingTrip.authEvents[0]"
EMPTY = "an empty cart"
_UNKNOWN_SKU, _UNKNOWN_CODE = "an item that is in no catalog", "a scanned code that is in no catalog"
_LONG, _FOREIGN = "a trip id of 255 characters", "a trip id of another alphabet"
HOUSE_KINDS = (_UNKNOWN_SKU, _UNKNOWN_CODE, _LONG, _FOREIGN)
"""The kinds that only house rules accept."""


def kinds_of_carts(requests: Requests) -> Iterator[Variant]:
    """Yield one cart of each kind that the profile declares, with its kind as the label."""
    build, catalog = requests.build, requests.profile.catalog
    cash = requests.profile.house.ordering.cash_type
    yield Variant("a usual cart", build.cart())
    yield Variant(EMPTY, build.cart([]))
    yield Variant("two people", group(requests, 2))
    yield Variant("an entry by card", with_card(build.cart()))
    yield Variant("a staffed entry", build.cart().with_value(f"{_EVENT}.location", "MANUAL_IN_STORE"))
    for kind in ("ASSOCIATE", cash, "LOYALTY"):
        visitor = {"id": f"{kind.lower()}-001", "type": kind}
        yield Variant(f"a visitor of type {kind}", build.cart().with_value(f"{_EVENT}.scanResult", visitor))
    yield Variant("nothing optional", minimal(build.cart()))
    known = build.cart().with_value("shopperDeviceId", "device-001")
    yield Variant("a shopper with a device", known.with_value("shopperIdentity", {"id": "shopper-001"}))
    yield Variant("40 lines", lines(requests, 40))
    if catalog.weighted_skus:
        yield Variant("an item by weight", build.cart([build.weighed_line("0.75")]))
    if catalog.scancodes:
        yield Variant("a scanned code", build.cart([build.line(build.scancode(), kind="SCANCODE")]))
    if requests.profile.store.other_id:
        yield Variant("the other store", build.cart().with_value("storeId", requests.profile.store.other_id))
    tail = uuid.uuid4().hex
    yield Variant(_UNKNOWN_SKU, build.cart([build.line("NO-SUCH-SKU")]))
    yield Variant(_UNKNOWN_CODE, build.cart([build.line("999999999993", kind="SCANCODE")]))
    yield Variant(_LONG, build.cart().with_value(_TRIP, f"{'t' * (255 - len(tail))}{tail}"))
    yield Variant(_FOREIGN, build.cart().with_value(_TRIP, f"поездка-牛-🛒-{tail}"))


def uuids_alike(requests: Requests) -> Iterator[Variant]:
    """Yield trips with UUIDs that are equal in a part, and trips with a UUID that another member had before."""
    digits = uuid.uuid4().hex
    swapped = next((at for at in range(30, 0, -1) if digits[at] != digits[at + 1]), 0)
    ids = {
        "some UUID": digits,
        "all of its digits but the last": digits[:-1] + ("0" if digits[-1] != "0" else "1"),
        "all of its digits but the first": ("0" if digits[0] != "0" else "1") + digits[1:],
        "two digits swapped": digits[:swapped] + digits[swapped + 1] + digits[swapped] + digits[swapped + 2 :],
        "its groups in another order": digits[:8] + digits[12:16] + digits[8:12] + digits[16:],
    }
    first = requests.build.cart()
    for label, trip in ids.items():
        written = str(uuid.UUID(trip))
        own = first if label == "some UUID" else requests.build.cart()
        yield Variant(f"a trip with {label}", own.with_value(_TRIP, written))
    again = requests.build.cart().with_value("requestId", first.body["requestId"])
    yield Variant("a trip with a requestId that another trip had", again)
    event = first.value(f"{_EVENT}.id")
    yield Variant("a trip with the id of an earlier authEvent", requests.build.cart().with_value(_TRIP, event))
    own_id = requests.build.cart()
    yield Variant("a trip with its requestId as its id", own_id.with_value(_TRIP, own_id.body["requestId"]))


def texts_alike(requests: Requests) -> Iterator[Variant]:
    """Yield trips with different texts as ids, which are equal to a program that compares too little of them."""
    unique, number = uuid.uuid4().hex, str(uuid.uuid4().int)[:9]
    tails = ["x", "X", " x", "x ", "x\u200b", "\uff58", "é", "e\u0301", "e", "ß", "ss", "ж", "ш", "🛒", "🛍",
             "-x", "%20x", "+x", "x#1", "x.1", "Aa", "BB", "/1"]  # fmt: skip
    ids = [f"trip {unique}{tail}" for tail in tails]
    ids += [f"another {unique}/1", f"9{number}000", f"9{number}e3"]
    for trip in ids:
        shown = trip.replace(unique, "…").replace(number, "…")
        yield Variant(
            f"the trip {shown.encode('unicode_escape').decode()}", requests.build.cart().with_value(_TRIP, trip)
        )


def texts_cut_at_a_nul(requests: Requests) -> list[Variant]:
    """Return trips with ids that are equal up to a NUL, which a database may refuse."""
    unique = uuid.uuid4().hex
    tails = {"a": "\0a", "b": "\0b", "nothing": ""}
    return [
        Variant(f"the trip …\\x00{name}" if tail else "the trip … without a NUL",
                requests.build.cart().with_value(_TRIP, f"trip {unique}{tail}"))
        for name, tail in tails.items()
    ]  # fmt: skip


def cart_to_change(requests: Requests) -> Draft:
    """Return a cart with every member that a change needs."""
    return lines(requests, 2).with_value("shopperDeviceId", "device-001")


def changes(requests: Requests) -> Mapping[str, Callable[[Draft], Draft]]:
    """Return the changes of a cart that is sent again, by their labels."""
    other_store = requests.profile.store.other_id
    found: dict[str, Callable[[Draft], Draft]] = {
        "another authEvent.id": lambda draft: draft.with_value(f"{_EVENT}.id", str(uuid.uuid4())),
        "one more authEvent": lambda draft: draft.with_value(
            "shoppingTrip.authEvents", [*draft.value("shoppingTrip.authEvents"), requests.build.auth_event()]
        ),
        "another startTime": lambda draft: _moved(draft, "shoppingTrip.startTime", -1),
        "another endTime": lambda draft: _moved(draft, "shoppingTrip.endTime", 1),
        "its lines in another order": lambda draft: draft.with_value("cartItems", draft.body["cartItems"][::-1]),
        "one line less": lambda draft: draft.with_value("cartItems", draft.body["cartItems"][:1]),
        "no line": lambda draft: draft.with_value("cartItems", []),
        "another shopper": lambda draft: draft.with_value(f"{_EVENT}.scanResult", {"id": "another", "type": "SHOPPER"}),
        "another device": lambda draft: draft.with_value("shopperDeviceId", "device-002"),
        "no device": lambda draft: draft.without("shopperDeviceId"),
        "an unknown member": lambda draft: draft.with_value("xFutureAttribute", {"any": 1}),
    }
    if other_store:
        found["another store"] = lambda draft: draft.with_value("storeId", other_store)
    return found


def _moved(draft: Draft, path: str, seconds: int) -> Draft:
    return draft.with_value(
        path, format_instant(datetime.fromisoformat(draft.value(path)) + timedelta(seconds=seconds))
    )
