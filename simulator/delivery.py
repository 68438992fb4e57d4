"""Delivery of final carts: again and again until the connector has taken the cart, or the dead-letter list has it.

Every attempt has a new requestId and the same trip id and cart. That Amazon delivers again is published; how often and
how long is the house group `delivery`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from contract.errors import MalformedBody
from contract.house import Delivery, House
from contract.messages import message, parse_object
from contract.operations import CREATE_PURCHASES
from contract.values import format_instant
from simulator.clock import Clock
from simulator.connector import ConnectorClient, Exchange
from simulator.errors import NotKnown, NotNow
from simulator.journal import Journal
from simulator.outbox import Attempt, Outbox, Parcel, Standing
from simulator.portal.stores import Stores

_CREATED, _OK, _TOO_MANY = 201, 200, 429
_SUCCESSES, _SERVER_ERRORS = range(200, 300), range(500, 600)
_AT_ONCE = 50
_LONGEST_NAP_S = 0.5
"""The clock may be moved while the loop waits, so it looks at it this often."""
_log = logging.getLogger("simulator.delivery")


class Verdict(NamedTuple):
    """What an attempt came to; `retry` and `purchase_id` are never both set."""

    outcome: str
    retry: bool
    purchase_id: str | None = None
    retry_after_s: float = 0.0


def judge(exchange: Exchange, *, empty_cart: bool, house: House, now: datetime) -> Verdict:
    """Look an exchange up in the delivery table."""
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
    """Return the wait after the `tries`-th attempt: it grows by a factor up to a ceiling."""
    wait = rules.backoff_first_s
    for _ in range(tries - 1):
        if wait >= rules.backoff_max_s:
            break
        wait *= rules.backoff_factor
    return min(wait, rules.backoff_max_s)


class Deliveries:
    """Runs the outbox; `run` is the loop, which the composition root starts and cancels."""

    def __init__(
        self,
        outbox: Outbox,
        client: ConnectorClient,
        stores: Stores,
        journal: Journal,
        *,
        house: House,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._outbox = outbox
        self._client = client
        self._stores = stores
        self._journal = journal
        self._house = house
        self._clock = clock
        self._new_id = new_id
        self._news = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()

    async def submit(self, trip_id: str, store_id: str, cart: dict[str, Any]) -> None:
        """Take over a final cart, which is durable when this returns."""
        await asyncio.to_thread(self._outbox.add, trip_id, store_id, cart, self._now())
        self._news.set()

    async def show(self, trip_id: str = "", state: str = "") -> list[dict[str, Any]]:
        """Tell deliveries and their attempts."""
        return await asyncio.to_thread(self._outbox.deliveries, trip_id, state)

    async def redrive(self, trip_id: str) -> dict[str, Any]:
        """Send a dead letter again, with a fresh window; NotNow when it is not dead."""
        known = await self.show(trip_id)
        if not known:
            raise NotKnown("delivery", trip_id)
        if not await asyncio.to_thread(self._outbox.redrive, trip_id, self._now()):
            raise NotNow(f"the delivery of trip {trip_id} is {known[0]['state']}, not on the dead-letter list")
        self._news.set()
        return (await self.show(trip_id))[0]

    async def run(self) -> None:
        """Send what is due, for ever; cancelling it cancels what is being sent, which stays pending."""
        try:
            while True:
                self._news.clear()
                room = _AT_ONCE - len(self._sending)
                for parcel in await asyncio.to_thread(self._outbox.claim, self._now(), room):
                    task = asyncio.create_task(self._attempt(parcel))
                    self._sending.add(task)
                    task.add_done_callback(self._ended)
                await self._nap()
        finally:
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def _nap(self) -> None:
        due = await asyncio.to_thread(self._outbox.next_due)
        wait = _LONGEST_NAP_S if due is None or len(self._sending) >= _AT_ONCE else due - self._now()
        try:
            async with asyncio.timeout(min(max(wait, 0.001), _LONGEST_NAP_S)):
                await self._news.wait()
        except TimeoutError:
            pass

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self._news.set()
        if not task.cancelled() and (error := task.exception()):
            _log.error("an attempt broke on our side; its cart waits for the next start", exc_info=error)

    async def _attempt(self, parcel: Parcel) -> None:
        request_id, at = self._new_id(), self._clock.now()
        exchange = await self._client.call(
            CREATE_PURCHASES,
            self._stores.connector(parcel.store_id),
            {"requestId": request_id, **parcel.cart},
            self._house.delivery.order_timeout_s,
        )
        empty = not parcel.cart["cartItems"]
        verdict = judge(exchange, empty_cart=empty, house=self._house, now=self._clock.now())
        attempt = Attempt(request_id, format_instant(at), exchange.status, exchange.elapsed_ms, verdict.outcome)
        await asyncio.to_thread(self._outbox.record, parcel.trip_id, attempt, self._standing(parcel, verdict, exchange))
        self._note(parcel, verdict, exchange)

    def _standing(self, parcel: Parcel, verdict: Verdict, exchange: Exchange) -> Standing:
        now, rules = self._now(), self._house.delivery
        if verdict.purchase_id is not None:
            return Standing("delivered", now, verdict.purchase_id)
        if not verdict.retry:
            return Standing("dead_letter", now, reason=f"the connector answered {exchange.status}")
        next_at = now + (verdict.retry_after_s or backoff_s(parcel.tries + 1, rules))
        if next_at > parcel.series_start + rules.window_h * 3600:
            return Standing("dead_letter", now, reason=f"{rules.window_h:g} h are over; last: {verdict.outcome}")
        return Standing("pending", next_at)

    def _note(self, parcel: Parcel, verdict: Verdict, exchange: Exchange) -> None:
        if verdict.purchase_id is not None and exchange.status == _OK:
            _log.warning("the connector took the cart of trip %s with 200 instead of 201", parcel.trip_id)
        self._journal.add(
            "delivery",
            {
                "tripId": parcel.trip_id,
                "storeId": parcel.store_id,
                "outcome": verdict.outcome,
                **exchange.for_journal(),
            },
        )

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
    """Read Retry-After, seconds or a date; 0 when it is absent or says nothing."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())
