"""Faults of a feed consumer. `python -m conformance.mutants.feed_consumer_faults NAME` runs one of them."""

from __future__ import annotations

import sys
import time
from decimal import ROUND_DOWN, Decimal

from conformance.mutants.registry import FEED_FAULTS
from conformance.mutants.small_client import Document
from conformance.mutants.small_feed_consumer import Row, SmallFeedConsumer, main

_fault = FEED_FAULTS.fault


@_fault("FEED-X.1")
class reads_the_first_message_only(SmallFeedConsumer):
    def receive(self) -> list[Document]:
        messages = super().receive()
        for other in messages[1:]:
            self.delete(other)
        return messages[:1]


@_fault("FEED-X.1")
class forgets_orders_of_earlier_runs(SmallFeedConsumer):
    def load(self) -> dict[str, Row]:
        return {}


@_fault("FEED-X.1")
class forgets_the_purchase(SmallFeedConsumer):
    def shown(self, order: Document) -> Document:
        return {**super().shown(order), "purchaseId": ""}


@_fault("FEED-X.2", "FEED-X.3", "FEED-X.5")
class adds_every_row(SmallFeedConsumer):
    def keep(self, rows: dict[str, Row], row: Row) -> None:
        rows[f"{len(rows)}"] = row


@_fault("FEED-X.3")
class remembers_names_of_files_only(SmallFeedConsumer):
    def book(self, rows: dict[str, Row], key: str) -> None:
        if not any(kept.startswith(key) for kept in rows):
            rows |= {f"{key} {number}": row for number, row in enumerate(self.file(key))}


@_fault("FEED-X.5")
class remembers_files_of_this_run_only(SmallFeedConsumer):
    _run = ""

    def book(self, rows: dict[str, Row], key: str) -> None:
        self._run = self._run or str(time.time_ns())
        rows |= {f"{self._run} {key} {number}": row for number, row in enumerate(self.file(key))}


@_fault("FEED-X.4")
class drops_lines_without_their_order(SmallFeedConsumer):
    def keep(self, rows: dict[str, Row], row: Row) -> None:
        if row["recordType"] != "ORDER_LINE" or f"{row['shoppingTripId']}:order" in rows:
            super().keep(rows, row)


@_fault("FEED-X.4")
class closes_an_order_with_its_first_file(SmallFeedConsumer):
    def book(self, rows: dict[str, Row], key: str) -> None:
        closed = {row["shoppingTripId"] for row in rows.values()}
        for row in self.file(key):
            if row["shoppingTripId"] not in closed or row["recordType"] == "CHARGE":
                self.keep(rows, row)


@_fault("FEED-X.6")
class cuts_amounts_to_tenths(SmallFeedConsumer):
    def amount(self, row: Row) -> Decimal:
        return super().amount(row).quantize(Decimal("0.1"), ROUND_DOWN)


@_fault("FEED-X.6")
class reports_binary_fractions(SmallFeedConsumer):
    def money(self, amount: Decimal) -> str:
        return repr(float(amount))


@_fault("FEED-X.6", "FEED-X.7")
class subtracts_refunds_from_captures(SmallFeedConsumer):
    def kind_of(self, row: Row) -> str:
        return super().kind_of(row) and "captured"

    def amount(self, row: Row) -> Decimal:
        return -super().amount(row) if row["operation"] == "Refund Charge" else super().amount(row)


@_fault("FEED-X.7")
class takes_equal_refunds_for_one(SmallFeedConsumer):
    def keep(self, rows: dict[str, Row], row: Row) -> None:
        names = ("shoppingTripId", "recordType", "lineNumber", "operation", "amount")
        rows[" ".join(row[name] for name in names)] = row


@_fault("FEED-X.8")
class books_a_test_order(SmallFeedConsumer):
    def report(self, rows: dict[str, Row]) -> None:
        test = {**next(iter(rows.values())), "shoppingTripId": "TEST", "recordType": "ORDER", "purchaseId": "TEST"}
        super().report({**rows, "TEST": test})


@_fault("FEED-X.9")
class never_deletes(SmallFeedConsumer):
    def delete(self, message: Document) -> None:
        pass


@_fault("FEED-X.10", slow=True)
class polls_without_end(SmallFeedConsumer):
    def report(self, rows: dict[str, Row]) -> None:
        super().report(rows)
        time.sleep(600)


if __name__ == "__main__":
    sys.exit(main(FEED_FAULTS.class_of("".join(sys.argv[1:2]))))
