"""The event feed: what happened, put into a retailer's SQS queue in the envelope of EventBridge.

Three families: Order, Payment, Shopper. Their names are published, their schemas are not, so those are ours. Events may
come twice and in any order; each has an id of its own.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from contract.values import format_instant
from simulator.catalog.notifications import checked_queue_arn
from simulator.clock import Clock
from simulator.errors import NotKnown
from simulator.journal import Entry
from simulator.portal.stores import Stores
from simulator.seed import Seed

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_SOURCE = "jwo.simulated-platform"
_MOST_AT_ONCE = 10
_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0
_log = logging.getLogger("simulator.events")


class EventFeed:
    """Listens to the journal and feeds the queues that retailers named; `run` sends until it is cancelled."""

    def __init__(self, sqs: SQSClient, stores: Stores, clock: Clock, seed: Seed, region: str) -> None:
        self._sqs = sqs
        self._stores = stores
        self._clock = clock
        self._seed = seed
        self._region = region
        self._queues: dict[str, str] = {}
        self._waiting: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()

    def subscribe(self, retailer: str, queue_arn: str) -> dict[str, str]:
        """Feed a retailer's queue from now on."""
        self._queues[retailer] = checked_queue_arn(queue_arn)
        return self.show(retailer)

    def show(self, retailer: str) -> dict[str, str]:
        """Return a retailer's subscription, or raise NotKnown."""
        if retailer not in self._queues:
            raise NotKnown("event feed", retailer)
        return {"retailer": retailer, "queueArn": self._queues[retailer]}

    def hear(self, entry: Entry) -> None:
        """Take an entry of the journal; what is no event is passed over."""
        if self._queues and (event := event_of(entry)):
            self.tell(str(entry["storeId"]), *event)

    def tell(self, store_id: str, family: str, detail: dict[str, Any]) -> None:
        """Queue an event of a store for its retailer."""
        store = self._stores.find(store_id)
        queue_arn = self._queues.get(store.retailer) if store else None
        if queue_arn is None:
            return
        body = orjson.dumps(detail).decode()
        envelope = {
            "version": "0",
            "id": self._seed.id("event feed", family, body),
            "source": _SOURCE,
            "account": queue_arn.split(":")[4],
            "time": format_instant(self._clock.now()),
            "region": self._region,
            "resources": [store_id],
            "detail-type": family,
            "detail": detail,
        }
        self._waiting.put_nowait((queue_arn, envelope))

    async def run(self) -> None:
        """Send what waits, for ever; a queue that cannot be reached holds the feed up until it can."""
        while True:
            queue_arn, envelope = await self._waiting.get()
            batch = [envelope]
            while len(batch) < _MOST_AT_ONCE and not self._waiting.empty():
                other_arn, other = self._waiting.get_nowait()
                if other_arn != queue_arn:
                    await self._send_surely(other_arn, [other])
                    continue
                batch.append(other)
            await self._send_surely(queue_arn, batch)

    async def _send_surely(self, queue_arn: str, batch: list[dict[str, Any]]) -> None:
        pause_s = _PAUSE_S
        while True:
            try:
                await asyncio.to_thread(self._send, queue_arn, batch)
            except (ClientError, BotoCoreError):
                _log.warning("%d events wait: the queue %s cannot be reached", len(batch), queue_arn)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            else:
                return

    def _send(self, queue_arn: str, batch: list[dict[str, Any]]) -> None:
        _, _, _, _, owner, name = queue_arn.split(":")
        url = self._sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=owner)["QueueUrl"]
        self._sqs.send_message_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(number), "MessageBody": orjson.dumps(envelope).decode()}
                for number, envelope in enumerate(batch)
            ],
        )


def event_of(entry: Entry) -> tuple[str, dict[str, Any]] | None:
    """Return family and detail of an entry of the journal that is an event for a retailer."""
    kind, trip_id = entry["kind"], entry.get("tripId")
    if kind == "gate_decision":
        what = "SHOPPER_ENTERED" if entry["opens"] else "SHOPPER_REFUSED"
        detail = {name: entry[name] for name in ("gate", "method", "cause", "authEventId", "visitor")}
        return "Shopper", {"event": what, "shoppingTripId": trip_id, "storeId": entry["storeId"], **detail}
    if kind == "exit":
        told = {"shoppingTripId": trip_id, "storeId": entry["storeId"], "lines": entry["lines"]}
        return "Shopper", {"event": "SHOPPER_LEFT", **told}
    if kind == "delivery" and entry.get("outcome"):
        what = "ORDER_DELIVERED" if entry["outcome"] == "delivered" else "ORDER_ATTEMPT_FAILED"
        told = {name: entry[name] for name in ("storeId", "requestId", "outcome", "purchaseId")}
        return "Order", {"event": what, "shoppingTripId": trip_id, **told}
    if kind == "payment_reported":
        told = {name: value for name, value in entry.items() if name not in {"seq", "at", "kind", "tripId"}}
        return "Payment", {"event": "PAYMENT_REPORTED", "shoppingTripId": trip_id, **told}
    return None
