"""Sets of carts that differ from a valid one in one respect: nearly valid ones to refuse, unusual ones to accept.

Features name the sets, and findings show the labels of their variants.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from conformance.core_drafts import SAMPLE_SKUS, Builder
from conformance.drafts import Draft
from conformance.errors import NotDeclared
from conformance.forms import SAMPLE_UPC, places
from conformance.requests import Requests
from conformance.variants import Variant
from jwo_contract.values import format_instant
from jwo_toolkit.json_types import Json
from jwo_toolkit.patterns import matches

CartVariants = Callable[[Requests], Iterator[Variant]]
_REMOVED = object()
_EVENT, _RESULT = "shoppingTrip.authEvents[0]", "shoppingTrip.authEvents[0].scanResult"
_ITEM, _QUANTITY = "cartItems[0]", "cartItems[0].quantity.value"
_IDENTIFIERS = "cartItems[0].externalIdentifiers"
_START, _END = "shoppingTrip.startTime", "shoppingTrip.endTime"
_TEXT_PATHS = (
    *(f"{_ITEM}.id", f"{_ITEM}.lineItemId", f"{_IDENTIFIERS}[0].id"),
    *(f"{_RESULT}.id", "shopperIdentity.id", "shopperDeviceId"),
)
"""The texts of a cart that may have 255 characters of any kind."""
_BROKEN_EVENTS: Mapping[str, tuple[str, object]] = {
    "without id": ("id", _REMOVED),
    "with an id of no valid form": ("id", "not a valid id!"),
    "with an id of 256 characters": ("id", "a" * 256),
    "without payloadType": ("payloadType", _REMOVED),
    "with the location ROOFTOP": ("location", "ROOFTOP"),
    "with the scanResult.type WIZARD": ("scanResult", {"id": "shopper-001", "type": "WIZARD"}),
    "with a scanResult.id of 256 characters": ("scanResult", {"id": "a" * 256, "type": "SHOPPER"}),
}
_BROKEN_LINES: Mapping[str, tuple[str, object]] = {
    "without id": ("id", _REMOVED),
    "with an id of 256 characters": ("id", "a" * 256),
    "without type": ("type", _REMOVED),
    "with the type MYSTERY": ("type", "MYSTERY"),
    "without quantity": ("quantity", _REMOVED),
    "without quantity.value": ("quantity.value", _REMOVED),
    "without quantity.unit": ("quantity.unit", _REMOVED),
    "with a quantity.value of 11 characters": ("quantity.value", "1.000000000"),
    "with a lineItemId of 256 characters": ("lineItemId", "a" * 256),
}


# nearly valid carts, which must be refused


def _no_uuids(requests: Requests) -> Iterator[Variant]:
    fresh = str(uuid.uuid4())
    texts = [f"{fresh[:-1]}g", fresh[:-1], f"{fresh}0", f"the cart {fresh} of a trip", f"{fresh}-{fresh}"]
    return _with(requests, {"requestId": texts})


def _uuid_notations(requests: Requests) -> Iterator[Variant]:
    fresh = str(uuid.uuid4())
    digits = fresh.replace("-", "")
    regrouped = "-".join((digits[:7], digits[7:12], digits[12:16], digits[16:20], digits[20:]))
    texts = [digits, f"{{{fresh}}}", f"urn:uuid:{fresh}", f"{fresh}\n", f" {fresh}", f"{fresh} ", regrouped,
             f"{fresh[:-1]}٣"]  # fmt: skip
    return _with(requests, {"requestId": texts})


def _no_times(requests: Requests) -> Iterator[Variant]:
    year = requests.now().year - 1
    forms = ("-13-01T10:00:00Z", "-03-32T10:00:00Z", "-03-22T29:00:00Z", "-03-22T10:75:00Z", "-03-22T10:00:00Z or so")
    return _with(requests, {_START: [f"{year}{form}" for form in forms]})


def _unchecked_times(requests: Requests) -> Iterator[Variant]:
    """Break the times other than startTime, which only a house rule checks."""
    year = requests.now().year + 1
    texts = ["some time later", f"{year}-13-01T10:00:00Z", f"{year}-02-30T10:00:00Z"]
    yield from _with(requests, {_END: texts, f"{_EVENT}.timestamp": texts})
    yield _broken_event(requests, 2, 1, "timestamp", "yesterday", "with a timestamp of words")


def _time_notations(requests: Requests) -> Iterator[Variant]:
    """Write times in ways that leave the instant open, or that other formats have."""
    start = requests.now() - timedelta(days=1)
    forms = {
        "without a zone": start.strftime("%Y-%m-%dT%H:%M:%S"),
        "with a blank for T": start.strftime("%Y-%m-%d %H:%M:%SZ"),
        "as a date": start.strftime("%Y-%m-%d"),
        "as seconds since 1970": str(int(start.timestamp())),
        "with a line end": f"{format_instant(start)}\n",
        "with an offset of 25 hours": start.strftime("%Y-%m-%dT%H:%M:%S+25:00"),
        "of 30 February": f"{start.year - 1}-02-30T10:00:00Z",
    }
    for label, text in forms.items():
        yield Variant(f"{_START} {label}", requests.build.cart().with_value(_START, text))
    for label, form in {"without a zone": "%Y-%m-%dT%H:%M:%S", "as a date": "%Y-%m-%d"}.items():
        later = (requests.now() + timedelta(days=1)).strftime(form)
        yield Variant(f"{_END} {label}", requests.build.cart().with_value(_END, later))


def _nearly_values(requests: Requests) -> Iterator[Variant]:
    """Write parts of values, and values with more than they have."""
    yield from _with_enums(requests, {
        f"{_EVENT}.payloadType": ["SCAN", "FINANCIAL-X"],
        f"{_EVENT}.location": ["ENTRYWAY", "E"],
        f"{_ITEM}.type": ["SKU-X", "KU"],
        f"{_RESULT}.type": ["SHOPPERS", "ASS"],
        f"{_IDENTIFIERS}[0].type": ["UPCX", "UP"],
    })  # fmt: skip


def _value_spellings(requests: Requests) -> Iterator[Variant]:
    """Write values in other cases, with blanks and with other separators."""
    yield from _with_enums(requests, {
        f"{_EVENT}.payloadType": ["scan_code", "Financial", "SCAN-CODE"],
        f"{_EVENT}.location": ["entry", " ENTRY", "MANUAL-IN-STORE"],
        f"{_ITEM}.type": ["sku", "SKU ", "SKU\n", _wide("SKU")],
        f"{_RESULT}.type": ["Shopper"],
        f"{_IDENTIFIERS}[0].type": ["upc"],
    })  # fmt: skip


def _quantity_notations(requests: Requests) -> Iterator[Variant]:
    texts = ["1.", "+1", "1 ", " 1", "1\n", "0x1", "1_0", "\u0661", "1e0", "-0", "1/2", "1 unit", "Infinity"]
    return _with(requests, {_QUANTITY: texts})


def _long_quantities(requests: Requests) -> Iterator[Variant]:
    return _with(requests, {_QUANTITY: ["00000000001", "1.0000000000", "12345678901"]})


def _long_texts(requests: Requests) -> Iterator[Variant]:
    """Write texts that are too long only with their blanks, or by one character of another alphabet."""
    for path in _TEXT_PATHS:
        yield Variant(
            f"{path} of 250 letters and 50 blanks",
            _with_text(requests.build.cart(), path, "a" * 250 + " " * 50, requests),
        )
    for path in _TEXT_PATHS[::5]:
        yield Variant(
            f"{path} of 256 letters of another alphabet", _with_text(requests.build.cart(), path, "ж" * 256, requests)
        )


def _almost_json(requests: Requests) -> Iterator[Variant]:
    """Write texts that some parsers read as JSON."""
    changes: dict[str, Callable[[str], str]] = {
        "a comma after the last member": lambda text: f"{text[:-1]},}}",
        "text after it": lambda text: f"{text} and more",
        "a comment before it": lambda text: f"/* a cart */ {text}",
        "single quotes": lambda text: text.replace('"', "'"),
        "a name without quotes": lambda text: text.replace('"requestId"', "requestId", 1),
        "a raw line end in a text": lambda text: f'{{"xFutureAttribute": "a\nb", {text[1:]}',
        "no last brace": lambda text: text[:-1],
        "brackets around it": lambda text: f"[{text}]",
        "quotes around it": json.dumps,
    }
    for label, change in changes.items():
        own = requests.build.cart()
        yield Variant(f"a body with {label}", own, change(own.encoded().decode()).encode())


def _other_shapes(requests: Requests) -> Iterator[Variant]:
    """Put an object where a list is due, a list where an object is due, and null where a value is due."""
    own = requests.build.cart()
    line, event = own.value(_ITEM), own.value(_EVENT)
    yield from _with(requests, {
        "cartItems": [line, {"0": line}, [None, line]],
        "shoppingTrip.authEvents": [event, [None, event]],
        "shoppingTrip": [[own.value("shoppingTrip")]],
        f"{_ITEM}.quantity": [[own.value(f"{_ITEM}.quantity")]],
        _RESULT: [[{"id": "shopper-001", "type": "SHOPPER"}]],
        f"{_ITEM}.quantity.unit": [None],
        f"{_EVENT}.payloadType": [None],
        _IDENTIFIERS: [{"id": SAMPLE_UPC, "type": "UPC"}],
    }, shown=False)  # fmt: skip


def _broken_events(requests: Requests) -> Iterator[Variant]:
    """Break one authEvent among others, wherever it is."""
    pattern = requests.profile.house.ordering.auth_event_id_pattern
    for label, (member, value) in _BROKEN_EVENTS.items():
        if member == "id" and isinstance(value, str) and len(value) <= 255 and matches(pattern, value):  # noqa: PLR2004 - the limit
            continue  # the house allows it
        yield _broken_event(requests, 2, 1, member, value, label)
    yield _broken_event(requests, 2, 0, "payloadType", _REMOVED, "without payloadType")
    yield _broken_event(requests, 5, 3, "payloadType", "CASH", "with the payloadType CASH")
    yield _broken_event(requests, 12, 11, "id", _REMOVED, "without id")
    staffed = requests.build.cart().with_value(f"{_EVENT}.location", "MANUAL_IN_STORE")
    yield Variant("the staffed entry without payloadType", staffed.without(f"{_EVENT}.payloadType"))
    card = requests.build.cart().with_value(f"{_EVENT}.payloadType", "FINANCIAL")
    yield Variant(
        "the entry by card with the scanResult.type WIZARD",
        card.with_value(_RESULT, {"id": "shopper-001", "type": "WIZARD"}),
    )


def _foreign_event_ids(requests: Requests) -> Iterator[Variant]:
    """Write an authEvent id in letters or digits of another alphabet. Raises NotDeclared if the house allows them."""
    pattern = requests.profile.house.ordering.auth_event_id_pattern
    ids = [
        each
        for each in ("entrée-0001", "ñandú_1", "入口1", "entry-\uff11", "entry-\u0661")
        if not matches(pattern, each)
    ]
    if not ids:
        raise NotDeclared(f"[house.ordering] auth_event_id_pattern {pattern!r} allows letters of every alphabet")
    return _with(requests, {f"{_EVENT}.id": ids})


def _broken_event(requests: Requests, count: int, index: int, member: str, value: object, label: str) -> Variant:
    path = f"shoppingTrip.authEvents[{index}].{member}"
    return Variant(f"authEvent {index + 1} of {count} {label}", _changed(group(requests, count), path, value))


def _broken_lines(requests: Requests) -> Iterator[Variant]:
    """Break one line among others, wherever it is."""
    for label, (member, value) in _BROKEN_LINES.items():
        yield _broken_line(requests, 2, 1, member, value, label)
    yield _broken_line(requests, 2, 0, "quantity", _REMOVED, "without quantity")
    yield _broken_line(requests, 60, 50, "quantity.unit", _REMOVED, "without quantity.unit")
    yield _broken_line(requests, 120, 119, "type", "MYSTERY", "with the type MYSTERY")
    first = requests.build.line()
    same = requests.build.cart([first, requests.build.line()])
    yield Variant("a second line of the same SKU without quantity.unit", same.without("cartItems[1].quantity.unit"))
    scanned = requests.build.cart([first, requests.build.line(SAMPLE_UPC, kind="SCANCODE")])
    yield Variant("a scanned line without quantity", scanned.without("cartItems[1].quantity"))


def _broken_line(requests: Requests, count: int, index: int, member: str, value: object, label: str) -> Variant:
    path = f"cartItems[{index}].{member}"
    return Variant(f"line {index + 1} of {count} {label}", _changed(lines(requests, count), path, value))


def _broken_identifiers(requests: Requests) -> Iterator[Variant]:
    good, bad = {"id": SAMPLE_UPC, "type": "UPC"}, {"id": SAMPLE_UPC, "type": "MYSTERY"}
    long = {"id": "1" * 256, "type": "UPC"}
    lists: dict[str, list[Json]] = {
        "the second of 2 with the type MYSTERY": [good, bad],
        "the first of 2 with the type MYSTERY": [bad, good],
        "the third of 3 with an id of 256 characters": [good, good, long],
        "one of the type MYSTERY, without an id": [{"type": "MYSTERY"}],
    }
    for label, value in lists.items():
        yield Variant(f"external identifiers: {label}", requests.build.cart().with_value(_IDENTIFIERS, value))
    second = lines(requests, 2).with_value("cartItems[1].externalIdentifiers", [bad])
    yield Variant("external identifiers: one of the second line with the type MYSTERY", second)


def _repeated_line_ids(requests: Requests) -> Iterator[Variant]:
    """Repeat a lineItemId in lines that are not neighbours, and in lines of different items."""
    for ids in (["a", "b", "a"], ["a", "b", "b"], ["a", "a", "b"], ["a", *map(str, range(28)), "a"]):
        shown = ", ".join(ids) if len(ids) < 5 else f"one in the first and in the last of {len(ids)} lines"  # noqa: PLR2004 - fits a line
        yield Variant(f"lineItemIds {shown}", _with_line_ids(lines(requests, len(ids)), ids))
    one_item = requests.build.cart([requests.build.line() for _ in range(2)])
    yield Variant("one lineItemId for two lines of one item", _with_line_ids(one_item, ["a", "a"]))


def _broken_empty_carts(requests: Requests) -> Iterator[Variant]:
    """Break the other members of a cart without lines."""
    for path in (_END, "requestId", f"{_EVENT}.payloadType", "idempotentShoppingTripId"):
        yield Variant(f"an empty cart without {path}", requests.build.cart([]).without(path))
    values = {"requestId": "not-a-uuid!", "shopperDeviceId": "a" * 256}
    for path, value in values.items():
        yield Variant(f"an empty cart with a wrong {path}", requests.build.cart([]).with_value(path, value))
    backwards = format_instant(requests.now() - timedelta(days=1))
    yield Variant("an empty cart that ends before its start", requests.build.cart([]).with_value(_END, backwards))


def _other_stores(requests: Requests) -> Iterator[Variant]:
    """Write the id of the store in ways that only a tolerant comparison accepts."""
    store = requests.profile.store
    texts = [store.id.swapcase(), f" {store.id}", f"{store.id} ", f"{store.id}-X", "%", "*",
             store.id.translate(str.maketrans("-_", "_-")), f"{store.id}\u0000x", _wide(store.id)]  # fmt: skip
    known = {store.id, store.other_id, ""}
    return _with(requests, {"storeId": [text for text in dict.fromkeys(texts) if text not in known]})


def _backward_instants(requests: Requests) -> Iterator[Variant]:
    """Write visits that end before they begin, and look in order as texts."""
    day = _yesterday(requests)
    times = {
        "an hour to the east": ("T17:00:00Z", "T17:30:00+01:00"),
        "five and a half hours to the west": ("T17:00:00-05:30", "T22:00:00Z"),
        "both with offsets": ("T10:00:00-08:00", "T11:00:00+09:00"),
    }
    return _visits(requests, {label: (f"{day}{start}", f"{day}{end}") for label, (start, end) in times.items()})


def _backward_fractions(requests: Requests) -> Iterator[Variant]:
    day = _yesterday(requests)
    times = {
        "tenths": ("T17:00:00.9Z", "T17:00:00.1Z"),
        "tenths and hundredths": ("T17:00:00.9Z", "T17:00:00.10Z"),
        "a fraction and none": ("T17:00:00.5Z", "T17:00:00Z"),
    }
    return _visits(requests, {label: (f"{day}{start}", f"{day}{end}") for label, (start, end) in times.items()})


# unusual carts, which are valid


def _other_alphabets(requests: Requests) -> Iterator[Variant]:
    """Write texts of 255 characters that have more than 255 bytes, or more than 255 units of UTF-16."""
    for label, letter in {"letters of 3 bytes": "牛", "emoji": "🛒"}.items():
        for paths in (_TEXT_PATHS[1:3], _TEXT_PATHS[3:]):
            own = requests.build.cart()
            for path in paths:
                own = _with_text(own, path, letter * 255, requests)
            yield Variant(f"{', '.join(paths)} of 255 {label}", own)


def _item_ids(requests: Requests) -> Iterator[Variant]:
    build = requests.build
    pairs = (
        ('O\'Brien "7"', "50%-OFF"),
        ("牛乳", "🛒-1"),
        (" A B ", "a\\b/../c"),
        ("007", "9" * 25),
        ("<b>&${x}", "null"),
        ("牛" * 255, "🛒" * 255),
    )
    for pair in pairs:
        own = build.cart([build.line(item) for item in pair])
        yield Variant(f"cartItems[].id {' and '.join(map(_shown, pair))}", own)
    codes = ("7", "1" * 40, "ABC-1")
    own = build.cart([build.line(code, kind="SCANCODE") for code in codes])
    yield Variant(f"scanned codes {', '.join(map(_shown, codes))}", own)
    identifiers = [{"id": each, "type": "UPC"} for each in ("ABC-1", "12345678901", "1234567890123")]
    yield Variant("identifiers of unusual forms", build.cart().with_value(_IDENTIFIERS, identifiers))


def _control_characters(requests: Requests) -> Iterator[Variant]:
    for path in (f"{_ITEM}.id", "shopperDeviceId"):
        yield Variant(f"{path} with NUL", requests.build.cart().with_value(path, "SKU\u0000X"))
    own = requests.build.cart().with_value(f"{_ITEM}.id", "SKU-HALF")
    yield Variant("half of a surrogate pair", own, own.encoded().replace(b"SKU-HALF", b"SKU-\\ud83d"))
    yield Variant("control characters", requests.build.cart().with_value(f"{_ITEM}.id", "\u0007\u001b[0m\u007f"))


def _extreme_quantities(requests: Requests) -> Iterator[Variant]:
    return _with(requests, {_QUANTITY: ["0", "0.00", "9999999999", "0.12345678", "0000000001"]})


def _mixed_carts(requests: Requests) -> Iterator[Variant]:
    build, catalog = requests.build, requests.profile.catalog
    yield Variant("two lines of one SKU", build.cart([build.line(), build.line(value="3.0")]))
    if catalog.scancodes:
        both = [build.line(), build.line(build.scancode(), kind="SCANCODE")]
        yield Variant("a SKU and a scanned code", build.cart(both))
        yield Variant("a scanned code and a SKU", build.cart(both[::-1]))
    if catalog.weighted_skus:
        weighed = build.weighed_line("0.455")
        yield Variant("a line by unit and a line by weight", build.cart([build.line(), weighed]))


def _mixed_groups(requests: Requests) -> Iterator[Variant]:
    """Send groups in which only some events have an optional member, or that entered in different ways."""
    yield Variant("one with a card, one with the app", with_card(group(requests, 2)))
    for index in (0, 1):
        for member in ("timestamp", "location"):
            path = f"shoppingTrip.authEvents[{index}].{member}"
            pair = group(requests, 2)
            if places(pair, path):
                yield Variant(f"authEvent {index + 1} of 2 without {member}", pair.without(path))
    second = group(requests, 2).with_value("shoppingTrip.authEvents[0].scanResult", _result(requests))
    path = "shoppingTrip.authEvents[1].scanResult"
    yield Variant("authEvent 2 of 2 without scanResult", second.without(path) if places(second, path) else second)


def _large_groups(requests: Requests) -> Iterator[Variant]:
    yield Variant("12 authEvents", group(requests, 12))
    pair = group(requests, 2)
    first = pair.value(f"{_EVENT}.id")
    yield Variant("two authEvents with one id", pair.with_value("shoppingTrip.authEvents[1].id", first))


def _trips(requests: Requests) -> Iterator[Variant]:
    """Send visits that are long, and visits over the turn of a day, a month and a year."""
    now = requests.now().replace(microsecond=0)
    today, month = now.replace(hour=0, minute=0, second=0), now.replace(day=1, hour=0, minute=0, second=0)
    ten, year = timedelta(minutes=10), now.year - 1
    times = {
        "of five hours": (now - timedelta(hours=5), now),
        "of thirteen hours": (now - timedelta(hours=13), now),
        "over midnight": (today - ten, min(today + ten, now)),
        "over the end of a month": (month - ten, min(month + ten, now)),
        "over the end of a year": (datetime(year, 12, 31, 23, 50, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)),
        "on a leap day": (datetime(2024, 2, 29, 17, tzinfo=UTC), datetime(2024, 2, 29, 17, 9, 39, tzinfo=UTC)),
    }
    texts = {label: (format_instant(start), format_instant(end)) for label, (start, end) in times.items()}
    return _visits(requests, texts)


def _line_ids_alike(requests: Requests) -> Iterator[Variant]:
    ids = ["a", "A", "a ", "á", "1", "01", "1.0"]
    yield Variant(f"lineItemIds {json.dumps(ids)}", _with_line_ids(lines(requests, len(ids)), ids))


def _forward_instants(requests: Requests) -> Iterator[Variant]:
    """Write visits that look backwards as texts."""
    day = _yesterday(requests)
    times = {
        "an hour to the east": ("T17:30:00+01:00", "T17:00:00Z"),
        "five and a half hours to the west": ("T22:00:00Z", "T17:00:00-05:30"),
        "one instant with two offsets": ("T17:00:00+02:00", "T15:00:00Z"),
        "hundredths and tenths": ("T17:00:00.10Z", "T17:00:00.9Z"),
        "a fraction and the next second": ("T17:00:00.95Z", "T17:00:01Z"),
        "no fraction and a fraction": ("T17:00:00Z", "T17:00:00.5Z"),
        "nanoseconds": ("T17:00:00.123456789Z", "T17:09:39.000000001Z"),
    }
    return _visits(requests, {label: (f"{day}{start}", f"{day}{end}") for label, (start, end) in times.items()})


CART_SETS: dict[str, CartVariants] = {
    "requestId that is no UUID": _no_uuids,
    "requestId in another notation": _uuid_notations,
    "startTime that no calendar has": _no_times,
    "endTime or timestamp that is no time": _unchecked_times,
    "time in another notation": _time_notations,
    "value that is only similar": _nearly_values,
    "value in another spelling": _value_spellings,
    "quantity in another notation": _quantity_notations,
    "quantity that is too long": _long_quantities,
    "text that is too long": _long_texts,
    "body that is almost JSON": _almost_json,
    "list, object or null in place of another value": _other_shapes,
    "authEvent id in another alphabet": _foreign_event_ids,
    "authEvent broken in turn": _broken_events,
    "line broken in turn": _broken_lines,
    "identifier broken in turn": _broken_identifiers,
    "lineItemId that is repeated": _repeated_line_ids,
    "empty cart with a broken rest": _broken_empty_carts,
    "store id that is only similar": _other_stores,
    "visit that only looks in order": _backward_instants,
    "visit that ends a part of a second too early": _backward_fractions,
    "text of 255 characters of any alphabet": _other_alphabets,
    "item id of an unusual form": _item_ids,
    "text with control characters": _control_characters,
    "quantity at the limits": _extreme_quantities,
    "mixture of lines": _mixed_carts,
    "mixture of people": _mixed_groups,
    "large group": _large_groups,
    "length of a visit": _trips,
    "set of lineItemIds that look alike": _line_ids_alike,
    "visit that only looks backwards": _forward_instants,
}


# parts of carts


def group(requests: Requests, count: int) -> Draft:
    """Return the cart of a trip of several people."""
    events = [requests.build.auth_event() for _ in range(count)]
    return requests.build.cart().with_value("shoppingTrip.authEvents", events)


def with_card(draft: Draft) -> Draft:
    """Return a cart of a trip in which the first person entered with a card."""
    return draft.with_value(f"{_EVENT}.payloadType", "FINANCIAL")


def lines(requests: Requests, count: int) -> Draft:
    """Return a cart of some lines, of two declared SKUs in turn where there are two."""
    skus = requests.profile.catalog.skus or SAMPLE_SKUS
    build: Builder = requests.build
    return build.cart([build.line(skus[index % min(2, len(skus))]) for index in range(count)])


def _result(requests: Requests) -> Json:
    return {"id": requests.accepted.shopper_id or "shopper-001", "type": "SHOPPER"}


def _changed(draft: Draft, path: str, value: object) -> Draft:
    return draft.without(path) if value is _REMOVED else draft.with_value(path, value)


def _with(requests: Requests, values: Mapping[str, Sequence[Json]], *, shown: bool = True) -> Iterator[Variant]:
    """Yield a cart for each value of a path; `shown` says whether the label has the value or its number."""
    for path, choices in values.items():
        for number, value in enumerate(choices, 1):
            label = _shown(value) if shown else f"of wrong shape {number}"
            yield Variant(f"{path} {label}", requests.build.cart().with_value(path, value))


def _with_enums(requests: Requests, values: Mapping[str, Sequence[str]]) -> Iterator[Variant]:
    """Yield a cart for each value of a path, unless the house lists it."""
    rules = requests.profile.house.ordering
    listed = {*rules.locations, *rules.scan_types, *rules.identifier_types}
    for path, choices in values.items():
        for value in choices:
            if value not in listed:
                yield Variant(f"{path} {_shown(value)}", _with_text(requests.build.cart(), path, value, requests))


def _with_text(draft: Draft, path: str, text: str, requests: Requests) -> Draft:
    """Return a cart with a text, in a complete scan result or external identifier where the text is in one."""
    if path.startswith(_RESULT):
        draft = draft.with_value(_RESULT, _result(requests))
    if path.startswith(_IDENTIFIERS):
        draft = draft.with_value(_IDENTIFIERS, [{"id": SAMPLE_UPC, "type": "UPC"}])
    return draft.with_value(path, text)


def _with_line_ids(draft: Draft, ids: Sequence[str]) -> Draft:
    for index, line_id in enumerate(ids):
        draft = draft.with_value(f"cartItems[{index}].lineItemId", line_id)
    return draft


def _visits(requests: Requests, times: Mapping[str, tuple[str, str]]) -> Iterator[Variant]:
    for label, (start, end) in times.items():
        visit = requests.build.cart().with_value(_START, start).with_value(_END, end)
        if places(visit, f"{_EVENT}.timestamp"):
            visit = visit.with_value(f"{_EVENT}.timestamp", start)
        yield Variant(f"a visit {label}: {start} to {end}", visit)


def _yesterday(requests: Requests) -> str:
    return (requests.now() - timedelta(days=1)).strftime("%Y-%m-%d")


def _wide(text: str) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


def _shown(value: Any) -> str:  # noqa: ANN401 - any JSON
    text = json.dumps(value)
    return text if len(text) <= 60 else f"of {len(value)} characters"  # noqa: PLR2004 - fits a line
