"""The consumer of feeds deletes nothing before it is on disk, and keeps what it cannot read without blocking others."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
import pytest

from reference_connector.errors import FeedUnavailable, FileRefused, StoreUnavailable
from reference_connector.feeds.__main__ import empty
from reference_connector.feeds.composition import read_files, read_one_event
from reference_connector.feeds.consumer import Consumer
from reference_connector.feeds.messages import ObjectName, read_event, read_notification
from reference_connector.feeds.settings import Feeds
from reference_connector.store.books import DeadLetter
from reference_connector.telemetry import EventLog
from simulator.intraday.announcement import StoredFile, s3_event
from simulator.intraday.rows import to_csv
from tests.reference_connector.payment_bench import NOW, PaymentBench
from tests.reference_connector.test_connector_books import charge_row, order, order_rows


class Letter(NamedTuple):
    body: str
    handle: str
    receives: int = 1


class SmallQueue:
    """A queue in memory: what is not deleted comes again with each call."""

    def __init__(self, *bodies: str) -> None:
        self.messages = {f"handle-{n}": body for n, body in enumerate(bodies)}
        self.receives = 0
        self.pauses: list[tuple[str, int]] = []

    def receive(self) -> list[Letter]:
        self.receives += 1
        return [Letter(body, handle, self.receives) for handle, body in self.messages.items()]

    def delete(self, handles: Sequence[str]) -> None:
        for handle in handles:
            del self.messages[handle]

    def hide(self, handle: str, pause_s: int) -> None:
        self.pauses.append((handle, pause_s))


class SmallBucket:
    """Files by key; an absent one is missing, and an error is raised."""

    def __init__(self, **files: Any) -> None:
        self.files = files

    def __call__(self, name: ObjectName) -> bytes:
        found = self.files.get(name.key)
        if found is None:
            raise FileRefused(f"{name.key} does not exist")
        if isinstance(found, Exception):
            raise found
        return bytes(found)


class Reader:
    """A consumer of files on a bench."""

    def __init__(self, bench: PaymentBench, queue: SmallQueue, bucket: SmallBucket | None = None, **rules: Any) -> None:
        async def of_files(body: str) -> Any:
            assert bucket
            async for reading in read_files(bucket, body):
                yield reading

        self.bench = bench
        self.queue = queue
        self.log = io.StringIO()
        self.consumer = Consumer(
            "files",
            queue,
            of_files if bucket else read_one_event,
            store=bench.store,
            rules=Feeds(**{"retry_s": 0, **rules}),
            clock=lambda: NOW,
            log=EventLog(lambda: NOW, self.log),
        )

    def poll(self) -> int | None:
        return self.bench.run(self.consumer.poll())

    def letters(self) -> list[DeadLetter]:
        return self.bench.run(self.bench.store.transact(lambda records: records.books.letters(9)))


def notice(*keys: str) -> str:
    """The notification about files, as SNS puts it into a queue."""
    events = [s3_event(StoredFile("b", key, 1, "e"), region="r", at=NOW, request_id="i") for key in keys]
    records = [event["Records"][0] for event in events]
    message = orjson.dumps({"Records": records}).decode()
    return orjson.dumps({"Type": "Notification", "Subject": "Amazon S3 Notification", "Message": message}).decode()


def an_event(what: str = "CHARGE_CAPTURED", **detail: Any) -> str:
    given = {"event": what, "shoppingTripId": "trip-1", "storeId": "STORE-001", **detail}
    return orjson.dumps({"time": "2026-02-09T12:00:00Z", "detail-type": "Payment", "detail": given}).decode()


MONEY = {"amount": "12.3", "code": "USD"}
FILE = to_csv([*order_rows("trip-1", "1.0"), charge_row("trip-1", "Capture Charge", "12.30")])
POISON = {
    "no JSON": "{",
    "no event of S3": '{"Records": []}',
    "subscription": '{"Type": "SubscriptionConfirmation", "Message": "m"}',
    "no object": '{"Records": [{"eventName": "ObjectCreated:Put"}]}',
    "lone surrogate": '{"a": "\ud800"}',
    "not a table": notice("picture"),
    "not UTF-8": notice("latin"),
    "bad row": notice("bad-row"),
    "NUL": "{\0",
    "NUL in a row": notice("nul-row"),
    "NUL in a key": notice("a\0"),
    "compressed": notice("gz"),
}


@pytest.mark.parametrize("case", POISON)
def test_poison_is_kept_visibly_and_blocks_no_other_message(bench: PaymentBench, case: str) -> None:
    bad_row = FILE + FILE.splitlines(keepends=True)[1].replace(b"ORDER", b"NOTHING")
    nul_row = FILE + FILE.splitlines(keepends=True)[1].replace(b"trip-1", b"trip-\0")
    of_rows = {"bad-row": bad_row, "nul-row": nul_row, "gz": gzip.compress(FILE)}
    bucket = SmallBucket(good=FILE, picture=b"\x89PNG", latin=b"\xe9", **of_rows)
    reader = Reader(bench, SmallQueue(POISON[case], notice("good"), POISON[case]), bucket)

    assert reader.poll() == 3

    assert not reader.queue.messages
    [letter] = reader.letters()
    assert (letter.queue, letter.times) == ("files", 2)
    assert letter.reason
    assert "\0" not in letter.reason + letter.body  # PostgreSQL stores none
    found = order(bench, "trip-1")
    assert found is not None
    assert found.captured == Decimal("12.30")


def test_missing_file_is_tried_again_and_then_kept(bench: PaymentBench) -> None:
    reader = Reader(bench, SmallQueue(notice("gone", "good")), SmallBucket(good=FILE), attempts_max=2)

    assert reader.poll() is None
    assert order(bench, "trip-1") is not None
    assert (len(reader.queue.messages), reader.letters()) == (1, [])
    assert reader.poll() == 1
    [letter] = reader.letters()
    assert letter.reason == "gone does not exist"


def test_failure_of_s3_keeps_the_message_in_the_queue(bench: PaymentBench) -> None:
    bucket = SmallBucket(later=FeedUnavailable("down"), good=FILE)
    reader = Reader(bench, SmallQueue(notice("later"), notice("good")), bucket, attempts_max=1)

    assert reader.poll() is None
    assert (list(reader.queue.messages), reader.letters()) == (["handle-0"], [])
    bucket.files["later"] = FILE
    assert reader.poll() == 1
    assert not reader.queue.messages


def test_message_that_the_connector_fails_on_is_kept_after_its_attempts(bench: PaymentBench) -> None:
    bucket = SmallBucket(odd=RuntimeError("a bug"), good=FILE)
    reader = Reader(bench, SmallQueue(notice("odd"), notice("good")), bucket, attempts_max=2)

    assert [reader.poll(), reader.poll()] == [None, 1]
    [letter] = reader.letters()
    assert letter.reason == "the connector failed: RuntimeError"


class HidingQueue(SmallQueue):
    """A queue that hides a message for two calls after it was received, as SQS does for a time."""

    def receive(self) -> list[Letter]:
        letters = super().receive()
        return letters if self.receives % 3 == 1 else []


class RepairedQueue(HidingQueue):
    """A queue that repairs a bucket with its second call."""

    bucket: SmallBucket

    def receive(self) -> list[Letter]:
        if self.receives == 1:
            self.bucket.files["later"] = FILE
        return super().receive()


@pytest.mark.parametrize("kind", [HidingQueue, RepairedQueue])
def test_command_ends_well_only_if_each_hidden_message_came_again(bench: PaymentBench, kind: type[SmallQueue]) -> None:
    bucket = SmallBucket(later=FeedUnavailable("down"), good=FILE)
    queue = kind(notice("later"), notice("good"))
    reader = Reader(bench, queue, bucket)
    if isinstance(queue, RepairedQueue):
        queue.bucket = bucket
        bench.run(empty(reader.consumer, attempts=5, pause_s=0))
        assert not queue.messages
    else:
        with pytest.raises(FeedUnavailable, match="must come again"):
            bench.run(empty(reader.consumer, attempts=5, pause_s=0))


class Killed(BaseException):
    """The process dies."""


def _die(*_: object) -> None:
    raise Killed


def _die_before(reader: Reader, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if place == "delete":
        monkeypatch.setattr(reader.queue, "delete", _die)
    else:
        calls, transact = [0], reader.bench.store.transact

        async def some(*given: Any, **named: Any) -> Any:
            calls[0] += 1
            if calls[0] == int(place):
                raise Killed
            return await transact(*given, **named)

        monkeypatch.setattr(reader.bench.store, "transact", some)


@pytest.mark.parametrize("place", ["1", "2", "4", "delete"])
def test_death_at_any_commit_loses_and_doubles_nothing(
    bench: PaymentBench, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(bench, SmallQueue(notice("good")), SmallBucket(good=FILE), records_at_once=1)
    with monkeypatch.context() as patched:
        _die_before(reader, place, patched)
        with pytest.raises(Killed):
            reader.poll()
    assert reader.queue.messages

    assert reader.poll() == 1

    assert not reader.queue.messages
    found = order(bench, "trip-1")
    assert found is not None
    assert (found.captured, found.lines_seen, found.is_whole) == (Decimal("12.30"), 1, True)


def test_database_that_fails_keeps_all_messages(bench: PaymentBench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("full")

    reader = Reader(bench, SmallQueue("{", notice("good")), SmallBucket(good=FILE), attempts_max=1)
    with monkeypatch.context() as patched:
        patched.setattr(bench.store, "transact", fail)
        assert reader.poll() is None

    assert (len(reader.queue.messages), reader.letters()) == (2, [])


def test_events_book_each_fact_once_and_skip_what_is_no_money(bench: PaymentBench) -> None:
    bodies = [
        an_event("ORDER_DELIVERED", purchaseId="p-1"),
        an_event("ORDER_CHECKED_OUT", orderId="o-1", total=MONEY),
        an_event(operation="Checkout Cart", amount=MONEY),
        an_event("CHARGE_REFUNDED", operation="Refund Charge", amount=MONEY, refundRequestId="r"),
        an_event("CHARGE_ADJUSTED", operation="Adjust Charge", amount=MONEY),
        an_event("A_LATER_EVENT"),
    ]
    reader = Reader(bench, SmallQueue(*bodies, *bodies))
    assert reader.poll() == 12

    found = order(bench, "trip-1")
    assert found is not None
    assert (found.event_captured, found.event_refunded, found.purchase_id) == (
        Decimal("12.30"),
        Decimal("12.30"),
        "p-1",
    )
    assert (found.checkout_order_id, found.captured, found.in_files) == ("o-1", Decimal("0.00"), False)


BAD_EVENTS = {
    "family": lambda: an_event().replace("Payment", "Weather"),
    "no detail": lambda: '{"detail-type": "Payment"}',
    "no trip": lambda: an_event(operation="Capture Charge", amount=MONEY, shoppingTripId=None),
    "number for an amount": lambda: an_event(operation="Capture Charge", amount={"amount": 12.3, "code": "USD"}),
    "three decimals": lambda: an_event(operation="Capture Charge", amount={"amount": "1.234", "code": "USD"}),
    "NUL in an id": lambda: an_event("CHARGE_REFUNDED", operation="Refund Charge", amount=MONEY, refundRequestId="\0"),
    "NUL in a purchase": lambda: an_event("ORDER_DELIVERED", purchaseId="p-\0"),
    "number for an id": lambda: an_event("CHARGE_REFUNDED", operation="Refund Charge", amount=MONEY, refundRequestId=7),
    "another operation": lambda: an_event(operation="Adjust Charge", amount=MONEY),
}


@pytest.mark.parametrize("case", BAD_EVENTS)
def test_bad_event_is_kept(bench: PaymentBench, case: str) -> None:
    build: Callable[[], str] = BAD_EVENTS[case]
    reader = Reader(bench, SmallQueue(build()))
    assert reader.poll() == 1
    assert len(reader.letters()) == 1


def test_notifications_of_s3_itself_are_read_and_other_changes_are_skipped() -> None:
    [record] = s3_event(StoredFile("b", "a b/ü.csv", 1, "e"), region="r", at=NOW, request_id="i")["Records"]
    removed = record | {"eventName": "ObjectRemoved:Delete"}
    bare = orjson.dumps({"Records": [record, removed]}).decode()

    assert read_notification(bare) == [ObjectName("b", "a b/ü.csv")]
    assert read_notification('{"Event": "s3:TestEvent", "Bucket": "b"}') == []
    assert read_event(an_event("SHOPPER_LEFT")) is None
