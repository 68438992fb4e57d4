"""A small, correct catalog client. Each fault is a subclass that overrides the method that it breaks.

It uses only the environment variables of a catalog client, the standard library, and `small_client`.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from pathlib import Path

from conformance.mutants.small_client import Document, GaveUp, SmallClient, send

Row = dict[str, str]
UPLOAD, STATUS = "/v1/catalog/upload", "/v1/catalog/getCatalogUploadStatus"
_PATIENCE_S, _ASK_EVERY_S, _LOOK_EVERY_S, _LONGEST_S = 2.0, 0.3, 0.15, 30.0
_OK = 200


class SmallCatalogClient(SmallClient):
    """Uploads the rows of a file, follows every upload to its report, and names the rejected rows."""

    final_statuses: tuple[str, ...] = ("DONE", "CANCELLED", "FATAL")
    most_items = 10_000
    """The largest number of items in an upload."""
    prefix = "CATALOG"
    reports_by = "exit_code"
    """How the client reports rejected rows, as a profile declares it: by its exit code, or by its output."""
    asks_for_status = True
    """Whether the client asks for the status of uploads without a message."""

    def run(self, rows: list[Row]) -> int:
        """Upload the rows and return the exit code: 1 if a row was rejected or an upload failed."""
        self.confirm()
        ids = self.upload(rows)
        return self.finish(ids, self.follow(ids))

    def finish(self, ids: list[str], reports: list[Document]) -> int:
        """Print the rejected rows and return the exit code."""
        rejected = [row["item_sku"] for report in reports for row in report["items"] if row["status"] == "REJECTED"]
        print("rejected:", ", ".join(rejected) or "none")  # noqa: T201 - the client's output
        return 1 if rejected or len(reports) < len(ids) else 0

    # uploading

    def upload(self, rows: list[Row]) -> list[str]:
        """Upload all rows and return the ids of the ingestions."""
        return [self.upload_part(part) for part in self.parts(self.prepared(rows))]

    def prepared(self, rows: list[Row]) -> list[Document]:
        """Return the items of the rows."""
        return [self.item(row) for row in rows]

    def item(self, row: Row) -> Document:
        """Return the item of a row."""
        return dict(row)

    def parts(self, items: list[Document]) -> list[list[Document]]:
        """Split items into uploads."""
        return [items[start : start + self.most_items] for start in range(0, len(items), self.most_items)]

    def upload_part(self, part: list[Document]) -> str:
        """Upload some items and return the id of the ingestion."""
        return str(self.call(UPLOAD, self.upload_body(part))["ingestionId"])

    def upload_body(self, part: list[Document]) -> bytes:
        """Return the body of an upload."""
        return json.dumps({"catalogItems": part}).encode()

    # following uploads to their end

    def follow(self, ids: list[str]) -> list[Document]:
        """Wait for the end of every ingestion, and return the available reports."""
        results: dict[str, Document] = {}
        deadline, patient_until = time.monotonic() + _LONGEST_S, time.monotonic() + _PATIENCE_S
        while len(results) < len(ids) and time.monotonic() < deadline:
            results |= self.results_of_messages(ids, results)
            if time.monotonic() > patient_until and self.asks_for_status:
                results |= self.ask([each for each in ids if each not in results])
        return [report for report in results.values() if report]

    def results_of_messages(self, ids: list[str], results: dict[str, Document]) -> dict[str, Document]:
        """Return the results from the messages in the queue, by ingestion."""
        found: dict[str, Document] = {}
        for message in self.messages():
            if message["ingestionId"] == self.awaited(ids, results | found, message):
                found |= self.result(message["ingestionId"], message)
        return found

    def awaited(self, ids: list[str], results: dict[str, Document], message: Document) -> str:
        """Return the ingestion that a message reports, if this client started it; otherwise empty."""
        del results
        return str(message["ingestionId"]) if message["ingestionId"] in ids else ""

    def ask(self, ids: list[str]) -> dict[str, Document]:
        """Ask for the status of ingestions, wait 0.3 seconds, and return the available results."""
        answers = [self.status(each) for each in ids]
        time.sleep(_ASK_EVERY_S)
        return self.results(ids, answers)

    def results(self, ids: list[str], answers: list[Document]) -> dict[str, Document]:
        """Return the results of status answers, by ingestion."""
        found: dict[str, Document] = {}
        for ingestion, answer in zip(ids, answers, strict=False):
            found |= self.result(ingestion, answer)
        return found

    def status(self, ingestion: str) -> Document:
        """Ask for the status of an ingestion."""
        return self.call(STATUS, json.dumps({"ingestionId": ingestion}).encode())

    def result(self, ingestion: str, answer: Document) -> dict[str, Document]:
        """Return the report of a finished ingestion, by its id (empty without a report); no entry before its end."""
        if answer["processingStatus"] not in self.final_statuses:
            return {}
        if answer["processingStatus"] != "DONE":
            return {ingestion: {}}
        return self.report(ingestion, answer["reportDownloadLink"])

    def report(self, ingestion: str, link: str) -> dict[str, Document]:
        """Fetch a report; if the link has expired, get a new link."""
        reply = send(link, None, {})
        if reply.status == _OK:
            return {ingestion: json.loads(reply.body)}
        return self.report_again(ingestion, link)

    def report_again(self, ingestion: str, link: str) -> dict[str, Document]:
        """Fetch a report with a new link."""
        del link
        return self.report(ingestion, self.status(ingestion)["reportDownloadLink"])

    # the queue

    def confirm(self) -> None:
        """Take the SubscriptionConfirmation out of the queue and confirm the subscription."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            for envelope in self.envelopes():
                if envelope["Type"] == "SubscriptionConfirmation":
                    self.subscribe(envelope["SubscribeURL"])
                    return

    def subscribe(self, url: str) -> None:
        """Confirm the subscription with its link."""
        send(url, None, {})

    def messages(self) -> list[Document]:
        """Return the messages in the queue; if it is empty, wait 0.15 seconds."""
        found = [json.loads(one["Message"]) for one in self.envelopes() if one["Type"] == "Notification"]
        if not found:
            time.sleep(_LOOK_EVERY_S)
        return found

    def envelopes(self) -> list[Document]:
        """Take the envelopes out of the queue."""
        queue = {"QueueUrl": self.environment["CATALOG_QUEUE_URL"]}
        found = self._sqs("ReceiveMessage", {**queue, "MaxNumberOfMessages": 10}).get("Messages", [])
        for message in found:
            self._sqs("DeleteMessage", {**queue, "ReceiptHandle": message["ReceiptHandle"]})
        return [json.loads(message["Body"]) for message in found]

    def _sqs(self, action: str, body: Document) -> Document:
        url, content = self.environment["AWS_ENDPOINT_URL"] + "/", json.dumps(body).encode()
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}"}
        reply = send(url, content, headers | self.signature(url, content, "sqs"))
        return dict(json.loads(reply.body or b"{}"))


def main(client: type[SmallCatalogClient] = SmallCatalogClient) -> int:
    """Upload the file that the environment names, and return the exit code."""
    with Path(os.environ["CATALOG_CSV"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        return client(os.environ).run(rows)
    except GaveUp as error:
        print(error, file=sys.stderr)  # noqa: T201 - the client's output
        return 2


if __name__ == "__main__":
    sys.exit(main())
