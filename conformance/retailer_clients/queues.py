"""The queues for a catalog client's results, in the substitute for AWS. boto3 comes with the extra `platform`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from conformance.errors import HarnessBroke

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_AWS_ACCOUNT = "123456789012"
"""The account in which the substitute for AWS keeps its queues."""


class Queues:
    """The queues of one substitute for AWS."""

    def __init__(self, aws_url: str, region: str) -> None:
        self._aws_url, self._region = aws_url, region
        self._sqs: SQSClient = boto3.client(
            "sqs",
            region_name=region,
            endpoint_url=aws_url,
            aws_access_key_id="suite",
            aws_secret_access_key="suite",  # noqa: S106 - the substitute for AWS does not check it
            config=Config(retries={"total_max_attempts": 2}, proxies={}, max_pool_connections=32),
        )

    def create(self, name: str) -> tuple[str, str]:
        """Create a queue and return its URL and its ARN. Raises HarnessBroke if that fails."""
        try:
            self._sqs.create_queue(QueueName=name)
        except (BotoCoreError, ClientError) as error:
            raise HarnessBroke(f"the results queue could not be created: {error}") from error
        arn = f"arn:aws:sqs:{self._region}:{_AWS_ACCOUNT}:{name}"
        return f"{self._aws_url}/{_AWS_ACCOUNT}/{name}", arn

    def unread_types(self, queue_url: str) -> frozenset[str]:
        """Return the types of the messages that no client ever received. Raises HarnessBroke if that fails."""
        query = {"QueueUrl": queue_url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0}
        try:
            answer = self._sqs.receive_message(**query, MessageSystemAttributeNames=["ApproximateReceiveCount"])  # type: ignore[arg-type]  # numbers and texts
        except (BotoCoreError, ClientError) as error:
            raise HarnessBroke(f"the results queue is not readable: {error}") from error
        return frozenset(
            str(json.loads(found["Body"]).get("Type"))
            for found in answer.get("Messages", [])
            if found.get("Attributes", {}).get("ApproximateReceiveCount") == "1"
        )

    def take(self, queue_url: str, count: int, within_s: float) -> list[str]:
        """Take `count` messages out of a queue. Raises HarnessBroke if they do not come within `within_s` seconds."""
        found: list[str] = []
        deadline = time.monotonic() + within_s
        while len(found) < count:
            for message in self._receive(queue_url):
                found.append(message["Body"])
                self._sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            if time.monotonic() > deadline:
                raise HarnessBroke(f"{len(found)} of {count} messages came within {within_s:g} s")
        return found

    def send(self, queue_url: str, bodies: Iterable[str]) -> None:
        """Put messages into a queue."""
        for body in bodies:
            self._sqs.send_message(QueueUrl=queue_url, MessageBody=body)

    def count(self, queue_url: str) -> int:
        """Return how many messages a queue has, those included that a client received and did not delete."""
        names: list[QueueAttributeNameType] = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ]
        found = self._sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
        return sum(int(found.get(name, 0)) for name in names)

    def _receive(self, queue_url: str) -> list[MessageTypeDef]:
        found = self._sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        return found.get("Messages", [])

    def close(self) -> None:
        """Close the connections."""
        self._sqs.close()
