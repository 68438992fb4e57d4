"""The event feed: a failing queue does not affect others, no event is lost, and ids stay unique over restarts."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from botocore.exceptions import ClientError

from simulator import event_sender
from simulator.event_sender import EventSender

ACCOUNT = "123456789012"
FEED = "/portal/merchants/{}/event-feed"


def set_up(platform: Any, connector: Any, retailer: str, queue_arn: str) -> str:
    """Set up a retailer's store and send its events to a queue; returns the store's gate."""
    gate = f"{retailer}-GATE"
    setup = {"retailer": retailer, "gates": [gate], "connector": {"url": connector.url}}
    assert platform.http.put(f"/portal/stores/{retailer}-STORE", json=setup).status_code == 200
    assert platform.http.put(FEED.format(retailer), json={"queueArn": queue_arn}).status_code == 200
    return gate


def received(platform: Any, queue: Any, count: int) -> list[Any]:
    got: list[Any] = []
    platform.until(lambda: got.extend(queue.receive()) or len(got) >= count)
    return got


def test_missing_queue_delays_no_other_and_later_gets_its_events_in_order(
    platform: Any, connector: Any, make_queue: Any, sqs: Any
) -> None:
    name, good = f"comes-later-{uuid4()}", make_queue()
    missing_arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    unlucky = set_up(platform, connector, "unlucky", missing_arn)
    lucky = set_up(platform, connector, "lucky", good.arn)
    trips = [platform.scan(gate=unlucky)["shoppingTripId"] for _ in range(3)]
    platform.until(lambda: platform.http.get(FEED.format("unlucky")).json()["failure"])
    platform.scan(gate=lucky)
    assert [event["resources"] for event in received(platform, good, 1)] == [["lucky-STORE"]]
    assert platform.http.get(FEED.format("unlucky")).json() == {
        "retailer": "unlucky",
        "queueArn": missing_arn,
        "waiting": 3,
        "givenUp": 0,
        "failure": "QueueDoesNotExist",
    }
    late = type(good)(sqs, sqs.create_queue(QueueName=name)["QueueUrl"], missing_arn)
    assert [event["detail"]["shoppingTripId"] for event in received(platform, late, 3)] == trips
    state = platform.until(
        lambda: one if not (one := platform.http.get(FEED.format("unlucky")).json())["waiting"] else None
    )
    assert state["failure"] == ""


def test_events_that_wait_for_a_wrong_queue_go_to_the_right_one(platform: Any, connector: Any, make_queue: Any) -> None:
    gate, right = set_up(platform, connector, "r", f"arn:aws:sqs:us-east-1:{ACCOUNT}:no-such-{uuid4()}"), make_queue()
    platform.scan(gate=gate)
    platform.until(lambda: platform.http.get(FEED.format("r")).json()["failure"])
    platform.http.put(FEED.format("r"), json={"queueArn": right.arn})
    assert len(received(platform, right, 1)) == 1


class PickyQueue:
    """Plays SQS: `verdicts` has the places that fail in each batch, and whether that is the sender's fault."""

    def __init__(self, *verdicts: Any) -> None:
        self.verdicts = list(verdicts)
        self.batches: list[list[int]] = []

    def get_queue_url(self, **_given: str) -> dict[str, str]:
        return {"QueueUrl": "http://queue"}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: ARG002, N803 - boto3's spelling
        self.batches.append([orjson.loads(entry["MessageBody"])["detail"] for entry in Entries])
        verdict = self.verdicts.pop(0) if self.verdicts else {}
        if isinstance(verdict, Exception):
            raise verdict
        return {"Failed": [{"Id": str(place), "SenderFault": fault} for place, fault in verdict.items()]}


def sent_events(queue: PickyQueue, events: int, monkeypatch: pytest.MonkeyPatch) -> EventSender:
    """Put events into a sender and run it until nothing waits."""
    monkeypatch.setattr(event_sender, "_PAUSE_S", 0.001)

    async def run() -> EventSender:
        with ThreadPoolExecutor(1) as threads:
            sender = EventSender(queue, threads, f"arn:aws:sqs:us-east-1:{ACCOUNT}:q")  # type: ignore[arg-type] # plays a client
            for number in range(events):
                sender.put({"id": str(number), "detail": number})
            running = asyncio.create_task(sender.run())
            async with asyncio.timeout(5):
                while len(sender):  # noqa: ASYNC110 - a sender does not notify when it is empty
                    await asyncio.sleep(0.001)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            return sender

    return asyncio.run(run())


def test_only_failed_events_are_sent_again_and_before_newer_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = PickyQueue({2: False, 7: False})
    sent_events(queue, 14, monkeypatch)
    assert queue.batches == [[*range(10)], [2, 7, 10, 11, 12, 13]]


def test_failed_batch_is_sent_again_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = PickyQueue(ClientError({"Error": {"Code": "Unavailable"}}, "SendMessageBatch"))
    sender = sent_events(queue, 3, monkeypatch)
    assert queue.batches == [[0, 1, 2], [0, 1, 2]]
    assert sender.failure == ""


def test_event_that_the_queue_refuses_is_given_up_after_a_few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = PickyQueue({1: True}, {0: True}, {0: True}, {0: True}, {0: True})
    sender = sent_events(queue, 3, monkeypatch)
    assert queue.batches == [[0, 1, 2], [1], [1], [1], [1]]
    assert sender.given_up == 1


def test_event_ids_repeat_with_the_seed_and_never_after_a_restart(
    start_platform: Any, connector: Any, make_queue: Any, tmp_path: Path
) -> None:
    def ids(database: Path) -> list[str]:
        platform, queue = start_platform(seed=7, database_path=str(database)), make_queue()
        gate = set_up(platform, connector, "r", queue.arn)
        connector.identity = [(401, {})]
        platform.scan(gate=gate)
        platform.scan(gate=gate)
        got = [event["id"] for event in received(platform, queue, 2)]
        platform.stop()
        return sorted(got)

    first, restarted = ids(tmp_path / "a.sqlite3"), ids(tmp_path / "a.sqlite3")
    assert first == ids(tmp_path / "b.sqlite3")
    assert len({*first, *restarted}) == 4
