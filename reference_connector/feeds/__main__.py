"""`python -m reference_connector.feeds`: books what the queues hold, writes a report, and ends.

The settings are those of the connector, JWO_CONNECTOR_* and JWO_DATABASE_URL. It may run beside the connector.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from jwo_contract.errors import BadSettings
from jwo_contract.settings import read
from reference_connector.app import make_store
from reference_connector.errors import ConnectorError, FeedUnavailable
from reference_connector.feeds.composition import make_consumers
from reference_connector.feeds.consumer import Consumer
from reference_connector.feeds.retention import Retention
from reference_connector.pricing.goods import as_text
from reference_connector.settings import ConnectorSettings
from reference_connector.store import Records, Store
from reference_connector.store.books import BookedOrder, StoredRecord
from reference_connector.store.removed_books import RemovedDay
from reference_connector.telemetry import EventLog, system_clock

_PAGE = 200
_NOTHING = (Decimal("0.00"), Decimal("0.00"))


def main() -> None:
    """Book, and write the report. Ends with 2 for a wrong setting, and with 1 if a queue or the database fails."""
    parser = argparse.ArgumentParser(prog="python -m reference_connector.feeds", description=__doc__)
    parser.add_argument("--report", type=Path, help="file for the books as JSON; default standard output")
    given = parser.parse_args()
    try:
        settings = read(ConnectorSettings)
        if not settings.feeds.is_on:
            parser.error("there is no queue; set JWO_CONNECTOR_FEEDS__FILES_QUEUE_URL or __EVENTS_QUEUE_URL")
        report = orjson.dumps(
            asyncio.run(_books_after(settings)), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        )
        if given.report:
            given.report.write_bytes(report)
        else:
            sys.stdout.write(report.decode())
    except BadSettings as error:
        parser.error(str(error))
    except (ConnectorError, OSError) as error:
        hint = getattr(error, "hint", "")
        parser.exit(1, f"{error}; {hint}\n" if hint else f"{error}\n")


async def _books_after(settings: ConnectorSettings) -> dict[str, Any]:
    """Read the queues until they are empty; return the books."""
    log = EventLog(system_clock)
    store = make_store(settings, log)
    block_amazon = settings.auth.block_amazon_hosts
    consumers = make_consumers(settings.feeds, store, system_clock, log, block_amazon=block_amazon)
    store.open()
    try:
        for consumer in consumers.by_queue.values():
            await empty(consumer, settings.feeds.attempts_max, settings.feeds.retry_s)
        await Retention(store, settings.feeds, system_clock, log).sweep()
        return await _report(store)
    finally:
        consumers.close()
        store.close()


async def empty(consumer: Consumer, attempts: int, pause_s: float) -> None:
    """Read a queue until a call returns no message, and no message must come again.

    SQS hides a message that failed for a while, so an empty answer alone does not mean that all messages are booked.
    Raises FeedUnavailable after a number of calls that did not help.
    """
    unfinished: set[str] = set()
    while attempts > 0:
        found = await consumer.poll_each()
        failed = {body for body, is_done in found if not is_done}
        unfinished = (unfinished - {body for body, _ in found}) | failed
        if not found and not unfinished:
            return
        if failed or not found:
            attempts -= 1
            await asyncio.sleep(pause_s)
    raise FeedUnavailable(
        f"the queue {consumer.name} has messages that must come again", hint="see the log, and run the command again"
    )


async def _report(store: Store) -> dict[str, Any]:
    """Return all orders of the books, and the sums by currency; with one currency, also as totals.

    The sums include the removed orders, which the report does not list.
    """
    orders: dict[str, Any] = {}
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    page, place = await store.transact(_page, b"")
    while place:
        for order, records in page:
            orders[order.trip_id] = _order(order, records)
            _add(sums, order)
        page, place = await store.transact(_page, place)
    for day in await store.transact(lambda records: records.books.removed.days()):
        _add(sums, day)
    shown = {currency: _texts(*both) for currency, both in sums.items()}
    letters = await store.transact(lambda records: records.books.count_letters())
    report = {"orders": orders, "sums": shown, "deadLetters": letters}
    if len(sums) > 1:
        return report
    total = next(iter(shown.values()), _texts(*_NOTHING))
    return {**report, "capturedTotal": total["captured"], "refundedTotal": total["refunded"]}


def _add(sums: dict[str, tuple[Decimal, Decimal]], money: BookedOrder | RemovedDay) -> None:
    if money.currency:
        captured, refunded = sums.get(money.currency, _NOTHING)
        sums[money.currency] = captured + money.captured, refunded + money.refunded


def _texts(captured: Decimal, refunded: Decimal) -> dict[str, str]:
    return {"captured": as_text(captured), "refunded": as_text(refunded)}


def _page(records: Records, after: bytes) -> tuple[list[tuple[BookedOrder, list[StoredRecord]]], bytes]:
    """Return some orders with their records, and the place of the last trip of the page; empty at the end."""
    pairs = records.books.pairs_after(after, _PAGE)
    found = [(pair.order, records.books.records_of(pair.order.trip_id)) for pair in pairs if pair.order]
    return found, pairs[-1].place if pairs else b""


def _order(order: BookedOrder, records: list[StoredRecord]) -> dict[str, Any]:
    items: dict[str, Decimal] = defaultdict(Decimal)
    for stored in records:
        if stored.record.kind == "line":
            items[stored.record.facts["productId"]] += Decimal(stored.record.facts["quantity"])
    return {
        "purchaseId": order.purchase_id,
        "items": {sku: f"{quantity:f}" for sku, quantity in items.items()},
        "isWhole": order.is_whole,
        **_texts(order.captured, order.refunded),
        "currency": order.currency,
    }


if __name__ == "__main__":
    main()
