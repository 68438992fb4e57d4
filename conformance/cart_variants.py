"""Sets of carts that differ from a valid one in one respect: nearly valid ones to refuse, unusual ones to accept.

Features name the sets, and findings show the labels of their variants.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from conformance.cart_parts import (
    END,
    EVENT,
    IDENTIFIERS,
    ITEM,
    QUANTITY,
    REMOVED,
    RESULT,
    START,
    TEXT_PATHS,
    changed,
    group,
    lines,
    visits,
    wide,
    with_enums,
    with_line_ids,
    with_text,
    with_values,
    yesterday,
)
from conformance.errors import NotDeclared
from conformance.forms import SAMPLE_UPC
from conformance.requests import Requests
from conformance.unusual_carts import UNUSUAL_CARTS
from conformance.variants import Variant
from jwo_contract.values import format_instant
from jwo_toolkit.json_types import Json
from jwo_toolkit.patterns import matches

CartVariants = Callable[[Requests], Iterator[Variant]]
_BROKEN_EVENTS: Mapping[str, tuple[str, object]] = {
    "without id": ("id", REMOVED),
    "with an id of no valid form": ("id", "not a valid id!"),
    "with an id of 256 characters": ("id", "a" * 256),
    "without payloadType": ("payloadType", REMOVED),
    "with the location ROOFTOP": ("location", "ROOFTOP"),
    "with the scanResult.type WIZARD": ("scanResult", {"id": "shopper-001", "type": "WIZARD"}),
    "with a scanResult.id of 256 characters": ("scanResult", {"id": "a" * 256, "type": "SHOPPER"}),
}
_BROKEN_LINES: Mapping[str, tuple[str, object]] = {
    "without id": ("id", REMOVED),
    "with an id of 256 characters": ("id", "a" * 256),
    "without type": ("type", REMOVED),
    "with the type MYSTERY": ("type", "MYSTERY"),
    "without quantity": ("quantity", REMOVED),
    "without quantity.value": ("quantity.value", REMOVED),
    "without quantity.unit": ("quantity.unit", REMOVED),
    "with a quantity.value of 11 characters": ("quantity.value", "1.000000000"),
    "with a lineItemId of 256 characters": ("lineItemId", "a" * 256),
}


def _no_uuids(requests: Requests) -> Iterator[Variant]:
    fresh = str(uuid.uuid4())
    texts = [f"{fresh[:-1]}g", fresh[:-1], f"{fresh}0", f"the cart {fresh} of a trip", f"{fresh}-{fresh}"]
    return with_values(requests, {"requestId": texts})


def _uuid_notations(requests: Requests) -> Iterator[Variant]:
    fresh = str(uuid.uuid4())
    digits = fresh.replace("-", "")
    regrouped = "-".join((digits[:7], digits[7:12], digits[12:16], digits[16:20], digits[20:]))
    texts = [digits, f"{{{fresh}}}", f"urn:uuid:{fresh}", f"{fresh}\n", f" {fresh}", f"{fresh} ", regrouped,
             f"{fresh[:-1]}٣"]  # fmt: skip
    return with_values(requests, {"requestId": texts})


def _no_times(requests: Requests) -> Iterator[Variant]:
    year = requests.now().year - 1
    forms = ("-13-01T10:00:00Z", "-03-32T10:00:00Z", "-03-22T29:00:00Z", "-03-22T10:75:00Z", "-03-22T10:00:00Z or so")
    return with_values(requests, {START: [f"{year}{form}" for form in forms]})


def _unchecked_times(requests: Requests) -> Iterator[Variant]:
    """Break the times other than startTime, which only a house rule checks."""
    year = requests.now().year + 1
    texts = ["some time later", f"{year}-13-01T10:00:00Z", f"{year}-02-30T10:00:00Z"]
    yield from with_values(requests, {END: texts, f"{EVENT}.timestamp": texts})
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
        yield Variant(f"{START} {label}", requests.build.cart().with_value(START, text))
    for label, form in {"without a zone": "%Y-%m-%dT%H:%M:%S", "as a date": "%Y-%m-%d"}.items():
        later = (requests.now() + timedelta(days=1)).strftime(form)
        yield Variant(f"{END} {label}", requests.build.cart().with_value(END, later))


def _nearly_values(requests: Requests) -> Iterator[Variant]:
    """Write parts of values, and values with more than they have."""
    yield from with_enums(requests, {
        f"{EVENT}.payloadType": ["SCAN", "FINANCIAL-X"],
        f"{EVENT}.location": ["ENTRYWAY", "E"],
        f"{ITEM}.type": ["SKU-X", "KU"],
        f"{RESULT}.type": ["SHOPPERS", "ASS"],
        f"{IDENTIFIERS}[0].type": ["UPCX", "UP"],
    })  # fmt: skip


def _value_spellings(requests: Requests) -> Iterator[Variant]:
    """Write values in other cases, with blanks and with other separators."""
    yield from with_enums(requests, {
        f"{EVENT}.payloadType": ["scan_code", "Financial", "SCAN-CODE"],
        f"{EVENT}.location": ["entry", " ENTRY", "MANUAL-IN-STORE"],
        f"{ITEM}.type": ["sku", "SKU ", "SKU\n", wide("SKU")],
        f"{RESULT}.type": ["Shopper"],
        f"{IDENTIFIERS}[0].type": ["upc"],
    })  # fmt: skip


def _quantity_notations(requests: Requests) -> Iterator[Variant]:
    texts = ["1.", "+1", "1 ", " 1", "1\n", "0x1", "1_0", "\u0661", "1e0", "-0", "1/2", "1 unit", "Infinity"]
    return with_values(requests, {QUANTITY: texts})


def _long_quantities(requests: Requests) -> Iterator[Variant]:
    return with_values(requests, {QUANTITY: ["00000000001", "1.0000000000", "12345678901"]})


def _long_texts(requests: Requests) -> Iterator[Variant]:
    """Write texts that are too long only with their blanks, or by one character of another alphabet."""
    for path in TEXT_PATHS:
        yield Variant(
            f"{path} of 250 letters and 50 blanks",
            with_text(requests.build.cart(), path, "a" * 250 + " " * 50, requests),
        )
    for path in TEXT_PATHS[::5]:
        yield Variant(
            f"{path} of 256 letters of another alphabet", with_text(requests.build.cart(), path, "ж" * 256, requests)
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
    line, event = own.value(ITEM), own.value(EVENT)
    yield from with_values(requests, {
        "cartItems": [line, {"0": line}, [None, line]],
        "shoppingTrip.authEvents": [event, [None, event]],
        "shoppingTrip": [[own.value("shoppingTrip")]],
        f"{ITEM}.quantity": [[own.value(f"{ITEM}.quantity")]],
        RESULT: [[{"id": "shopper-001", "type": "SHOPPER"}]],
        f"{ITEM}.quantity.unit": [None],
        f"{EVENT}.payloadType": [None],
        IDENTIFIERS: [{"id": SAMPLE_UPC, "type": "UPC"}],
    }, shown=False)  # fmt: skip


def _broken_events(requests: Requests) -> Iterator[Variant]:
    """Break one authEvent among others, wherever it is."""
    pattern = requests.profile.house.ordering.auth_event_id_pattern
    for label, (member, value) in _BROKEN_EVENTS.items():
        if member == "id" and isinstance(value, str) and len(value) <= 255 and matches(pattern, value):  # noqa: PLR2004 - the limit
            continue  # the house allows it
        yield _broken_event(requests, 2, 1, member, value, label)
    yield _broken_event(requests, 2, 0, "payloadType", REMOVED, "without payloadType")
    yield _broken_event(requests, 5, 3, "payloadType", "CASH", "with the payloadType CASH")
    yield _broken_event(requests, 12, 11, "id", REMOVED, "without id")
    staffed = requests.build.cart().with_value(f"{EVENT}.location", "MANUAL_IN_STORE")
    yield Variant("the staffed entry without payloadType", staffed.without(f"{EVENT}.payloadType"))
    card = requests.build.cart().with_value(f"{EVENT}.payloadType", "FINANCIAL")
    yield Variant(
        "the entry by card with the scanResult.type WIZARD",
        card.with_value(RESULT, {"id": "shopper-001", "type": "WIZARD"}),
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
    return with_values(requests, {f"{EVENT}.id": ids})


def _broken_event(requests: Requests, count: int, index: int, member: str, value: object, label: str) -> Variant:
    path = f"shoppingTrip.authEvents[{index}].{member}"
    return Variant(f"authEvent {index + 1} of {count} {label}", changed(group(requests, count), path, value))


def _broken_lines(requests: Requests) -> Iterator[Variant]:
    """Break one line among others, wherever it is."""
    for label, (member, value) in _BROKEN_LINES.items():
        yield _broken_line(requests, 2, 1, member, value, label)
    yield _broken_line(requests, 2, 0, "quantity", REMOVED, "without quantity")
    yield _broken_line(requests, 60, 50, "quantity.unit", REMOVED, "without quantity.unit")
    yield _broken_line(requests, 120, 119, "type", "MYSTERY", "with the type MYSTERY")
    first = requests.build.line()
    same = requests.build.cart([first, requests.build.line()])
    yield Variant("a second line of the same SKU without quantity.unit", same.without("cartItems[1].quantity.unit"))
    scanned = requests.build.cart([first, requests.build.line(SAMPLE_UPC, kind="SCANCODE")])
    yield Variant("a scanned line without quantity", scanned.without("cartItems[1].quantity"))


def _broken_line(requests: Requests, count: int, index: int, member: str, value: object, label: str) -> Variant:
    path = f"cartItems[{index}].{member}"
    return Variant(f"line {index + 1} of {count} {label}", changed(lines(requests, count), path, value))


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
        yield Variant(f"external identifiers: {label}", requests.build.cart().with_value(IDENTIFIERS, value))
    second = lines(requests, 2).with_value("cartItems[1].externalIdentifiers", [bad])
    yield Variant("external identifiers: one of the second line with the type MYSTERY", second)


def _repeated_line_ids(requests: Requests) -> Iterator[Variant]:
    """Repeat a lineItemId in lines that are not neighbours, and in lines of different items."""
    for ids in (["a", "b", "a"], ["a", "b", "b"], ["a", "a", "b"], ["a", *map(str, range(28)), "a"]):
        shown = ", ".join(ids) if len(ids) < 5 else f"one in the first and in the last of {len(ids)} lines"  # noqa: PLR2004 - fits a line
        yield Variant(f"lineItemIds {shown}", with_line_ids(lines(requests, len(ids)), ids))
    one_item = requests.build.cart([requests.build.line() for _ in range(2)])
    yield Variant("one lineItemId for two lines of one item", with_line_ids(one_item, ["a", "a"]))


def _broken_empty_carts(requests: Requests) -> Iterator[Variant]:
    """Break the other members of a cart without lines."""
    for path in (END, "requestId", f"{EVENT}.payloadType", "idempotentShoppingTripId"):
        yield Variant(f"an empty cart without {path}", requests.build.cart([]).without(path))
    values = {"requestId": "not-a-uuid!", "shopperDeviceId": "a" * 256}
    for path, value in values.items():
        yield Variant(f"an empty cart with a wrong {path}", requests.build.cart([]).with_value(path, value))
    backwards = format_instant(requests.now() - timedelta(days=1))
    yield Variant("an empty cart that ends before its start", requests.build.cart([]).with_value(END, backwards))


def _other_stores(requests: Requests) -> Iterator[Variant]:
    """Write the id of the store in ways that only a tolerant comparison accepts."""
    store = requests.profile.store
    texts = [store.id.swapcase(), f" {store.id}", f"{store.id} ", f"{store.id}-X", "%", "*",
             store.id.translate(str.maketrans("-_", "_-")), f"{store.id}\u0000x", wide(store.id)]  # fmt: skip
    known = {store.id, store.other_id, ""}
    return with_values(requests, {"storeId": [text for text in dict.fromkeys(texts) if text not in known]})


def _backward_instants(requests: Requests) -> Iterator[Variant]:
    """Write visits that end before they begin, and look in order as texts."""
    day = yesterday(requests)
    times = {
        "an hour to the east": ("T17:00:00Z", "T17:30:00+01:00"),
        "five and a half hours to the west": ("T17:00:00-05:30", "T22:00:00Z"),
        "both with offsets": ("T10:00:00-08:00", "T11:00:00+09:00"),
    }
    return visits(requests, {label: (f"{day}{start}", f"{day}{end}") for label, (start, end) in times.items()})


def _backward_fractions(requests: Requests) -> Iterator[Variant]:
    day = yesterday(requests)
    times = {
        "tenths": ("T17:00:00.9Z", "T17:00:00.1Z"),
        "tenths and hundredths": ("T17:00:00.9Z", "T17:00:00.10Z"),
        "a fraction and none": ("T17:00:00.5Z", "T17:00:00Z"),
    }
    return visits(requests, {label: (f"{day}{start}", f"{day}{end}") for label, (start, end) in times.items()})


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
    **UNUSUAL_CARTS,
}
