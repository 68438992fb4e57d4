"""A day at a platform with a clock of its own: orders, their money, and the intra-day files about them.

The day is played once. Each consumer gets the messages about its files in a queue of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.errors import HarnessBroke
from conformance.platform_control import Fault, PlatformControl
from conformance.retailer_clients.accepting_connector import accepting_connector, purchase_id
from conformance.retailer_clients.addresses import Addresses
from conformance.retailer_clients.charging import Charging
from conformance.retailer_clients.servers import served_platform
from conformance.retailer_clients.shop import Shop
from jwo_contract.house import House

if TYPE_CHECKING:
    from conformance.retailer_clients.queues import Queues

_QUARTER_S = 900.0
_TIMEOUT_S = 20.0
_POLL_EVERY_S = 0.02


class Order(NamedTuple):
    """An order as a consumer must book it. Amounts are what was captured and refunded until the end of the day."""

    trip: str
    purchase: str
    items: dict[str, Decimal]
    captured: Decimal = Decimal("0.00")
    refunded: Decimal = Decimal("0.00")


class FeedDay(NamedTuple):
    """A played day: the orders, each for its kind, and the messages about each of the three files."""

    plain: Order
    split: Order
    repeated: Order
    empty: Order
    late: Order
    files: tuple[str, str, str]

    @property
    def orders(self) -> tuple[Order, ...]:
        """All orders of the day."""
        return (self.plain, self.split, self.repeated, self.empty, self.late)


def play_day(addresses: Addresses) -> FeedDay:
    """Play the day at a new platform that shares the substitute for AWS. Raises HarnessBroke if a file is missing."""
    from conformance.retailer_clients.queues import Queues  # noqa: PLC0415 - boto3 is slow, and not in the base install

    own = {"JWO_PLATFORM_CLOCK_SPEED": "0"}
    with (
        closing(Queues(addresses.aws_url, addresses.region)) as queues,
        accepting_connector() as connector,
        served_platform(House(), addresses.aws_url, **own) as url,
        PlatformControl(url) as control,
    ):
        return _play(Shop(addresses._replace(platform_url=url), control, connector), queues)


def _play(shop: Shop, queues: Queues) -> FeedDay:
    control, charging = shop.control, Charging(shop)
    queue_url, queue_arn = queues.create(f"intra-day-{shop.account.id}")
    control.subscribe_to_files(shop.account.retailer, queue_arn)
    plain = _order(shop, {"SKU-001": 1, "SKU-002": 2})
    split = _order(shop, {"SKU-003": 3, "SKU-004": 1}, Fault("order_split"))
    repeated = _order(shop, {"SKU-005": 2}, Fault("order_repeated"))
    charging.capture(plain.trip, Decimal("12.30"))
    charging.capture(repeated.trip, Decimal("0.10"))
    _end_quarter(shop)
    empty = _order(shop, {})
    charging.cancel(empty.trip)
    charging.capture(split.trip, Decimal("4.05"))
    _end_quarter(shop)
    late = _order(shop, {"SKU-006": 1})
    charging.capture(late.trip, Decimal("0.29"))
    charging.refund(plain.trip, Decimal("2.35"))
    charging.refund(plain.trip, Decimal("2.35"))
    _end_quarter(shop)
    first, second, third = queues.take(queue_url, 3, _TIMEOUT_S)
    return FeedDay(
        plain._replace(captured=Decimal("12.30"), refunded=Decimal("4.70")),
        split._replace(captured=Decimal("4.05")),
        repeated._replace(captured=Decimal("0.10")),
        empty,
        late._replace(captured=Decimal("0.29")),
        (first, second, third),
    )


def _order(shop: Shop, items: dict[str, int], *faults: Fault) -> Order:
    """Let a shopper buy some items, and wait until the cart is delivered."""
    trip = shop.enter()
    for fault in faults:
        shop.control.arm(fault, trip=trip)
    for sku, quantity in items.items():
        shop.control.pick(trip, sku, quantity)
    shop.control.leave(trip)
    _wait(lambda: shop.control.delivery(trip).get("state") == "delivered", "a cart is not delivered")
    wanted = {sku: Decimal(quantity) for sku, quantity in items.items()}
    return Order(trip, purchase_id(trip) if items else "", wanted)


def _end_quarter(shop: Shop) -> None:
    """Move the clock by a quarter of an hour, and wait until its file is announced."""
    before = shop.control.files_of(shop.account.retailer)
    shop.control.advance(_QUARTER_S)
    _wait(lambda: shop.control.files_of(shop.account.retailer) > before, "an intra-day file is missing")


def _wait(is_done: Callable[[], Any], problem: str) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while not is_done():
        if time.monotonic() > deadline:
            raise HarnessBroke(f"the simulated platform: {problem} after {_TIMEOUT_S:g} s")
        time.sleep(_POLL_EVERY_S)
