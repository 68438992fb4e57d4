"""A shop's nightly catalog upload, as another team would write it: with boto3 and urllib3, and sequential.

It reads the JSON file, sends parts of 4,000 items, asks for their status, and uses its queue to get results early.
"""

import json
import os
import pathlib
import sys
import time

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session

ENDPOINT = sys.argv[1].rstrip("/")
PART = 4_000
FINAL = {"DONE", "CANCELLED", "FATAL"}

http = urllib3.PoolManager(timeout=30, retries=False)
queue = boto3.resource("sqs").Queue(os.environ["CATALOG_QUEUE_URL"])
confirmed = []


def post(path: str, body: dict) -> dict:
    text = json.dumps(body)
    for attempt in range(6):
        request = AWSRequest("POST", ENDPOINT + path, {"content-type": "application/json; charset=utf-8"}, text)
        credentials = Session().get_credentials().get_frozen_credentials()
        SigV4Auth(credentials, "execute-api", os.environ["AWS_REGION"]).add_auth(request)
        answer = http.request("POST", request.url, headers=dict(request.headers), body=text.encode())
        if answer.status in (200, 201):
            time.sleep(0.15)  # far below ten calls per second
            return json.loads(answer.data)
        if answer.status == 429 or (answer.status == 500 and "Retry-After" in answer.headers):
            time.sleep(float(answer.headers.get("Retry-After", 1)) + 0.2 * attempt)
            continue
        break
    sys.exit(f"{path}: {answer.status} {answer.data[:200]!r}")


def receive() -> set:
    """Take the messages out of the queue, and return the ids of the uploads in them."""
    ids = set()
    for message in queue.receive_messages(MaxNumberOfMessages=10, WaitTimeSeconds=1):
        envelope = json.loads(message.body)
        if envelope["Type"] == "SubscriptionConfirmation":
            confirmed.append(http.request("GET", envelope["SubscribeURL"]).status)
        else:
            ids.add(json.loads(envelope["Message"])["ingestionId"])
        message.delete()
    return ids


def main() -> None:
    rows = json.loads(pathlib.Path(os.environ["CATALOG_JSON"]).read_text())
    begin = time.monotonic()
    while not confirmed and time.monotonic() - begin < 10:
        receive()
    waiting = {}
    for start in range(0, len(rows), PART):
        part = [dict(row, brand_name="House brand") for row in rows[start : start + PART]]
        waiting[post("/v1/catalog/upload", {"catalogItems": part})["ingestionId"]] = time.monotonic()
    bad = 0
    while waiting:
        for ingestion in receive() | {one for one, since in waiting.items() if time.monotonic() - since > 3}:
            if ingestion not in waiting:
                continue
            status = post("/v1/catalog/getCatalogUploadStatus", {"ingestionId": ingestion})
            waiting[ingestion] = time.monotonic()
            if status["processingStatus"] not in FINAL:
                continue
            del waiting[ingestion]
            if status["processingStatus"] != "DONE":
                sys.exit(f"upload {ingestion} ended {status['processingStatus']}")
            report = json.loads(http.request("GET", status["reportDownloadLink"]).data)
            for item in report["items"]:
                if item["status"] == "REJECTED":
                    bad += 1
                    print("not taken:", item["item_sku"], item["errors"][0]["code"])
    print(len(rows) - bad, "rows on the platform,", bad, "not taken")


if __name__ == "__main__":
    main()
