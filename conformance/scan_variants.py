"""Sets of scans that are nearly valid: almost a UUID, a time, Base64 or JSON, or a key or store like the declared one.

Features name the sets, and findings show the labels of their variants.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from conformance.drafts import Draft
from conformance.errors import NotDeclared
from conformance.key_variants import KEY_SETS
from conformance.requests import Requests
from conformance.scan_parts import FULL_WIDTH, SHORTEST_DIVISIBLE, Change, ScanSet, with_changes, with_values
from conformance.variants import Variant, with_own_ids

_ARABIC_DIGITS = {ord("0") + digit: 0x660 + digit for digit in range(10)}
_LONG_KEY = 1004

# UUIDs

_OUTSIDE_EVERY_ID: dict[str, Change] = {
    "in braces": lambda text: f"{{{text}}}",
    "as a URN": lambda text: f"urn:uuid:{text}",
    "with a line end": lambda text: f"{text}\n",
    "with blanks around it": lambda text: f" {text} ",
    "within a longer text": lambda text: f"the id {text}, and more",
    "with digits of another script": lambda text: f"{text[:-2]}\u0663\u0664",
    "in full-width characters": lambda text: text.translate(FULL_WIDTH),
}
"""UUIDs with characters that no published form of an id allows."""
_OTHER_IDS: dict[str, Change] = {
    "without dashes": lambda text: text.replace("-", ""),
    "with underscores": lambda text: text.replace("-", "_"),
    "in other groups": lambda text: _regrouped(text, (7, 5, 4, 4, 12)),
    "with a letter beyond f": lambda text: f"g{text[1:]}",
    "one digit short": lambda text: text[:-1],
    "one digit too long": lambda text: f"{text}0",
    "with more text": lambda text: f"event-{text}",
}
"""UUIDs that are wrong, and that an id of Create Purchases could be."""


def _regrouped(text: str, lengths: tuple[int, ...]) -> str:
    digits = iter(text.replace("-", ""))
    return "-".join("".join(next(digits) for _ in range(length)) for length in lengths)


def _request_ids(base: Draft, _requests: Requests) -> Iterator[Variant]:
    return with_changes(base, "requestId", _OUTSIDE_EVERY_ID | _OTHER_IDS)


def _event_ids(base: Draft, _requests: Requests) -> Iterator[Variant]:
    return with_changes(base, "authEvent.id", _OUTSIDE_EVERY_ID)


def _event_ids_of_carts(base: Draft, _requests: Requests) -> Iterator[Variant]:
    return with_changes(base, "authEvent.id", _OTHER_IDS)


# times

_NO_TIMES: dict[str, Change] = {
    "as a date alone": lambda text: text[:10],
    "as a time alone": lambda text: text[11:],
    "on 30 February": lambda text: f"{text[:5]}02-30{text[10:]}",
    "on 31 April": lambda text: f"{text[:5]}04-31{text[10:]}",
    "in month 13": lambda text: f"{text[:5]}13-01{text[10:]}",
    "at hour 25": lambda text: f"{text[:11]}25{text[13:]}",
    "at minute 60": lambda text: f"{text[:14]}60{text[16:]}",
    "as seconds since 1970": lambda text: str(int(datetime.fromisoformat(text).timestamp())),
    "as milliseconds since 1970": lambda text: str(int(datetime.fromisoformat(text).timestamp()) * 1000),
    "with more text": lambda text: f"{text} and more",
}
_OTHER_TIMES: dict[str, Change] = {
    "without a zone": lambda text: text.removesuffix("Z"),
    "with a zone's name": lambda text: text.replace("Z", " UTC"),
    "with a blank for the T": lambda text: text.replace("T", " "),
    "with an offset of 25 hours": lambda text: text.replace("Z", "+25:00"),
    "with a line end": lambda text: f"{text}\n",
    "with blanks around it": lambda text: f" {text} ",
    "with digits of another script": lambda text: text.translate(_ARABIC_DIGITS),
}
_TIMES_OF_LIBRARIES: dict[str, Change] = {
    "without seconds": lambda text: f"{text[:16]}Z",
    "with an offset of 75 minutes": lambda text: text.replace("Z", "+01:75"),
    "as a week date": lambda text: f"{datetime.fromisoformat(text):%G-W%V-%u}{text[10:]}",
    "without dashes and colons": lambda text: text.replace("-", "").replace(":", ""),
}


def _no_times(base: Draft, _requests: Requests) -> Iterator[Variant]:
    return with_changes(base, "authEvent.timestamp", _NO_TIMES)


def _other_times(base: Draft, _requests: Requests) -> Iterator[Variant]:
    return with_changes(base, "authEvent.timestamp", _OTHER_TIMES)


# Base64

_URL_SAFE = base64.urlsafe_b64encode(b"\xfb\xef\xbe" * 3 + b"\xff\xfe\xff").decode()
_PADDED = base64.b64encode(b"nobody-1").decode()


def _no_base64(base: Draft, _requests: Requests) -> Iterator[Variant]:
    """Break the declared key in a way that no kind of Base64 allows."""
    return with_changes(_with_long_key(base), "identityKey", {
        "with padding inside": lambda key: f"{key[:6]}={key[7:]}",
        "with one character left over": lambda key: f"{key[:-4]}A",
        "with three padding characters": lambda key: f"{key[:-4]}A===",
        "with characters between": lambda key: f"{key[:4]}!?*#{key[4:]}",
        "with letters of another script": lambda key: f"{key[:4]}\u0416\u0416\u0416\u0416{key[4:]}",
        "written as in an address": lambda key: f"{key[:-4]}YQ%3D%3D",
    })  # fmt: skip


def _other_base64(base: Draft, _requests: Requests) -> Iterator[Variant]:
    """Write the declared key in a kind of Base64 that lenient readers know."""
    return with_changes(_with_long_key(base), "identityKey", {
        "with a blank inside": lambda key: f"{key[:4]} {key[4:]}",
        "with blanks around it": lambda key: f" {key} ",
        "with a line end": lambda key: f"{key}\n",
        "in lines": lambda key: f"{key[:4]}\r\n{key[4:]}",
        "without padding": lambda key: (key if key.endswith("=") else _PADDED).rstrip("="),
        "of padding alone": lambda _key: "====",
        "with a whole group of padding": lambda key: f"{key}====",
        "in the URL-safe alphabet": lambda _key: _URL_SAFE,
        "as a data address": lambda key: f"data:;base64,{key}",
    })  # fmt: skip


def _with_long_key(base: Draft) -> Draft:
    """Return a scan with a key that has several groups of Base64."""
    key: str = base.value("identityKey")
    return base if len(key) > SHORTEST_DIVISIBLE else base.with_value("identityKey", _PADDED)


def _long_key(base: Draft, requests: Requests) -> Iterator[Variant]:
    if requests.profile.house.identity.key_max >= _LONG_KEY:
        raise NotDeclared("[house.identity] key_max says that the limit holds for the decoded key")
    return with_values(base, "identityKey", {"of 1004 characters": base64.b64encode(b"k" * 753).decode()})


# closed lists


def _unlisted(base: Draft, requests: Requests, changes: Mapping[str, Change]) -> Iterator[Variant]:
    """Change the first value of each closed list, where the result is not another value of the list."""
    identity = requests.profile.house.identity
    for path, listed in (("authEvent.location", identity.locations), ("keyChannel", identity.key_channels)):
        values = {label: change(listed[0]) for label, change in changes.items()}
        yield from with_values(base, path, {label: value for label, value in values.items() if value not in listed})


def _near_values(base: Draft, requests: Requests) -> Iterator[Variant]:
    return _unlisted(base, requests, {
        "without its end": lambda value: value[:-1],
        "by its first letter": lambda value: value[:1],
        "with more text": lambda value: f"{value}_2",
        "with a dash inside": lambda value: f"{value[:2]}-{value[2:]}",
        "twice": lambda value: f"{value},{value}",
    })  # fmt: skip


def _other_writings(base: Draft, requests: Requests) -> Iterator[Variant]:
    yield from _unlisted(base, requests, {
        "in small letters": str.lower,
        "with a capital": str.capitalize,
        "with blanks around it": lambda value: f" {value} ",
        "with a line end": lambda value: f"{value}\n",
        "in full-width letters": lambda value: value.translate(FULL_WIDTH),
    })  # fmt: skip
    yield from with_values(base, "keyChannel", {"empty": ""})


# JSON

_NO_JSON: dict[str, Change] = {
    "a comma at its end": lambda text: f"{text[:-1]},}}",
    "text after it": lambda text: f"{text} and more",
    "another object after it": lambda text: f"{text}{{}}",
    "a comment before it": lambda text: f"/* a scan */ {text}",
    "a comment at its end": lambda text: f"{text} // a scan",
    "None as a value": lambda text: _with_member(text, "None"),
    "a number with a leading zero": lambda text: _with_member(text, "007"),
    "a line end inside a text": lambda text: _with_member(text, '"a\nb"'),
    "single quotes": lambda text: text.replace('"', "'"),
    "names without quotes": lambda text: re.sub(r'"(\w+)": ', r"\1: ", text),
    "a list around it": lambda text: f"[{text}]",
    "quotes around it": json.dumps,
}


def _with_member(text: str, value: str) -> str:
    return f'{text[:-1]}, "xFutureAttribute": {value}}}'


def _no_json(base: Draft, _requests: Requests) -> Iterator[Variant]:
    """Break the JSON of a scan; a list or a text is JSON, but not the object that a body must be."""
    for label, change in _NO_JSON.items():
        own = with_own_ids(base)
        yield Variant(f"JSON with {label}", own, change(own.encoded().decode()).encode())


def _byte_order_mark(_base: Draft, requests: Requests) -> Iterator[Variant]:
    own = requests.understood_scan()
    yield Variant("JSON with a byte order mark", own, own.encoded().decode().encode("utf-8-sig"))


def _forms_of_libraries(base: Draft, requests: Requests) -> Iterator[Variant]:
    """Write a scan in forms that standard libraries read and that the platform never sends."""
    if not requests.profile.house.suite.exact_readers:
        raise NotDeclared("[house.suite] exact_readers is false: a connector may read what its libraries read")
    yield from with_changes(base, "authEvent.timestamp", _TIMES_OF_LIBRARIES)
    yield from with_changes(_with_long_key(base), "identityKey", {"with too much padding": lambda key: f"{key}="})
    own = with_own_ids(base)
    yield Variant("JSON with NaN as a value", own, _with_member(own.encoded().decode(), "NaN").encode())
    own = with_own_ids(base)
    no_utf8 = _with_member(own.encoded().decode(), '"?"').encode().replace(b'"?"', b'"\xff"')
    yield Variant("JSON with a byte that is no UTF-8", own, no_utf8)
    own = with_own_ids(base)
    yield Variant("JSON in UTF-16", own, own.encoded().decode().encode("utf-16"))


def _in_lists(base: Draft, _requests: Requests) -> Iterator[Variant]:
    """Put each valid member into a list of its own."""
    paths = ("requestId", "identityKey", "storeId", "authEvent", "authEvent.id", "authEvent.timestamp",
             "authEvent.location")  # fmt: skip
    for path in (*paths, "keyChannel") if "keyChannel" in base.body else paths:
        own = with_own_ids(base)
        yield Variant(f"{path} in a list", own.with_value(path, [own.value(path)]))


def _old_events(_base: Draft, requests: Requests) -> Iterator[Variant]:
    """Send the times of the published samples."""
    for year, time in ((2008, "2008-11-05T06:00:00Z"), (2024, "2024-02-09T17:53:57Z")):
        scan = requests.understood_scan()
        yield Variant(f"authEvent.timestamp of {year}", scan.with_value("authEvent.timestamp", time))


SCAN_SETS: dict[str, ScanSet] = {
    "requestId that is nearly a UUID": _request_ids,
    "authEvent.id that is nearly a UUID": _event_ids,
    "authEvent.id that only a cart may have": _event_ids_of_carts,
    "timestamp of no time": _no_times,
    "timestamp in another form": _other_times,
    "key that is nearly Base64": _no_base64,
    "key in another kind of Base64": _other_base64,
    "key just over the limit": _long_key,
    "value that is nearly in its list": _near_values,
    "value written in another way": _other_writings,
    "body that is nearly JSON": _no_json,
    "body with a byte order mark": _byte_order_mark,
    "form of standard libraries": _forms_of_libraries,
    "member in a list": _in_lists,
    **KEY_SETS,
    "event of long ago": _old_events,
}
