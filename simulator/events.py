"""The event feed: what happened, put into a retailer's SQS queue in the envelope of EventBridge.

Three families: Order, Payment, Shopper. Their names are published, their schemas are not, so those are ours. Events may
come twice and in any order; each has an id of its own, which a restart does not give a second time. Every retailer has
a lane of its own.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from contract.values import format_instant
from jwo_toolkit.json_types import JsonObject
from simulator.catalog.notifications import checked_queue_arn
from simulator.clock import Clock
from simulator.errors import NotKnown
from simulator.event_lane import Event, Lane
from simulator.journal import Entry
from simulator.portal.stores import Stores
from simulator.seed import Seed
from simulator.storage.files import Storage
from simulator.supervision import run_forever

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_SOURCE = "jwo.simulated-platform"
_SENT_AT_ONCE = 4
"""By all lanes together, in threads of the feed's own: a queue that hangs takes none from the gates and the outbox."""


class EventFeed:
    """Listens to the journal and feeds the queues that retailers named; `run` sends until it is cancelled."""

    def __init__(
        self, *, sqs: SQSClient, stores: Stores, clock: Clock, seed: Seed, region: str, storage: Storage
    ) -> None:
        self._sqs = sqs
        self._stores = stores
        self._clock = clock
        self._seed = seed
        self._region = region
        self._lanes: dict[str, Lane] = {}
        self._lane_opened = asyncio.Event()
        self._threads = ThreadPoolExecutor(_SENT_AT_ONCE, "event-feed")
        self._storage = storage
        self._queues = storage.key_values("event feed", str)
        for retailer, queue_arn in self._queues.all().items():
            self._open(retailer, queue_arn)

    def subscribe(self, retailer: str, queue_arn: str) -> JsonObject:
        """Feed a retailer's queue from now on; what waited for another queue goes there too."""
        arn = checked_queue_arn(queue_arn)
        if retailer in self._lanes:
            self._lanes[retailer].queue_arn = arn
        else:
            self._open(retailer, arn)
        self._queues.put(retailer, arn)
        return self.show(retailer)

    def _open(self, retailer: str, queue_arn: str) -> None:
        waiting = self._storage.key_values(f"event for {retailer}", Event)
        self._lanes[retailer] = Lane(self._sqs, self._threads, queue_arn, waiting)
        self._lane_opened.set()

    def show(self, retailer: str) -> JsonObject:
        """Return a retailer's subscription and its state, or raise NotKnown."""
        if retailer not in self._lanes:
            raise NotKnown("event feed", retailer)
        lane = self._lanes[retailer]
        state = {"waiting": len(lane), "givenUp": lane.given_up, "failure": lane.failure}
        return {"retailer": retailer, "queueArn": lane.queue_arn, **state}

    def handle(self, entry: Entry) -> None:
        """Queue an entry of the journal if it is an event."""
        if self._lanes and (event := event_of(entry)):
            self._tell(entry, *event)

    async def run(self) -> None:
        """Send what waits in every lane, for ever; a lane that breaks is started again, and holds up no other."""
        running: set[str] = set()
        async with asyncio.TaskGroup() as lanes:
            while True:
                self._lane_opened.clear()
                for retailer in self._lanes.keys() - running:
                    lanes.create_task(run_forever(f"the event feed of {retailer}", self._lanes[retailer].run))
                    running.add(retailer)
                await self._lane_opened.wait()

    def close(self) -> None:
        """Stop its threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _tell(self, entry: Entry, family: str, detail: JsonObject) -> None:
        """Queue an event of a store for its retailer; its id follows from its place in the journal."""
        store = self._stores.find(str(entry["storeId"]))
        lane = self._lanes.get(store.retailer) if store else None
        if store is None or lane is None:
            return
        lane.put(
            {
                "version": "0",
                "id": self._seed.id("event feed", entry["seq"]),
                "source": _SOURCE,
                "account": lane.queue_arn.split(":")[4],
                "time": format_instant(self._clock.now()),
                "region": self._region,
                "resources": [store.id],
                "detail-type": family,
                "detail": detail,
            }
        )


def event_of(entry: Entry) -> tuple[str, JsonObject] | None:
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
