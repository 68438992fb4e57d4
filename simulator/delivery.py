"""Delivery of final carts: the platform sends a cart until the connector accepts it, or makes it a dead letter.

Every attempt has a new requestId and the same trip id and cart. Amazon publishes that it delivers again, but not how
often and how long: the group `delivery` of the house rules decides that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, NamedTuple

from jwo_contract.errors import MalformedBody
from jwo_contract.house import Delivery, House
from jwo_contract.messages import message, parse_object
from jwo_contract.operations import CREATE_PURCHASES
from jwo_contract.values import format_instant
from simulator.clock import Clock
from simulator.connector import Exchange, OutgoingRequest
from simulator.connector_calls import CallContext, ConnectorCalls
from simulator.errors import NotKnown, NotNow, StorageFailed
from simulator.journal import SORT_KEY
from simulator.outbox import Outbox, PendingDelivery
from simulator.portal.stores import Stores
from simulator.seed import Seed
from simulator.storage.deliveries import Attempt, DeliveredCart, DeliveredOrder, DeliveryState

_CREATED, _OK, _TOO_MANY = 201, 200, 429
_SUCCESSES, _SERVER_ERRORS = range(200, 300), range(500, 600)
_LONGEST_WAIT_S = 0.5
"""Real seconds. A user may move the clock during a wait, so the loop reads the clock this often."""
_log = logging.getLogger("simulator.delivery")


class Verdict(NamedTuple):
    """The result of an attempt; `retry` and `purchase_id` are never both set."""

    outcome: str
    retry: bool
    purchase_id: str | None = None
    retry_after_s: float = 0.0


def judge(exchange: Exchange, *, empty_cart: bool, house: House, now: datetime) -> Verdict:
    """Return the verdict on an exchange, by the delivery table."""
    status = exchange.status
    if exchange.failure is not None or status is None:
        return Verdict(str(exchange.failure), retry=True)
    if status == _TOO_MANY:
        wait = _retry_after(exchange.headers, now) if house.delivery.honour_retry_after else 0.0
        return Verdict("rate_limited", retry=True, retry_after_s=wait)
    if status not in _SUCCESSES:
        failed = status in _SERVER_ERRORS
        return Verdict("server_error" if failed else "refused", retry=failed)
    return _judge_success(exchange, empty_cart=empty_cart, house=house)


def _judge_success(exchange: Exchange, *, empty_cart: bool, house: House) -> Verdict:
    purchase_id = _purchase_id(exchange.body, empty_cart=empty_cart, house=house)
    if purchase_id is None:
        return Verdict("malformed_answer", retry=True)
    if exchange.status == _CREATED or (exchange.status == _OK and house.delivery.accept_200):
        return Verdict("delivered", retry=False, purchase_id=purchase_id)
    return Verdict("refused", retry=False)


def backoff_s(tries: int, rules: Delivery) -> float:
    """Return the wait after attempt number `tries`: it grows by a factor up to a maximum."""
    wait = rules.backoff_first_s
    for _ in range(tries - 1):
        if wait >= rules.backoff_max_s:
            break
        wait *= rules.backoff_factor
    return min(wait, rules.backoff_max_s)


class Deliveries:
    """Delivers the carts of the outbox. The composition root starts and cancels its loop, `run`."""

    def __init__(
        self, outbox: Outbox, calls: ConnectorCalls, stores: Stores, *, house: House, clock: Clock, seed: Seed
    ) -> None:
        self._outbox = outbox
        self._calls = calls
        self._stores = stores
        self._house = house
        self._clock = clock
        self._seed = seed
        self._wakeup = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()

    async def submit(self, trip_id: str, store_id: str, cart: dict[str, Any]) -> None:
        """Accept a final cart for delivery. The cart is on disk when this returns."""
        due = self._now() + self._house.simulator.cart_delay_s
        await self._outbox.add(trip_id, store_id, cart, due)
        self._wakeup.set()

    async def show(self, trip_id: str = "", state: str = "", limit: int = 1_000_000) -> list[dict[str, Any]]:
        """Return deliveries and their attempts as JSON."""
        return [one.to_json() for one in await self._outbox.deliveries(trip_id, state, limit)]

    async def cart(self, trip_id: str) -> dict[str, Any] | None:
        """Return the final cart of a trip, without a requestId; None if `submit` never received one."""
        return await self._outbox.cart(trip_id)

    async def orders(self) -> list[DeliveredOrder]:
        """Return every delivered cart, oldest first."""
        return await self._outbox.orders()

    async def newest_delivered(self, most: int) -> list[DeliveredCart]:
        """Return the carts that were delivered last, in the order of their deliveries."""
        return await self._outbox.newest_delivered(most)

    async def counts(self) -> dict[str, int]:
        """Return how many deliveries are in each state, and how many attempts there were."""
        return await self._outbox.counts()

    async def redrive(self, trip_id: str) -> dict[str, Any]:
        """Send a dead letter again, with a new time window. Raises NotNow if the delivery is not a dead letter."""
        known = await self._outbox.deliveries(trip_id)
        if not known:
            raise NotKnown("delivery", trip_id)
        if not await self._outbox.redrive(trip_id, self._now()):
            raise NotNow(f"the delivery of trip {trip_id} is {known[0].state}, not on the dead-letter list")
        self._wakeup.set()
        return (await self.show(trip_id))[0]

    async def redrive_all(self) -> list[str]:
        """Send every dead letter again; returns their trips."""
        dead = [one.trip_id for one in await self._outbox.deliveries(state="dead_letter")]
        sent = [trip_id for trip_id in dead if await self._outbox.redrive(trip_id, self._now())]
        self._wakeup.set()
        return sent

    async def run(self) -> None:
        """Send due carts until cancelled. Cancelling also cancels running attempts; their carts stay pending."""
        try:
            while True:
                self._wakeup.clear()
                try:
                    await self.start_due()
                except StorageFailed:
                    _log.exception("the due carts could not be read from the database; the next round tries again")
                    await asyncio.sleep(_LONGEST_WAIT_S)
                await self._wait_for_work()
        finally:
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    @property
    def sending(self) -> frozenset[asyncio.Task[None]]:
        """Return the running attempts."""
        return frozenset(self._sending)

    def next_due(self) -> float | None:
        """Return the epoch second at which the next attempt is due; None if no delivery waits."""
        return self._outbox.next_due(self._house.delivery.most_at_once_per_store)

    async def start_due(self) -> int:
        """Start attempts for due deliveries, up to the limit of attempts at once; returns how many it started."""
        rules = self._house.delivery
        room = rules.most_at_once - len(self._sending)
        due = await self._outbox.claim(self._now(), room, rules.most_at_once_per_store) if room > 0 else []
        for delivery in due:
            task = asyncio.create_task(self._send(delivery))
            self._sending.add(task)
            task.add_done_callback(self._ended)
        return len(due)

    async def _wait_for_work(self) -> None:
        due, full = self.next_due(), len(self._sending) >= self._house.delivery.most_at_once
        wait = _LONGEST_WAIT_S if due is None or full else self._clock.wall_s(due - self._now())
        try:
            async with asyncio.timeout(min(max(wait, 0.001), _LONGEST_WAIT_S)):
                await self._wakeup.wait()
        except TimeoutError:
            pass

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._wakeup.set()
        if not task.cancelled() and (error := task.exception()):
            _log.error("the platform failed after it had recorded an attempt", exc_info=error)

    async def _send(self, delivery: PendingDelivery) -> None:
        """Make one attempt. Its sort key gives its journal entries their place."""
        SORT_KEY.set((delivery.due, "delivery", delivery.trip_id, delivery.attempts))
        request_id, at = self._seed.id("delivery", delivery.trip_id, delivery.attempts), self._clock.now()
        try:
            note = await self._attempt(delivery, request_id, at)
        except Exception:  # noqa: BLE001 - no error of the platform may lose a cart
            _log.exception("the platform failed in an attempt for trip %s; it tries the cart again", delivery.trip_id)
            await self._record_failure(delivery, Attempt(request_id, format_instant(at), None, 0, "platform_error"))
        else:
            note()
        finally:
            self._outbox.end_sending(delivery)

    async def _record_failure(self, delivery: PendingDelivery, failed: Attempt) -> None:
        try:
            await self._outbox.record(delivery, failed, self._state_for_retry(delivery, failed.outcome))
        except StorageFailed:
            _log.exception("the failed attempt for trip %s could not be recorded", delivery.trip_id)
            self._outbox.put_back(delivery, self._now() + backoff_s(delivery.tries + 1, self._house.delivery))

    async def _attempt(self, delivery: PendingDelivery, request_id: str, at: datetime) -> Callable[[], None]:
        """Make one attempt and record it; returns a function that adds it to the journal."""
        context = CallContext(delivery.store_id, trip=delivery.trip_id, kind="delivery")
        request = OutgoingRequest(
            CREATE_PURCHASES,
            self._stores.connector(delivery.store_id, "ordering"),
            {"requestId": request_id, **delivery.cart},
            self._house.delivery.order_timeout_s,
        )
        exchange, faults = await self._calls.make(request, context)
        empty = not delivery.cart["cartItems"]
        verdict = judge(exchange, empty_cart=empty, house=self._house, now=self._clock.wall())
        attempt = Attempt(request_id, format_instant(at), exchange.status, exchange.elapsed_ms, verdict.outcome)
        await self._outbox.record(delivery, attempt, self._state_after(delivery, verdict, exchange))
        if verdict.purchase_id is not None and exchange.status == _OK:
            _log.warning("the connector accepted the cart of trip %s with 200 instead of 201", delivery.trip_id)
        return partial(
            self._calls.note, exchange, context, faults, outcome=verdict.outcome, purchaseId=verdict.purchase_id
        )

    def _state_after(self, delivery: PendingDelivery, verdict: Verdict, exchange: Exchange) -> DeliveryState:
        now = self._now()
        if verdict.purchase_id is not None:
            return DeliveryState("delivered", now, verdict.purchase_id)
        if not verdict.retry:
            return DeliveryState("dead_letter", now, reason=f"the connector answered {exchange.status}")
        return self._state_for_retry(delivery, verdict.outcome, verdict.retry_after_s)

    def _state_for_retry(self, delivery: PendingDelivery, outcome: str, after_s: float = 0.0) -> DeliveryState:
        """Return the state for another attempt later; a dead letter if that is after the end of the time window."""
        now, rules = self._now(), self._house.delivery
        next_at = now + (after_s or backoff_s(delivery.tries + 1, rules))
        if next_at > delivery.series_start + rules.window_h * 3600:
            return DeliveryState("dead_letter", now, reason=f"{rules.window_h:g} h are over; last: {outcome}")
        return DeliveryState("pending", next_at)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _purchase_id(body: bytes, *, empty_cart: bool, house: House) -> str | None:
    try:
        answer = parse_object(body)
    except MalformedBody:
        return None
    if not message("create_purchases.response", house).is_valid(answer):
        return None
    purchase_id = str(answer["purchaseId"])
    return purchase_id if purchase_id or empty_cart else None


def _retry_after(headers: dict[str, str], now: datetime) -> float:
    """Read the seconds or the date in Retry-After; 0 if the header is missing or not valid."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())
