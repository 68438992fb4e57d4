"""One retailer's part of the event feed: what waits for its queue, sent in order, ten at a time.

A lane has its own waits, so that an unreachable queue does not delay other retailers' events. Nothing that the queue
may take later is dropped; what it never will (SQS calls that the sender's fault) is given up after a few tries.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from simulator.errors import StorageFailed
from simulator.storage.key_values import KeyValueStore

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Event = dict[str, Any]
_MOST_AT_ONCE = 10
_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0
_HOPELESS_AFTER = 5
_log = logging.getLogger("simulator.events")


class Lane:
    """The events of one retailer; `queue_arn` may change at any time, and what waits then goes to the new queue.

    What waits is remembered, so that the next start sends what this one could not.
    """

    def __init__(
        self, sqs: SQSClient, executor: Executor, queue_arn: str, storage: KeyValueStore[Event] | None = None
    ) -> None:
        self._sqs = sqs
        self._executor = executor
        self.queue_arn = queue_arn
        self._storage = storage or KeyValueStore("event", Event)
        self._waiting: deque[Event] = deque(self._storage.all().values())
        self._refusals: Counter[str] = Counter()
        self._news = asyncio.Event()
        self.given_up = 0
        self.failure = ""
        """A short code for why the last batch failed; empty if it was sent."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, event: Event) -> None:
        """Queue an event behind all that wait."""
        self._storage.put(event["id"], event)
        self._waiting.append(event)
        self._news.set()

    async def run(self) -> None:
        """Send what waits, for ever."""
        pause_s = _PAUSE_S
        while True:
            self._news.clear()
            while self._waiting:
                if await self._send_some():
                    pause_s = _PAUSE_S
                    continue
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            await self._news.wait()

    async def _send_some(self) -> bool:
        """Send the first events that wait; they stay until the queue has them. Returns whether it took them all."""
        batch = [self._waiting[place] for place in range(min(_MOST_AT_ONCE, len(self._waiting)))]
        loop = asyncio.get_running_loop()
        try:
            failed = await loop.run_in_executor(self._executor, self._send, self.queue_arn, batch)
        except (ClientError, BotoCoreError) as error:
            self.failure = type(error).__name__
            _log.warning("%d events wait: the queue %s cannot be reached", len(self), self.queue_arn)
            return False
        self.failure = "EventsRefused" if failed else ""
        again = [
            event for place, event in enumerate(batch) if place in failed and self._may_come_again(event, failed[place])
        ]
        for _ in batch:
            self._waiting.popleft()
        self._waiting.extendleft(reversed(again))
        self._forget({event["id"] for event in batch} - {event["id"] for event in again})
        return not failed

    def _forget(self, sent: set[str]) -> None:
        try:
            self._storage.delete(*sent)
        except StorageFailed:
            _log.exception("%d events were sent and could not be forgotten: the next start sends them again", len(sent))

    def _may_come_again(self, event: Event, senders_fault: bool) -> bool:  # noqa: FBT001 - the word of SQS
        """Say whether an event that failed is worth another try, and keep count of those that are at fault."""
        if not senders_fault:
            return True
        self._refusals[event["id"]] += 1
        if self._refusals[event["id"]] < _HOPELESS_AFTER:
            return True
        del self._refusals[event["id"]]
        self.given_up += 1
        _log.error("event %s is given up: the queue %s refuses it", event["id"], self.queue_arn)
        return False

    def _send(self, queue_arn: str, batch: list[Event]) -> dict[int, bool]:
        """Send a batch; returns the places of the events that failed, and whether SQS calls it the sender's fault."""
        _, _, _, _, owner, name = queue_arn.split(":")
        url = self._sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=owner)["QueueUrl"]
        answer = self._sqs.send_message_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(place), "MessageBody": orjson.dumps(event).decode()} for place, event in enumerate(batch)
            ],
        )
        return {int(one["Id"]): one.get("SenderFault", False) for one in answer.get("Failed", [])}
