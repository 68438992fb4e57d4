"""The notification of a file: the event that S3 sends through SNS when an object is complete."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote_plus

_EVENT = "ObjectCreated:CompleteMultipartUpload"


class StoredFile(NamedTuple):
    """A file in S3."""

    bucket: str
    key: str
    size_bytes: int
    etag: str


def s3_event(file: StoredFile, *, region: str, at: datetime, request_id: str) -> dict[str, Any]:
    """Return the event, version 2.1. As in S3, the key is encoded for URLs."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": region,
                "eventTime": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "eventName": _EVENT,
                "userIdentity": {"principalId": "AWS:JWO-SIMULATED-PLATFORM"},
                "requestParameters": {"sourceIPAddress": "127.0.0.1"},
                "responseElements": {"x-amz-request-id": request_id, "x-amz-id-2": request_id},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "intra-day",
                    "bucket": {
                        "name": file.bucket,
                        "ownerIdentity": {"principalId": "JWO-SIMULATED-PLATFORM"},
                        "arn": f"arn:aws:s3:::{file.bucket}",
                    },
                    "object": {
                        "key": quote_plus(file.key, safe="/"),
                        "size": file.size_bytes,
                        "eTag": file.etag,
                        "sequencer": f"{int(at.timestamp() * 1000):018X}",
                    },
                },
            }
        ]
    }
