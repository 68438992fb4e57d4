"""A small platform with set answers, the retailer's queue, and the messages between them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import boto3
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from jwo_contract import sigv4
from reference_connector.catalog_client.settings import CatalogClientSettings

KEY = sigv4.Key("AKIDEXAMPLE", "a-secret", "a-token")


class SmallPlatform:
    """Gives set answers, and records the requests."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.url = ""
        self.answers: list[tuple[int, Any, dict[str, str]]] = []
        self.calls: list[tuple[str, Any]] = []
        self.reports: dict[str, tuple[int, Any]] = {}
        self.status: dict[str, dict[str, str]] = {}
        self.confirmed = 0
        self.app.post("/v1/catalog/upload")(self.upload)
        self.app.post("/v1/catalog/getCatalogUploadStatus")(self.get_status)
        self.app.post("/portal/connectivity")(self.connectivity)
        self.app.get("/report/{name}")(self.report)
        self.app.get("/confirm")(self.confirm)

    async def upload(self, request: Request) -> JSONResponse:
        body = await self._signed(request)
        self.calls.append(("upload", body))
        if self.answers:
            status, answer, headers = self.answers.pop(0)
            return JSONResponse(answer, status, headers)
        return JSONResponse({"ingestionId": f"ingestion-{len(self.calls)}"}, 201)

    async def get_status(self, request: Request) -> JSONResponse:
        body = await self._signed(request)
        self.calls.append(("status", body))
        known = self.status.get(body["ingestionId"], {"processingStatus": "INQUEUE", "reportDownloadLink": ""})
        return JSONResponse(known)

    async def connectivity(self, request: Request) -> JSONResponse:
        self.calls.append(("connectivity", await self._signed(request)))
        status, answer, headers = self.answers.pop(0) if self.answers else (200, {"connectivityStatus": "Success"}, {})
        return JSONResponse(answer, status, headers)

    async def report(self, name: str, request: Request) -> JSONResponse:
        assert "authorization" not in request.headers
        status, body = self.reports[name]
        return JSONResponse(body, status)

    async def confirm(self) -> dict[str, str]:
        self.confirmed += 1
        return {}

    def done(self, ingestion_id: str, link: str = "") -> dict[str, str]:
        link = link or f"{self.url}/report/{ingestion_id}"
        self.reports.setdefault(ingestion_id, (200, a_report(ingestion_id)))
        self.status[ingestion_id] = {
            "processingStatus": "DONE",
            "reportDownloadLink": f"{self.url}/report/{ingestion_id}",
        }
        return {"ingestionId": ingestion_id, "processingStatus": "DONE", "reportDownloadLink": link}

    async def _signed(self, request: Request) -> Any:
        body = await request.body()
        sigv4.verify(
            "POST",
            str(request.url),
            request.headers,
            body,
            find_key={KEY.access_key_id: KEY}.get,
            region="us-east-1",
            now=datetime.now(UTC),
        )
        return json.loads(body)


class ServedPlatform:
    """An ASGI app that answers as the newest of several platforms, so that they can share a server."""

    def __init__(self) -> None:
        self.url = ""
        self._platform = SmallPlatform()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._platform.app(scope, receive, send)

    def replace(self) -> SmallPlatform:
        """Answer as a new platform from now on, and return it."""
        self._platform = SmallPlatform()
        self._platform.url = self.url
        return self._platform


def a_report(ingestion_id: str) -> dict[str, Any]:
    error = {"code": "CHECK_DIGIT_INVALID", "field": "external_product_id", "message": "digit 2 wanted"}
    return {
        "ingestionId": ingestion_id,
        "processingStatus": "DONE",
        "summary": {"received": 2, "accepted": 1, "rejected": 1},
        "items": [
            {"item_sku": "SKU-1", "store_id": "STORE-001", "status": "ACCEPTED", "errors": []},
            {"item_sku": "SKU-2", "store_id": "STORE-001", "status": "REJECTED", "errors": [error]},
        ],
    }


def an_envelope(kind: str, message: Any, **members: str) -> str:
    more = {"UnsubscribeURL": "http://127.0.0.1/unsubscribe"} if kind == "Notification" else {"Token": "t"}
    return json.dumps(
        {
            "Type": kind,
            "MessageId": "m",
            "TopicArn": "arn:aws:sns:us-east-1:123456789012:catalog",
            "Message": message if isinstance(message, str) else json.dumps(message),
            "Timestamp": "2026-02-09T12:00:00Z",
            "SignatureVersion": "1",
            "Signature": "placeholder",
            "SigningCertURL": "http://127.0.0.1/cert",
        }
        | more
        | members
    )


def some_rows(count: int) -> list[dict[str, Any]]:
    return [
        {"item_sku": f"SKU-{n}", "external_product_id": f"{n:012}", "item_name": f"Thing {n}", "store_id": "STORE-001"}
        for n in range(count)
    ]


class Queue:
    """The retailer's queue, from the platform's side."""

    def __init__(self, aws_url: str, name: str) -> None:
        self._sqs = boto3.client(
            "sqs", "us-east-1", endpoint_url=aws_url, aws_access_key_id="x", aws_secret_access_key="y"
        )
        attributes: Any = {"VisibilityTimeout": "600"}
        self.url = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def put(self, *bodies: str) -> None:
        for body in bodies:
            self._sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def left(self) -> int:
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, counts.values()))


def settings_for(endpoint: str, **settings: Any) -> CatalogClientSettings:
    return CatalogClientSettings.model_validate(
        {
            "endpoint": endpoint,
            "access_key_id": KEY.access_key_id,
            "secret_access_key": KEY.secret_access_key,
            "session_token": KEY.session_token,
            "backoff_first_s": 0.01,
            "status_every_s": 0.02,
            "catalog": {"rate_per_s": 500, "retry_after_s": 0},
        }
        | settings
    )
