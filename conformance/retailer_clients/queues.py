"""The queues for a catalog client's results, in the substitute for AWS. boto3 comes with the extra `platform`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from conformance.errors import HarnessBroke

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

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

    def close(self) -> None:
        """Close the connections."""
        self._sqs.close()
