"""The event feed: events in the envelope of EventBridge, which the platform puts into a retailer's SQS queue.

The families are Ordering, Payment and Shopper. Amazon publishes their names but no schemas, so the schemas are ours. An
event may arrive twice and in any order. Each event has an id, and a restart repeats no id.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from jwo_contract.values import format_instant
from jwo_toolkit.json_types import JsonObject
from simulator.catalog.notifications import checked_queue_arn
from simulator.clock import Clock
from simulator.errors import NotKnown
from simulator.event_families import FAMILIES, event_of
from simulator.event_sender import Event, EventSender
from simulator.journal import Entry
from simulator.portal.stores import Stores
from simulator.reconciliation.books import posting_of_detail
from simulator.seed import Seed
from simulator.storage.files import Storage
from simulator.supervision import run_forever

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_NAMESPACE = UUID("5b0e6f52-6a0f-4c9b-8f1a-3f0f4f6a5c21")
_SOURCE = "jwo.simulated-platform"
_SENT_AT_ONCE = 4
"""Batches of all senders, in threads of the feed: a queue that hangs uses no thread of the gates and the outbox."""


class EventFeed:
    """Turns journal entries into events for the queues of retailers; `run` sends the events until it is cancelled."""

    def __init__(
        self, *, sqs: SQSClient, stores: Stores, clock: Clock, seed: Seed, region: str, storage: Storage
    ) -> None:
        self._sqs = sqs
        self._stores = stores
        self._clock = clock
        self._seed = seed
        self._region = region
        self._senders: dict[str, EventSender] = {}
        self._sender_added = asyncio.Event()
        self._tests = 0
        self._threads = ThreadPoolExecutor(_SENT_AT_ONCE, "event-feed")
        self._storage = storage
        self._queues = storage.key_values("event feed", str)
        for retailer, queue_arn in self._queues.all().items():
            self._add_sender(retailer, queue_arn)

    def subscribe(self, retailer: str, queue_arn: str) -> JsonObject:
        """Send a retailer's events to a queue from now on, also the events that wait for another queue.

        Raises NotNow on a platform without AWS.
        """
        _ = self._sqs.send_message_batch
        arn = checked_queue_arn(queue_arn)
        if retailer in self._senders:
            self._senders[retailer].queue_arn = arn
        else:
            self._add_sender(retailer, arn)
        self._queues.put(retailer, arn)
        return self.show(retailer)

    def _add_sender(self, retailer: str, queue_arn: str) -> None:
        waiting = self._storage.key_values(f"event for {retailer}", Event)
        self._senders[retailer] = EventSender(self._sqs, self._threads, queue_arn, waiting)
        self._sender_added.set()

    def show(self, retailer: str) -> JsonObject:
        """Return a retailer's subscription and its state. Raises NotKnown if there is no subscription."""
        sender = self._sender(retailer)
        state = {"waiting": len(sender), "givenUp": sender.given_up, "failure": sender.failure}
        return {"retailer": retailer, "queueArn": sender.queue_arn, **state}

    def has(self, retailer: str) -> bool:
        """Return whether a retailer has a queue."""
        return retailer in self._senders

    def _sender(self, retailer: str) -> EventSender:
        if retailer not in self._senders:
            raise NotKnown("event feed", retailer)
        return self._senders[retailer]

    def send_test(self, retailer: str) -> list[str]:
        """Queue a test event of each family; returns their ids. Raises NotKnown if there is no subscription."""
        sender = self._sender(retailer)
        self._tests += 1
        detail = {"event": "TEST_EVENT", "retailer": retailer}
        ids = [self._seed.id("test event", retailer, self._tests, family) for family in FAMILIES]
        for event_id, family in zip(ids, FAMILIES, strict=True):
            sender.put(self._envelope(sender, event_id, [], family, detail))
        return ids

    def receive(self, entry: Entry) -> None:
        """Queue the event of a journal entry, if the entry is an event."""
        if self._senders and (event := event_of(entry)):
            self._queue_event(entry, *event)

    async def run(self) -> None:
        """Run all senders until cancelled. A sender that fails is started again, and does not delay the others."""
        running: set[str] = set()
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._sender_added.clear()
                for retailer in self._senders.keys() - running:
                    tasks.create_task(run_forever(f"the event feed of {retailer}", self._senders[retailer].run))
                    running.add(retailer)
                await self._sender_added.wait()

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _queue_event(self, entry: Entry, family: str, detail: JsonObject) -> None:
        """Queue an event of a store for its retailer.

        The id of an order or of a charge is the same if the event comes again. Any other id depends on the entry's
        number in the journal.
        """
        store = self._stores.find(str(entry["storeId"]))
        sender = self._senders.get(store.retailer) if store else None
        if store is None or sender is None:
            return
        event_id = _id_of_money(detail) or self._seed.id("event feed", entry["seq"])
        sender.put(self._envelope(sender, event_id, [store.id], family, detail))

    def _envelope(
        self, sender: EventSender, event_id: str, stores: list[str], family: str, detail: JsonObject
    ) -> Event:
        return {
            "version": "0",
            "id": event_id,
            "source": _SOURCE,
            "account": sender.queue_arn.split(":")[4],
            "time": format_instant(self._clock.now()),
            "region": self._region,
            "resources": stores,
            "detail-type": family,
            "detail": detail,
        }


def _id_of_money(detail: JsonObject) -> str:
    """Return the id of the event of an order, or of money; an empty text for another event."""
    posting = posting_of_detail(detail)
    return str(uuid5(_NAMESPACE, "|".join(posting.key))) if posting else ""
