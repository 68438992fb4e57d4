"""Sends one retailer's events to its queue, in order, ten at a time.

Each retailer has its own sender, so a queue that cannot be reached does not delay the events of other retailers. The
sender keeps events that the queue may accept later. It gives up an event that SQS refuses as the sender's fault after a
few attempts.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

import orjson

from simulator.aws import AWS_ERRORS
from simulator.errors import StorageFailed
from simulator.storage.key_values import KeyValueStore

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Event = dict[str, Any]
_MOST_AT_ONCE = 10
_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0
_MOST_REFUSALS = 5
_log = logging.getLogger("simulator.events")


class EventSender:
    """The waiting events of one retailer. `queue_arn` may change at any time; waiting events go to the new queue.

    The storage keeps waiting events, and the next start of the platform sends them.
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
        self._wakeup = asyncio.Event()
        self.given_up = 0
        self.failure = ""
        """A short code of why the last batch failed; empty if it did not fail."""

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, event: Event) -> None:
        """Add an event behind the waiting ones."""
        self._storage.put(event["id"], event)
        self._waiting.append(event)
        self._wakeup.set()

    async def run(self) -> None:
        """Send waiting events, until cancelled."""
        pause_s = _PAUSE_S
        while True:
            self._wakeup.clear()
            while self._waiting:
                if await self._send_batch():
                    pause_s = _PAUSE_S
                    continue
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            await self._wakeup.wait()

    async def _send_batch(self) -> bool:
        """Send the first waiting events, and keep them until the queue has them; returns whether it has all of them."""
        batch = [self._waiting[place] for place in range(min(_MOST_AT_ONCE, len(self._waiting)))]
        loop = asyncio.get_running_loop()
        try:
            failed = await loop.run_in_executor(self._executor, self._send, self.queue_arn, batch)
        except AWS_ERRORS as error:
            self.failure = type(error).__name__
            _log.warning("%d events wait: the queue %s cannot be reached", len(self), self.queue_arn)
            return False
        self.failure = "EventsRefused" if failed else ""
        again = [
            event for place, event in enumerate(batch) if place in failed and self._can_retry(event, failed[place])
        ]
        for _ in batch:
            self._waiting.popleft()
        self._waiting.extendleft(reversed(again))
        self._delete_sent({event["id"] for event in batch} - {event["id"] for event in again})
        return not failed

    def _delete_sent(self, sent: set[str]) -> None:
        try:
            self._storage.delete(*sent)
        except StorageFailed:
            _log.exception("%d sent events could not be deleted: the next start sends them again", len(sent))

    def _can_retry(self, event: Event, senders_fault: bool) -> bool:  # noqa: FBT001 - the term of SQS
        """Return whether to send a failed event again, and count the refusals of each event."""
        if not senders_fault:
            return True
        self._refusals[event["id"]] += 1
        if self._refusals[event["id"]] < _MOST_REFUSALS:
            return True
        del self._refusals[event["id"]]
        self.given_up += 1
        _log.error("event %s is lost: the queue %s refused it %d times", event["id"], self.queue_arn, _MOST_REFUSALS)
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
