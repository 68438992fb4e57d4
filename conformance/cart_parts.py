"""Parts of the carts that the sets of carts share: paths, groups, lines, and carts with other values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from conformance.core_drafts import SAMPLE_SKUS, Builder
from conformance.drafts import Draft
from conformance.forms import SAMPLE_UPC, places
from conformance.requests import Requests
from conformance.variants import Variant
from jwo_toolkit.json_types import Json

REMOVED = object()
EVENT, RESULT = "shoppingTrip.authEvents[0]", "shoppingTrip.authEvents[0].scanResult"
ITEM, QUANTITY = "cartItems[0]", "cartItems[0].quantity.value"
IDENTIFIERS = "cartItems[0].externalIdentifiers"
START, END = "shoppingTrip.startTime", "shoppingTrip.endTime"
TEXT_PATHS = (
    *(f"{ITEM}.id", f"{ITEM}.lineItemId", f"{IDENTIFIERS}[0].id"),
    *(f"{RESULT}.id", "shopperIdentity.id", "shopperDeviceId"),
)
"""The texts of a cart that may have 255 characters of any kind."""


def group(requests: Requests, count: int) -> Draft:
    """Return the cart of a trip of several people."""
    events = [requests.build.auth_event() for _ in range(count)]
    return requests.build.cart().with_value("shoppingTrip.authEvents", events)


def with_card(draft: Draft) -> Draft:
    """Return a cart of a trip in which the first person entered with a card."""
    return draft.with_value(f"{EVENT}.payloadType", "FINANCIAL")


def lines(requests: Requests, count: int) -> Draft:
    """Return a cart of some lines, of two declared SKUs in turn where there are two."""
    skus = requests.profile.catalog.skus or SAMPLE_SKUS
    build: Builder = requests.build
    return build.cart([build.line(skus[index % min(2, len(skus))]) for index in range(count)])


def scan_result(requests: Requests) -> Json:
    """Return a complete scan result of a shopper."""
    return {"id": requests.accepted.shopper_id or "shopper-001", "type": "SHOPPER"}


def changed(draft: Draft, path: str, value: object) -> Draft:
    """Return a cart with another value at a path, or without the path for REMOVED."""
    return draft.without(path) if value is REMOVED else draft.with_value(path, value)


def with_values(requests: Requests, values: Mapping[str, Sequence[Json]], *, shown: bool = True) -> Iterator[Variant]:
    """Yield a cart for each value of a path; `shown` says whether the label has the value or its number."""
    for path, choices in values.items():
        for number, value in enumerate(choices, 1):
            label = shown_value(value) if shown else f"of wrong shape {number}"
            yield Variant(f"{path} {label}", requests.build.cart().with_value(path, value))


def with_enums(requests: Requests, values: Mapping[str, Sequence[str]]) -> Iterator[Variant]:
    """Yield a cart for each value of a path, unless the house lists it."""
    rules = requests.profile.house.ordering
    listed = {*rules.locations, *rules.scan_types, *rules.identifier_types}
    for path, choices in values.items():
        for value in choices:
            if value not in listed:
                yield Variant(f"{path} {shown_value(value)}", with_text(requests.build.cart(), path, value, requests))


def with_text(draft: Draft, path: str, text: str, requests: Requests) -> Draft:
    """Return a cart with a text, in a complete scan result or external identifier where the text is in one."""
    if path.startswith(RESULT):
        draft = draft.with_value(RESULT, scan_result(requests))
    if path.startswith(IDENTIFIERS):
        draft = draft.with_value(IDENTIFIERS, [{"id": SAMPLE_UPC, "type": "UPC"}])
    return draft.with_value(path, text)


def with_line_ids(draft: Draft, ids: Sequence[str]) -> Draft:
    """Return a cart with these lineItemIds, in the order of its lines."""
    for index, line_id in enumerate(ids):
        draft = draft.with_value(f"cartItems[{index}].lineItemId", line_id)
    return draft


def visits(requests: Requests, times: Mapping[str, tuple[str, str]]) -> Iterator[Variant]:
    """Yield a visit for each label, with its start and its end."""
    for label, (start, end) in times.items():
        visit = requests.build.cart().with_value(START, start).with_value(END, end)
        if places(visit, f"{EVENT}.timestamp"):
            visit = visit.with_value(f"{EVENT}.timestamp", start)
        yield Variant(f"a visit {label}: {start} to {end}", visit)


def yesterday(requests: Requests) -> str:
    """Return the date of the day before, in UTC."""
    return (requests.now() - timedelta(days=1)).strftime("%Y-%m-%d")


def wide(text: str) -> str:
    """Return a text in full-width characters."""
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


def shown_value(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value as JSON for a label, or its number of characters if it is long."""
    text = json.dumps(value)
    return text if len(text) <= 60 else f"of {len(value)} characters"  # noqa: PLR2004 - fits a line
