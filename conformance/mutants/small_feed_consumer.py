"""A small, correct consumer of intra-day files. Each fault is a subclass that overrides the method that it breaks."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote, unquote_plus

from conformance.mutants.small_client import Document, SmallClient, send

Row = dict[str, str]


class SmallFeedConsumer(SmallClient):
    """Reads its queue until it is empty, keeps each row once, and reports what all rows make."""

    prefix = "FEED"

    def run(self) -> int:
        """Book the files of all messages and return the exit code."""
        rows = self.load()
        while messages := self.receive():
            for message in messages:
                for key in self.keys_of(message):
                    self.book(rows, key)
                self.save(rows)
                self.delete(message)
        self.report(rows)
        return 0

    # the queue and the files

    def receive(self) -> list[Document]:
        """Return some messages of the queue."""
        return list(self.sqs("ReceiveMessage", {"MaxNumberOfMessages": 10}).get("Messages", []))

    def delete(self, message: Document) -> None:
        """Delete a booked message."""
        self.sqs("DeleteMessage", {"ReceiptHandle": message["ReceiptHandle"]})

    def sqs(self, action: str, body: Document) -> Document:
        """Call the queue."""
        url = self.environment["AWS_ENDPOINT_URL"] + "/"
        content = json.dumps({"QueueUrl": self.environment["FEED_QUEUE_URL"], **body}).encode()
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}"}
        return dict(json.loads(send(url, content, headers | self.signature(url, content, "sqs")).body or b"{}"))

    def keys_of(self, message: Document) -> list[str]:
        """Return bucket and key of each file that a message names."""
        event = json.loads(json.loads(message["Body"])["Message"])
        places = [record["s3"] for record in event["Records"]]
        return [f"{place['bucket']['name']}/{unquote_plus(place['object']['key'])}" for place in places]

    def file(self, key: str) -> list[Row]:
        """Fetch a file and return its rows."""
        url = f"{self.environment['AWS_ENDPOINT_URL']}/{quote(key)}"
        reply = send(url, None, self.signature(url, b"", "s3", "GET"))
        return list(csv.DictReader(io.StringIO(reply.body.decode())))

    # the books

    def book(self, rows: dict[str, Row], key: str) -> None:
        """Keep the rows of a file."""
        for row in self.file(key):
            self.keep(rows, row)

    def keep(self, rows: dict[str, Row], row: Row) -> None:
        """Keep a row under its id."""
        rows[row["recordId"]] = row

    def load(self) -> dict[str, Row]:
        """Return the rows that earlier runs have kept."""
        path = self.state()
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

    def save(self, rows: dict[str, Row]) -> None:
        """Keep the rows for later runs."""
        self.state().write_text(json.dumps(rows), encoding="utf-8")

    def state(self) -> Path:
        """Return the file of the kept rows."""
        return Path(self.environment["FEED_STATE"]) / "rows.json"

    # the report

    def report(self, rows: dict[str, Row]) -> None:
        """Write all orders and the totals."""
        orders: dict[str, Document] = {}
        for row in rows.values():
            self.add(orders, row)
        totals = {
            what: sum((order[what] for order in orders.values()), Decimal(0)) for what in ("captured", "refunded")
        }
        report = {
            "orders": {trip: self.shown(order) for trip, order in orders.items()},
            **{f"{what}Total": self.money(total) for what, total in totals.items()},
        }
        Path(self.environment["FEED_RESULT"]).write_text(json.dumps(report), encoding="utf-8")

    def add(self, orders: dict[str, Document], row: Row) -> None:
        """Add a row to its order."""
        new = {"purchaseId": "", "items": {}, "captured": Decimal(0), "refunded": Decimal(0)}
        order = orders.setdefault(row["shoppingTripId"], new)
        if row["recordType"] == "ORDER":
            order["purchaseId"] = row["purchaseId"]
        elif row["recordType"] == "ORDER_LINE":
            items = order["items"]
            items[row["productId"]] = items.get(row["productId"], Decimal(0)) + Decimal(row["quantity"])
        elif what := self.kind_of(row):
            order[what] += self.amount(row)

    def kind_of(self, row: Row) -> str:
        """Return which amount of an order a charge changes; empty for a cancelled one."""
        if row["operation"] == "Refund Charge":
            return "refunded"
        return "captured" if row["operation"] in {"Capture Charge", "Checkout Cart"} else ""

    def amount(self, row: Row) -> Decimal:
        """Return the amount of a charge."""
        return Decimal(row["amount"])

    def shown(self, order: Document) -> Document:
        """Return an order for the report."""
        items = {sku: str(quantity) for sku, quantity in order["items"].items()}
        money = {what: self.money(order[what]) for what in ("captured", "refunded")}
        return {"purchaseId": order["purchaseId"], "items": items, **money}

    def money(self, amount: Decimal) -> str:
        """Return an amount for the report."""
        return f"{amount:.2f}"


def main(consumer: type[SmallFeedConsumer] = SmallFeedConsumer) -> int:
    """Book the files of the queue that the environment names, and return the exit code."""
    return consumer(os.environ).run()


if __name__ == "__main__":
    sys.exit(main())
