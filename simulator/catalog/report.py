"""The report of an ingestion: its content, its object in S3, and its presigned link, which is valid for an hour.

The platform signs the link for its own address, or for the proxy's in front of it, and checks it against its own clock,
because the S3 emulator also serves expired links.
"""

from __future__ import annotations

import asyncio
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from jwo_contract.sigv4 import Key
from simulator.clock import Clock
from simulator.errors import AccessDenied, NotKnown

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CreateBucketConfigurationTypeDef


LINK_LIFE_S = 3600
"""Published: a report link is valid for 60 minutes."""
_STAMP = "%Y%m%dT%H%M%SZ"
_FIRST_REGION = "us-east-1"
"""The only region that S3 does not want to be named when a bucket is made."""
_LOST = {"NoSuchKey", "NoSuchBucket", "404"}
_SIGNATURE = "X-Amz-Signature"


def report_of(ingestion_id: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the report with these rows."""
    rejected = sum(row["status"] == "REJECTED" for row in rows)
    return {
        "ingestionId": ingestion_id,
        "processingStatus": "DONE",
        "summary": {"received": len(rows), "accepted": len(rows) - rejected, "rejected": rejected},
        "items": rows,
    }


def link_ends_at(link: str) -> datetime:
    """Return the time until which a report's link is valid."""
    query = dict(parse_qsl(urlsplit(link).query))
    made_at = datetime.strptime(query["X-Amz-Date"], _STAMP).replace(tzinfo=UTC)
    return made_at + timedelta(seconds=int(query["X-Amz-Expires"]))


class Reports:
    """Stores reports in S3, and makes and serves their links."""

    def __init__(self, s3: S3Client, *, bucket: str, base_url: str, key: Key, region: str, clock: Clock) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._region = region
        self._clock = clock

    async def start(self) -> None:
        """Create the bucket, if it does not exist."""
        await asyncio.to_thread(create_bucket, self._s3, self._bucket, self._region)

    async def keep(self, report: dict[str, Any]) -> None:
        """Store a report under its ingestion's id."""
        name, body = f"{report['ingestionId']}.json", orjson.dumps(report)
        await asyncio.to_thread(
            self._s3.put_object, Bucket=self._bucket, Key=name, Body=body, ContentType="application/json"
        )

    def link(self, ingestion_id: str, age_s: float = 0) -> str:
        """Return a link that is valid for an hour, as if made `age_s` platform seconds ago."""
        signer, stamp = self._signer(), (self._clock.now() - timedelta(seconds=age_s)).strftime(_STAMP)
        query = urlencode(
            {
                "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
                "X-Amz-Credential": f"{self._key.access_key_id}/{stamp[:8]}/{self._region}/s3/aws4_request",
                "X-Amz-Date": stamp,
                "X-Amz-Expires": LINK_LIFE_S,
                "X-Amz-SignedHeaders": "host",
            }
        )
        url = f"{self._base_url}/{self._bucket}/{ingestion_id}.json?{query}"
        return f"{url}&{_SIGNATURE}={_signature(signer, url, stamp)}"

    async def open(self, target: str) -> bytes:
        """Return the report of a link by its path and query as they were sent, whichever host the request is for.

        Raises AccessDenied if the signature is wrong or the link has expired, and NotKnown if S3 has lost the report.
        """
        self._check(self._base_url + target)
        name = target.partition("?")[0].removeprefix(f"/{self._bucket}/")
        try:
            found = await asyncio.to_thread(self._s3.get_object, Bucket=self._bucket, Key=name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _LOST:
                raise
            hint = "S3 has lost it: an emulator forgets reports when it stops; upload the rows again"
            raise NotKnown("report", name, hint=hint) from error
        return await asyncio.to_thread(found["Body"].read)

    def _check(self, url: str) -> None:
        bare, _, signature = url.partition(f"&{_SIGNATURE}=")
        query = dict(parse_qsl(urlsplit(bare).query))
        stamp = query.get("X-Amz-Date", "")
        try:
            made_at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
            life = timedelta(seconds=int(query.get("X-Amz-Expires", "")))
        except (ValueError, OverflowError) as error:
            raise AccessDenied("unsigned_link", "the link is not presigned") from error
        if not hmac.compare_digest(_signature(self._signer(), bare, stamp).encode(), signature.encode()):
            raise AccessDenied("wrong_link", "SignatureDoesNotMatch")
        if not timedelta(0) <= self._clock.now() - made_at.replace(microsecond=0) <= life:
            raise AccessDenied("expired_link", "Request has expired")

    def _signer(self) -> S3SigV4QueryAuth:
        credentials = Credentials(self._key.access_key_id, self._key.secret_access_key)
        return S3SigV4QueryAuth(credentials, "s3", self._region, expires=LINK_LIFE_S)


def _signature(signer: S3SigV4QueryAuth, url: str, stamp: str) -> str:
    request = AWSRequest(method="GET", url=url)
    request.context["timestamp"] = stamp
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(text, request))


def create_bucket(s3: S3Client, bucket: str, region: str) -> None:
    """Create a bucket, if it does not exist."""
    if bucket in {present["Name"] for present in s3.list_buckets().get("Buckets", [])}:
        return
    if region == _FIRST_REGION:
        s3.create_bucket(Bucket=bucket)
    else:
        place = cast("CreateBucketConfigurationTypeDef", {"LocationConstraint": region})
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
