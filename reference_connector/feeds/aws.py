"""The retailer's queues in SQS and the files in S3."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ParamValidationError

from reference_connector.errors import FeedUnavailable, FileRefused, ForbiddenHost, MessageUnreadable
from reference_connector.feeds.messages import ObjectName
from reference_connector.feeds.settings import Feeds
from reference_connector.platform_calls.hosts import Hosts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_PREFIX = "JWO_CONNECTOR_FEEDS__"
_NOT_FOUND = 404
_REFUSALS = {403, _NOT_FOUND, 405}
"""The statuses of S3 for a file that it denies, does not have, or has as deleted only."""
_REFUSED_CODES = {"InvalidBucketName", "KeyTooLongError", "KMS.DisabledException", "KMS.NotFoundException"}
_ABOUT_KEYS = ("AccessKeyId", "Token", "Signature", "Credential", "Security", "AuthFailure", "Skewed", "NotSignedUp")
"""Parts of the error codes for wrong keys or a wrong clock. They refuse all files, whatever the file is."""
_Result = TypeVar("_Result")


class Message(NamedTuple):
    """A message of a queue, the handle that deletes it, and how often a consumer has received it."""

    body: str
    handle: str
    receives: int


class SqsQueue:
    """One queue; `at_once` is the largest number of messages of one call."""

    def __init__(self, sqs: SQSClient, url: str, *, at_once: int, wait_s: int) -> None:
        self._sqs = sqs
        self._url = url
        self._at_once = at_once
        self._wait_s = wait_s

    def receive(self) -> list[Message]:
        """Wait for messages, and return them. Raises FeedUnavailable."""
        answer = _call(
            f"the queue {self._url}",
            lambda: self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=self._at_once,
                WaitTimeSeconds=self._wait_s,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            ),
        )
        return [
            Message(
                each["Body"],
                each["ReceiptHandle"],
                int(each.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
            )
            for each in answer.get("Messages", [])
        ]

    def delete(self, handles: Sequence[str]) -> None:
        """Delete messages. If one is not deleted, it comes again. Raises FeedUnavailable."""
        entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)]
        _call(
            f"the queue {self._url}",
            lambda: self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries),  # type: ignore[arg-type]  # as it asks
        )

    def hide(self, handle: str, pause_s: int) -> None:
        """Let a message come again after a pause. Raises FeedUnavailable."""
        _call(
            f"the queue {self._url}",
            lambda: self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=handle, VisibilityTimeout=pause_s
            ),
        )


class S3Files:
    """The intra-day files. Only `bucket` is read, unless it is empty."""

    def __init__(self, s3: S3Client, bucket: str, bytes_max: int) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._bytes_max = bytes_max

    def read(self, name: ObjectName) -> bytes:
        """Return the content of a file.

        Raises MessageUnreadable if the settings do not allow it, or if no bucket can have this name. Raises FileRefused
        if S3 does not have the file or denies it, and FeedUnavailable if S3 fails.
        """
        if self._bucket and name.bucket != self._bucket:
            raise MessageUnreadable(f"the bucket {name.bucket} is not the one of {_PREFIX}BUCKET")
        return _call(f"the file {name.bucket}/{name.key}", lambda: self._content(name))

    def _content(self, name: ObjectName) -> bytes:
        try:
            answer = self._s3.get_object(Bucket=name.bucket, Key=name.key)
        except ParamValidationError as error:
            raise MessageUnreadable(f"S3 has no file {name.bucket}/{name.key}: {error}") from error
        except ClientError as error:
            if refusal := _refusal(name, error):
                raise refusal from error
            raise
        if answer["ContentLength"] > self._bytes_max:
            answer["Body"].close()
            raise MessageUnreadable(f"{name.key} is larger than {_PREFIX}FILE_BYTES_MAX, {self._bytes_max} bytes")
        return answer["Body"].read()


class Aws(NamedTuple):
    """The two clients."""

    sqs: SQSClient
    s3: S3Client

    def close(self) -> None:
        """Close the connections."""
        self.sqs.close()
        self.s3.close()


def make_clients(feeds: Feeds, *, block_amazon: bool) -> Aws:
    """Make the clients.

    Raises ForbiddenHost if they would call Amazon and that is blocked, and FeedUnavailable if a setting is not usable.
    """
    if feeds.aws_endpoint_url:
        Hosts(feeds.aws_endpoint_url, block_amazon=block_amazon)
    elif block_amazon:
        raise ForbiddenHost(
            f"without {_PREFIX}AWS_ENDPOINT_URL the consumer would call AWS",
            hint=f"set {_PREFIX}AWS_ENDPOINT_URL, or switch auth.block_amazon_hosts off",
        )
    config = Config(
        connect_timeout=feeds.timeout_s,
        read_timeout=feeds.wait_s + feeds.timeout_s,
        retries={"total_max_attempts": 2, "mode": "standard"},
        s3={"addressing_style": "path"} if feeds.aws_endpoint_url else {},
    )
    try:
        session = boto3.session.Session(
            aws_access_key_id=feeds.access_key_id or None,
            aws_secret_access_key=feeds.secret_access_key.get_secret_value() or None,
            aws_session_token=feeds.session_token.get_secret_value() or None,
            region_name=feeds.region,
        )
        endpoint = feeds.aws_endpoint_url or None
        return Aws(
            session.client("sqs", endpoint_url=endpoint, config=config),
            session.client("s3", endpoint_url=endpoint, config=config),
        )
    except (BotoCoreError, ValueError) as error:
        hint = f"check {_PREFIX}REGION, {_PREFIX}AWS_ENDPOINT_URL and {_PREFIX}ACCESS_KEY_ID"
        raise FeedUnavailable(f"no client of SQS and S3 can be made: {error}", hint=hint) from error


def _refusal(name: ObjectName, error: ClientError) -> FileRefused | None:
    """Return the error for a file that S3 will not give later either, or None if the same call may succeed later."""
    status, code = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode"), _code_of(error)
    is_refused = status in _REFUSALS or code in _REFUSED_CODES
    if not is_refused or any(part in code for part in _ABOUT_KEYS):
        return None
    file = f"{name.bucket}/{name.key}"
    if status == _NOT_FOUND:
        return FileRefused(f"the file {file} does not exist")
    hint = f"the owner of {_PREFIX}ACCESS_KEY_ID needs s3:GetObject for it, and kms:Decrypt for its key"
    return FileRefused(f"S3 refuses the file {file} ({code or status})", code=code, hint=hint)


def _code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _call(what: str, call: Callable[[], _Result]) -> _Result:
    """Make a call. Raises FeedUnavailable if it fails."""
    try:
        return call()
    except ClientError as error:
        code = _code_of(error)
        hint = f"check its policy, {_PREFIX}REGION and the keys of {_PREFIX}ACCESS_KEY_ID"
        raise FeedUnavailable(f"{what} is not usable ({code or error})", code=code, hint=hint) from error
    except (BotoCoreError, HTTPClientError, ValueError, OSError) as error:
        hint = f"check {_PREFIX}AWS_ENDPOINT_URL, {_PREFIX}REGION and the address of the queue"
        raise FeedUnavailable(f"{what} gives no answer ({type(error).__name__})", hint=hint) from error
