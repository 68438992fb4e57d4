"""Reads the messages of the two queues: events of the event feed, and notifications about intra-day files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from jwo_contract.errors import MalformedBody
from jwo_contract.messages import parse_object
from reference_connector.errors import MessageUnreadable
from reference_connector.feeds.facts import charge_of, given_texts, instant_of, text_of
from reference_connector.store.books import FeedRecord, RecordKind

FAMILIES = ("Ordering", "Payment", "Shopper")
"""The families of the event feed, the `detail-type` of an event."""
_Members = Mapping[str, Any]


class ObjectName(NamedTuple):
    """The place of a file in S3."""

    bucket: str
    key: str


def read_event(body: str) -> FeedRecord | None:
    """Read an event; return None if it is not about an order or its money.

    Raises MessageUnreadable if it is not an event of the feed.
    """
    event = _object(body)
    family = event.get("detail-type")
    if family not in FAMILIES:
        raise MessageUnreadable(f"detail-type must be one of {', '.join(FAMILIES)}, not {str(family)[:40]!r}")
    detail = event.get("detail")
    if not isinstance(detail, dict):
        raise MessageUnreadable("the event has no detail")
    what = text_of(detail, "event")
    if what not in _EVENTS:
        return None
    kind, name_of, facts_of = _EVENTS[what]
    trip_id, store_id = text_of(detail, "shoppingTripId"), text_of(detail, "storeId")
    name = f"{trip_id}:{kind}{name_of(detail)}"
    return FeedRecord("event", name, trip_id, store_id, kind, instant_of(event, "time"), facts_of(detail))


def read_notification(body: str) -> list[ObjectName]:
    """Read a notification about files, from SNS or from S3 itself; return the files that it announces.

    A test message of S3 announces no file. Raises MessageUnreadable if the message is not such a notification.
    """
    event = _object(body)
    if "Type" in event:
        if event["Type"] != "Notification":
            raise MessageUnreadable(
                f"the message is a {str(event['Type'])[:40]!r}; confirm the subscription at its SubscribeURL"
            )
        event = _object(text_of_any_length(event, "Message"))
    if event.get("Event") == "s3:TestEvent":
        return []
    records = event.get("Records")
    if not isinstance(records, list) or not records:
        raise MessageUnreadable("the message is not an event of S3: it has no Records")
    return [_object_name(record) for record in records if _is_new_object(record)]


def text_of_any_length(given: _Members, name: str) -> str:
    """Return a text. Raises MessageUnreadable if it is absent."""
    value = given.get(name)
    if not isinstance(value, str):
        raise MessageUnreadable(f"the message has no text {name}")
    return value


def _is_new_object(record: object) -> bool:
    name = record.get("eventName") if isinstance(record, dict) else None
    if not isinstance(name, str):
        raise MessageUnreadable("a record of the event has no eventName")
    return name.removeprefix("s3:").startswith("ObjectCreated:")


def _object_name(record: _Members) -> ObjectName:
    try:
        bucket, key = record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]
        return ObjectName(
            text_of({"bucket": bucket}, "bucket"), text_of({"key": unquote_plus(text_of({"key": key}, "key"))}, "key")
        )
    except (KeyError, TypeError) as error:
        raise MessageUnreadable("a record of the event does not name a bucket and a key") from error


def _object(body: str) -> dict[str, Any]:
    try:
        return parse_object(body.encode())
    except (MalformedBody, UnicodeEncodeError) as error:
        raise MessageUnreadable(f"the message is not a JSON object: {error}") from error


def _delivered(detail: _Members) -> dict[str, str]:
    return given_texts(detail, "purchaseId")


def _checked_out(detail: _Members) -> dict[str, str]:
    return {"orderId": text_of(detail, "orderId")}


def _charged(detail: _Members) -> dict[str, str]:
    amount = detail.get("amount")
    money = amount if isinstance(amount, dict) else {}
    return charge_of(detail.get("operation"), money.get("amount"), money.get("code"))


def _no_name(_detail: _Members) -> str:
    return ""


def _operation(detail: _Members) -> str:
    """Return what distinguishes a charge of a trip from its other ones, as the `recordId` of the files does."""
    return f":{text_of(detail, 'refundRequestId' if detail.get('refundRequestId') else 'operation')}"


_Event = tuple[RecordKind, Callable[[_Members], str], Callable[[_Members], dict[str, str]]]
_EVENTS: dict[str, _Event] = {
    "ORDER_DELIVERED": ("order", _no_name, _delivered),
    "ORDER_CHECKED_OUT": ("checkout", _no_name, _checked_out),
    "CHARGE_CAPTURED": ("charge", _operation, _charged),
    "CHARGE_CANCELLED": ("charge", _operation, _charged),
    "CHARGE_REFUNDED": ("charge", _operation, _charged),
}
