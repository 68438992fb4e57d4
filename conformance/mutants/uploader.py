"""A small catalog client, correct or with one fault that is named by its argument: `python uploader.py FAULT`.

It knows nothing of this project but the variables that a catalog client is told, and needs the standard library only.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from typing import NamedTuple

from jwo_toolkit.json_types import JsonObject

Row = dict[str, str]
_UPLOAD, _STATUS = "/v1/catalog/upload", "/v1/catalog/getCatalogUploadStatus"
_MOST_ITEMS, _MOST_TRIES = 10_000, 4
_PATIENCE_S, _ASK_EVERY_S, _LOOK_EVERY_S, _LONGEST_S = 2.0, 0.3, 0.15, 30.0
_FINAL = ("DONE", "CANCELLED", "FATAL")
_OK, _THROTTLED, _FAILED = 200, 429, 500
_TRUSTS_ITS_QUEUE = {
    "waits_for_the_message_for_ever",
    "drops_messages_of_other_uploads",
    "tries_the_old_link_again",
    "counts_messages",
}


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: Message
    body: bytes


class GaveUp(Exception):
    """The platform does not take it."""


class Uploader:
    """Uploads rows and follows them to their reports."""

    def __init__(self, fault: str, told: Mapping[str, str]) -> None:
        self._fault = fault
        self._told = told
        self._old_links: dict[str, int] = {}

    def run(self, rows: list[Row]) -> int:
        """Do it all; returns the exit code."""
        self._confirm()
        ids = self._upload(rows)
        if self._fault == "uploads_and_forgets":
            return 0
        reports = self._follow(ids[-1:] if self._fault == "keeps_the_last_id_only" else ids)
        rejected = [row["item_sku"] for report in reports for row in report["items"] if row["status"] == "REJECTED"]
        if self._fault == "never_ends":
            time.sleep(600)
        if self._fault == "hides_rejected_rows":
            return 0
        print("rejected:", ", ".join(rejected) or "none")  # noqa: T201 - the client's output
        return 1 if rejected or len(reports) < len(ids) else 0

    def _upload(self, rows: list[Row]) -> list[str]:
        parts = self._parts(self._prepared(rows))
        if self._fault == "uploads_small_parts_all_at_once":
            with ThreadPoolExecutor(64) as pool:
                return list(pool.map(self._upload_part, parts))
        return [self._upload_part(part) for part in parts]

    def _prepared(self, rows: list[Row]) -> list[JsonObject]:
        spoilt: list[JsonObject] = [dict(row) for row in rows]
        if self._fault == "uploads_each_sku_once":
            spoilt = list({row["item_sku"]: row for row in spoilt}.values())
        if self._fault == "uploads_what_is_not_in_the_file":
            spoilt.append({**spoilt[0], "item_sku": "TEST-ITEM", "external_product_id": "000000000000"})
        for row in spoilt:
            if self._fault == "takes_barcodes_for_numbers":
                row["external_product_id"] = str(int(row["external_product_id"]))
            if self._fault == "cuts_names":
                row["item_name"] = row["item_name"][:4]
            if self._fault == "moves_the_decimal_point":
                row["standard_price"] = row["standard_price"].replace(".", "")
            if self._fault == "names_fields_its_own_way":
                row["sku"] = row.pop("item_sku")
            if self._fault == "leaves_the_store_out":
                del row["store_id"]
            if self._fault == "sends_its_own_store_number":
                row["store_id"] = "17"
        return spoilt

    def _parts(self, rows: list[JsonObject]) -> list[list[JsonObject]]:
        small = self._fault == "uploads_small_parts_all_at_once"
        size = 200 if small else {"forgets_to_split": 10**9, "splits_at_10001": 10_001}.get(self._fault, _MOST_ITEMS)
        step = size - 1 if self._fault == "overlaps_its_parts" else size
        parts = [rows[start : start + size] for start in range(0, len(rows), step)]
        if self._fault == "forgets_the_last_part":
            return parts[:-1] or parts
        return [part[1:] for part in parts] if self._fault == "loses_a_row_of_each_part" else parts

    def _upload_part(self, part: list[JsonObject]) -> str:
        body = json.dumps(part if self._fault == "sends_a_bare_list" else {"catalogItems": part}).encode()
        return str(self._call(_UPLOAD, body)["ingestionId"])

    def _call(self, path: str, body: bytes) -> JsonObject:
        """Call the catalog API until it answers well, as often as that makes sense."""
        for attempt in range(_MOST_TRIES):
            reply = self._signed(path, body)
            if reply.status < 300:  # noqa: PLR2004 - the 2xx
                return dict(json.loads(reply.body))
            pause_s = self._pause_s(reply, attempt)
            if pause_s is None:
                break
            time.sleep(pause_s)
        raise GaveUp(f"{path} answered {reply.status}: {reply.body[:200].decode(errors='replace')}")

    def _pause_s(self, reply: Reply, attempt: int) -> float | None:
        asked = reply.headers.get("Retry-After")
        if reply.status == _THROTTLED and self._fault != "takes_429_for_final":
            return 0.0 if self._fault == "tries_429_at_once" else float(asked or 2**attempt)
        if reply.status != _FAILED or self._fault == "takes_every_500_for_final":
            return None
        if asked is None and self._fault != "tries_every_500_again":
            return None
        return 0.0 if self._fault == "tries_500_at_once" else float(asked or 0.2)

    def _signed(self, path: str, body: bytes) -> Reply:
        url = self._told["CATALOG_ENDPOINT"] + path
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._fault == "says_that_it_is_a_form":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if self._fault != "signs_nothing" and (path == _UPLOAD or self._fault != "signs_its_uploads_only"):
            service = "s3" if self._fault == "signs_for_another_service" else "execute-api"
            headers |= self._signature(url, b"" if self._fault == "signs_an_empty_body" else body, service)
        return _sent(url, body, headers)

    def _signature(self, url: str, body: bytes, service: str) -> dict[str, str]:
        """Sign by AWS Signature Version 4, with the host and the headers of AWS covered."""
        region = "eu-north-1" if self._fault == "signs_for_another_region" else self._told["AWS_REGION"]
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        parts = urllib.parse.urlsplit(url)
        covered = {"host": parts.netloc, "x-amz-date": stamp}
        if self._told.get("AWS_SESSION_TOKEN") and self._fault != "forgets_the_session_token":
            covered["x-amz-security-token"] = self._told["AWS_SESSION_TOKEN"]
        names = ";".join(sorted(covered))
        lines = [f"{name}:{covered[name]}" for name in sorted(covered)]
        canonical = "\n".join(["POST", parts.path or "/", "", *lines, "", names, hashlib.sha256(body).hexdigest()])
        scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = b"AWS4" + self._told["AWS_SECRET_ACCESS_KEY"].encode()
        for word in (*scope.split("/"), text):
            key = hmac.digest(key, word.encode(), "sha256")
        credential = f"{self._told['AWS_ACCESS_KEY_ID']}/{scope}"
        value = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={key.hex()}"
        return {**{name: value for name, value in covered.items() if name != "host"}, "Authorization": value}

    def _follow(self, ids: list[str]) -> list[JsonObject]:
        """Wait for the end of every ingestion and return the reports that there are."""
        results: dict[str, JsonObject] = {}
        deadline, patient_until = time.monotonic() + _LONGEST_S, time.monotonic() + _PATIENCE_S
        heard = 0
        while len(results) < len(ids) and heard < len(ids) and time.monotonic() < deadline:
            if self._fault == "signs_its_uploads_only":
                self._asked(ids)
            for told in self._messages():
                if self._fault == "counts_messages":
                    heard += 1
                    if heard > len(ids):
                        break
                if told["ingestionId"] == self._awaited(ids, results, told):
                    results |= self._result(told["ingestionId"], told)
            if self._fault == "polls_without_a_pause" or time.monotonic() > patient_until:
                results |= self._asked([each for each in ids if each not in results])
        return [report for report in results.values() if report]

    def _awaited(self, ids: list[str], results: JsonObject, told: JsonObject) -> str:
        """Return the ingestion that a message is taken for: its own, or with a fault the first that is open."""
        if self._fault == "drops_messages_of_other_uploads":
            return next((each for each in ids if each not in results), "")
        return str(told["ingestionId"]) if told["ingestionId"] in ids else ""

    def _asked(self, open_ids: list[str]) -> dict[str, JsonObject]:
        if self._fault in _TRUSTS_ITS_QUEUE:
            return {}
        if self._fault == "polls_without_a_pause":
            with ThreadPoolExecutor(24) as pool:
                answers = list(pool.map(self._status, open_ids * 12))
        else:
            answers = [self._status(each) for each in open_ids]
            time.sleep(_ASK_EVERY_S)
        found: dict[str, JsonObject] = {}
        for ingestion, told in zip(open_ids, answers, strict=False):
            found |= self._result(ingestion, told)
        return found

    def _status(self, ingestion: str) -> JsonObject:
        return self._call(_STATUS, json.dumps({"ingestionId": ingestion}).encode())

    def _result(self, ingestion: str, told: JsonObject) -> dict[str, JsonObject]:
        """Return the report of an ingestion, empty when it has none; nothing as long as it is not final."""
        final = _FINAL[:1] if self._fault == "waits_for_done_only" else _FINAL
        if told["processingStatus"] not in final:
            return {}
        if told["processingStatus"] != "DONE" or self._fault == "reads_no_report":
            return {ingestion: {}}
        return self._report(ingestion, told["reportDownloadLink"])

    def _report(self, ingestion: str, link: str) -> dict[str, JsonObject]:
        reply = _sent(link, None, {})
        if reply.status == _OK:
            return {ingestion: json.loads(reply.body)}
        if self._fault == "tries_the_old_link_again":
            self._old_links[ingestion] = self._old_links.get(ingestion, 0) + 1
            return self._report(ingestion, link) if self._old_links[ingestion] < _MOST_TRIES else {ingestion: {}}
        return self._report(ingestion, self._status(ingestion)["reportDownloadLink"])

    def _confirm(self) -> None:
        """Confirm the subscription whose invitation lies in the queue."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            for envelope in self._envelopes():
                if envelope["Type"] == "SubscriptionConfirmation":
                    if self._fault != "forgets_the_handshake":
                        _sent(envelope["SubscribeURL"], None, {})
                    return

    def _messages(self) -> list[JsonObject]:
        if self._fault == "polls_without_a_pause":
            return []
        told = [json.loads(one["Message"]) for one in self._envelopes() if one["Type"] == "Notification"]
        if not told:
            time.sleep(_LOOK_EVERY_S)
        return told

    def _envelopes(self) -> list[JsonObject]:
        queue = {"QueueUrl": self._told["CATALOG_QUEUE_URL"]}
        found = self._sqs("ReceiveMessage", {**queue, "MaxNumberOfMessages": 10}).get("Messages", [])
        for message in found:
            self._sqs("DeleteMessage", {**queue, "ReceiptHandle": message["ReceiptHandle"]})
        return [json.loads(message["Body"]) for message in found]

    def _sqs(self, action: str, what: JsonObject) -> JsonObject:
        url, body = self._told["AWS_ENDPOINT_URL"] + "/", json.dumps(what).encode()
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}"}
        reply = _sent(url, body, headers | self._signature(url, body, "sqs"))
        return dict(json.loads(reply.body or b"{}"))


def _sent(url: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
    request = urllib.request.Request(url, body, dict(headers))  # noqa: S310 - the platform's own addresses
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            return Reply(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read())


def main() -> int:
    """Upload the file that the environment names."""
    with Path(os.environ["CATALOG_CSV"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        return Uploader(sys.argv[1] if len(sys.argv) > 1 else "", os.environ).run(rows)
    except GaveUp as error:
        print(error, file=sys.stderr)  # noqa: T201 - the client's output
        return 2


if __name__ == "__main__":
    sys.exit(main())
