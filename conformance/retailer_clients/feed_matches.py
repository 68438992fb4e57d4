"""Matches over the reports of a feed consumer: each returns a Mismatch if a report breaks a rule, or None."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from conformance.errors import NotDeclared
from conformance.match import Mismatch
from conformance.retailer_clients import call_matches
from conformance.retailer_clients.feed_day import Order
from conformance.retailer_clients.feed_jobs import Booked, FeedJob
from conformance.retailer_clients.files import compare_amounts
from jwo_toolkit.json_types import JsonObject


def booked_every_order(job: FeedJob) -> Mismatch | None:
    """Match when the report after both runs has each order, with its purchase."""
    orders = _orders(job.second)
    purchases = {trip: order.get("purchaseId") or "" for trip, order in orders.items()}
    wrong = [order.trip for order in job.day.orders if purchases.get(order.trip) != order.purchase]
    got = f"missing or with another purchaseId: {', '.join(wrong)}; {job.second.run.in_short()}"
    return Mismatch(f"{len(job.day.orders)} orders with their purchaseId", got) if wrong else None


def booked_nothing_else(job: FeedJob) -> Mismatch | None:
    """Match when the report has no other order."""
    extra = set(_reported(job.second)) - {order.trip for order in job.day.orders}
    return Mismatch("the orders of the files only", ", ".join(sorted(extra))) if extra else None


def booked_the_repeated_file_once(job: FeedJob) -> Mismatch | None:
    """Match when the items of the first file, which came twice in the first run, count once."""
    return _items(job.first, job.day.plain)


def booked_the_repeated_order_once(job: FeedJob) -> Mismatch | None:
    """Match when the items of an order that is in two files count once."""
    return _items(job.second, job.day.repeated)


def joined_the_split_order(job: FeedJob) -> Mismatch | None:
    """Match when the order that spans two files has all its items and its purchase after the first run."""
    split = job.day.split
    purchase = _orders(job.first).get(split.trip, {}).get("purchaseId")
    if purchase != split.purchase:
        return Mismatch(f"purchaseId {split.purchase} for an order that spans two files", str(purchase))
    return _items(job.first, split)


def booked_the_old_file_once(job: FeedJob) -> Mismatch | None:
    """Match when a file that both runs got counts once: its items, and the money of its order."""
    split = job.day.split
    return _items(job.second, split) or _money(job.second, "captured", [split])


def booked_the_captures(job: FeedJob) -> Mismatch | None:
    """Match when what was captured agrees to the cent, for each order and in total."""
    return _money(job.second, "captured", job.day.orders) or _total(job, "captured")


def booked_the_refunds(job: FeedJob) -> Mismatch | None:
    """Match when what was refunded agrees to the cent, for each order and in total."""
    return _money(job.second, "refunded", job.day.orders) or _total(job, "refunded")


def emptied_the_queue(job: FeedJob) -> Mismatch | None:
    """Match when no message was left in the queue after a run."""
    _reported(job.second)
    left = job.first.left + job.second.left
    return Mismatch("no message left in the queue", f"{left} left; {job.second.run.in_short()}") if left else None


def ended(job: FeedJob) -> Mismatch | None:
    """Match when both runs ended before their time limit. Raises NotDeclared if none wrote a report."""
    _reported(job.first if isinstance(job.first.result, dict) else job.second)
    return call_matches.ended(job.first.run) or call_matches.ended(job.second.run)


def _orders(booked: Booked) -> dict[str, JsonObject]:
    """Return the reported orders by trip; empty without a report."""
    orders = booked.result.get("orders") if isinstance(booked.result, dict) else None
    found = orders if isinstance(orders, dict) else {}
    return {trip: order for trip, order in found.items() if isinstance(order, dict)}


def _reported(booked: Booked) -> dict[str, JsonObject]:
    """Return the reported orders by trip. Raises NotDeclared if there are none."""
    if orders := _orders(booked):
        return orders
    raise NotDeclared(f"the consumer reported no order, which FEED-X.1 judges: {booked.run.in_short()}")


def _items(booked: Booked, order: Order) -> Mismatch | None:
    items = _reported(booked).get(order.trip, {}).get("items")
    given = items if isinstance(items, dict) else {}
    got = {str(sku): _quantity(value) for sku, value in given.items()}
    if got == order.items:
        return None
    wanted = {sku: str(quantity) for sku, quantity in order.items.items()}
    return Mismatch(f"the items {wanted} for order {order.trip}", f"{items}; {booked.run.in_short()}")


def _money(booked: Booked, what: str, orders: Iterable[Order]) -> Mismatch | None:
    reported = _reported(booked)
    wanted = {order.trip: getattr(order, what) for order in orders}
    return compare_amounts(what, wanted, {trip: reported.get(trip, {}).get(what) for trip in wanted})


def _total(job: FeedJob, what: str) -> Mismatch | None:
    name, result = f"{what}Total", job.second.result
    total = sum((getattr(order, what) for order in job.day.orders), Decimal(0))
    return compare_amounts("the total", {name: total}, {name: result.get(name)} if isinstance(result, dict) else {})


def _quantity(value: Any) -> Decimal | None:  # noqa: ANN401 - any JSON
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
