"""Sets of unusual carts, which are valid: a connector accepts them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from conformance.cart_parts import (
    EVENT,
    IDENTIFIERS,
    ITEM,
    QUANTITY,
    TEXT_PATHS,
    group,
    lines,
    scan_result,
    shown_value,
    visits,
    with_card,
    with_line_ids,
    with_text,
    with_values,
    yesterday,
)
from conformance.forms import places
from conformance.requests import Requests
from conformance.variants import Variant
from jwo_contract.values import format_instant


def _other_alphabets(requests: Requests) -> Iterator[Variant]:
    """Write texts of 255 characters that have more than 255 bytes, or more than 255 units of UTF-16."""
    for label, letter in {"letters of 3 bytes": "牛", "emoji": "🛒"}.items():
        for paths in (TEXT_PATHS[1:3], TEXT_PATHS[3:]):
            own = requests.build.cart()
            for path in paths:
                own = with_text(own, path, letter * 255, requests)
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
        yield Variant(f"cartItems[].id {' and '.join(map(shown_value, pair))}", own)
    codes = ("7", "1" * 40, "ABC-1")
    own = build.cart([build.line(code, kind="SCANCODE") for code in codes])
    yield Variant(f"scanned codes {', '.join(map(shown_value, codes))}", own)
    identifiers = [{"id": each, "type": "UPC"} for each in ("ABC-1", "12345678901", "1234567890123")]
    yield Variant("identifiers of unusual forms", build.cart().with_value(IDENTIFIERS, identifiers))


def _control_characters(requests: Requests) -> Iterator[Variant]:
    for path in (f"{ITEM}.id", "shopperDeviceId"):
        yield Variant(f"{path} with NUL", requests.build.cart().with_value(path, "SKU\u0000X"))
    own = requests.build.cart().with_value(f"{ITEM}.id", "SKU-HALF")
    yield Variant("half of a surrogate pair", own, own.encoded().replace(b"SKU-HALF", b"SKU-\\ud83d"))
    yield Variant("control characters", requests.build.cart().with_value(f"{ITEM}.id", "\u0007\u001b[0m\u007f"))


def _extreme_quantities(requests: Requests) -> Iterator[Variant]:
    return with_values(requests, {QUANTITY: ["0", "0.00", "9999999999", "0.12345678", "0000000001"]})


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
    second = group(requests, 2).with_value("shoppingTrip.authEvents[0].scanResult", scan_result(requests))
    path = "shoppingTrip.authEvents[1].scanResult"
    yield Variant("authEvent 2 of 2 without scanResult", second.without(path) if places(second, path) else second)


def _large_groups(requests: Requests) -> Iterator[Variant]:
    yield Variant("12 authEvents", group(requests, 12))
    pair = group(requests, 2)
    first = pair.value(f"{EVENT}.id")
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
    return visits(requests, texts)


def _line_ids_alike(requests: Requests) -> Iterator[Variant]:
    ids = ["a", "A", "a ", "á", "1", "01", "1.0"]
    yield Variant(f"lineItemIds {json.dumps(ids)}", with_line_ids(lines(requests, len(ids)), ids))


def _forward_instants(requests: Requests) -> Iterator[Variant]:
    """Write visits that look backwards as texts."""
    day = yesterday(requests)
    times = {
        "an hour to the east": ("T17:30:00+01:00", "T17:00:00Z"),
        "five and a half hours to the west": ("T22:00:00Z", "T17:00:00-05:30"),
        "one instant with two offsets": ("T17:00:00+02:00", "T15:00:00Z"),
        "hundredths and tenths": ("T17:00:00.10Z", "T17:00:00.9Z"),
        "a fraction and the next second": ("T17:00:00.95Z", "T17:00:01Z"),
        "no fraction and a fraction": ("T17:00:00Z", "T17:00:00.5Z"),
        "nanoseconds": ("T17:00:00.123456789Z", "T17:09:39.000000001Z"),
    }
    return visits(requests, {label: (f"{day}{start}", f"{day}{end}") for label, (start, end) in times.items()})


UNUSUAL_CARTS: dict[str, Callable[[Requests], Iterator[Variant]]] = {
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
