"""The bucket and the topic of the intra-day files. They are made with the first subscription."""

from __future__ import annotations

import asyncio
import logging

import orjson

from simulator.aws import AWS_ERRORS, Aws
from simulator.catalog.report import create_bucket
from simulator.intraday.announcement import StoredFile
from simulator.intraday.rows import from_csv

_log = logging.getLogger("simulator.intraday")


class FileDelivery:
    """Stores files in S3 and publishes notifications through SNS. Each method raises the errors of the AWS client."""

    def __init__(self, aws: Aws, *, bucket: str, topic_name: str, region: str) -> None:
        self._aws = aws
        self._topic_name = topic_name
        self.bucket = bucket
        self.region = region
        self.topic_arn = ""
        self._read: dict[tuple[str, str], list[dict[str, str]]] = {}

    async def subscribe(self, retailer: str, queue_arn: str) -> str:
        """Subscribe a queue to the files of a retailer; returns the ARN of the subscription."""
        return await asyncio.to_thread(self._subscribe, retailer, queue_arn)

    async def unsubscribe(self, subscription_arn: str) -> None:
        """End a subscription, because the retailer has another queue."""
        try:
            await asyncio.to_thread(self._aws.sns.unsubscribe, SubscriptionArn=subscription_arn)
        except AWS_ERRORS:
            _log.warning("the subscription %s could not be ended", subscription_arn)

    async def store(self, key: str, body: bytes) -> StoredFile:
        """Store a file, encrypted with a key of KMS."""
        answer = await asyncio.to_thread(
            self._aws.s3.put_object,
            Bucket=self.bucket,
            Key=key,
            Body=body,
            ContentType="text/csv",
            ServerSideEncryption="aws:kms",
        )
        return StoredFile(self.bucket, key, len(body), answer["ETag"].strip('"'))

    async def rows(self, prefix: str) -> list[dict[str, str]]:
        """Return the rows of all files with a prefix, in the order of their keys."""
        return await asyncio.to_thread(self._read_rows, prefix)

    async def announce(self, retailer: str, subject: str, message: str) -> None:
        """Publish the notification of a file to the queue of a retailer."""
        await asyncio.to_thread(self._announce, retailer, subject, message)

    def _read_rows(self, prefix: str) -> list[dict[str, str]]:
        """Read the files that are new since the last call; no file changes under its ETag."""
        found: list[dict[str, str]] = []
        pages = self._aws.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        for one in (each for page in pages for each in page.get("Contents", ())):
            if (one["Key"], one["ETag"]) not in self._read:
                body = self._aws.s3.get_object(Bucket=self.bucket, Key=one["Key"])["Body"].read()
                self._read[one["Key"], one["ETag"]] = from_csv(body)
            found += self._read[one["Key"], one["ETag"]]
        return found

    def _subscribe(self, retailer: str, queue_arn: str) -> str:
        create_bucket(self._aws.s3, self.bucket, self.region)
        answer = self._aws.sns.subscribe(
            TopicArn=self._topic(),
            Protocol="sqs",
            Endpoint=queue_arn,
            Attributes={"FilterPolicy": orjson.dumps({"retailer": [retailer]}).decode()},
            ReturnSubscriptionArn=True,
        )
        return answer["SubscriptionArn"]

    def _announce(self, retailer: str, subject: str, message: str) -> None:
        self._aws.sns.publish(
            TopicArn=self._topic(),
            Subject=subject,
            Message=message,
            MessageAttributes={"retailer": {"DataType": "String", "StringValue": retailer}},
        )

    def _topic(self) -> str:
        """Return the ARN of the topic, which exists already unless this is the first call."""
        if not self.topic_arn:
            self.topic_arn = self._aws.sns.create_topic(Name=self._topic_name)["TopicArn"]
        return self.topic_arn
