"""The retailer's SQS queue: messages arrive at least once and in any order, and are deleted after they are handled.

The inbox keeps a notification by its ingestionId, so a second delivery changes nothing. A message about another upload
stays in the queue, since another process may wait for it. The inbox does not check SNS signatures: the client fetches
all that matters from the platform, or from its links.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from jwo_contract.errors import MalformedBody
from jwo_contract.messages import message, parse_object
from reference_connector.errors import MalformedAnswer, QueueUnusable
from reference_connector.telemetry import EventLog

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_POLL_S = 5
"""The longest wait for a message in one call."""
_MOST_AT_ONCE = 10
_SETTINGS = {
    "NonExistentQueue": "JWO_CATALOG_QUEUE_URL and JWO_CATALOG_REGION",
    "QueueDoesNotExist": "JWO_CATALOG_QUEUE_URL and JWO_CATALOG_REGION",
    "InvalidAddress": "JWO_CATALOG_QUEUE_URL",
    "AccessDenied": "the queue's policy, which must allow sqs:ReceiveMessage and sqs:DeleteMessage to the owner of "
    "JWO_CATALOG_ACCESS_KEY_ID, and JWO_CATALOG_QUEUE_URL",
}
"""What to check for an error code of SQS. A code may have a prefix or a suffix."""
_OF_KEYS = "JWO_CATALOG_ACCESS_KEY_ID, JWO_CATALOG_SECRET_ACCESS_KEY, JWO_CATALOG_SESSION_TOKEN and JWO_CATALOG_REGION"
_OF_ADDRESS = "JWO_CATALOG_AWS_ENDPOINT_URL, JWO_CATALOG_REGION and JWO_CATALOG_QUEUE_URL"
_KEY_WORDS = ("Token", "Signature", "Credential", "Security", "AuthFailure", "OptInRequired")
_Result = TypeVar("_Result")


class QueueMessage(NamedTuple):
    """An SNS envelope from the queue, and the handle that deletes it."""

    envelope: dict[str, Any]
    receipt_handle: str


class Inbox:
    """Reads the queue. A message that is not an SNS envelope stays there, for the queue's dead-letter rule."""

    def __init__(self, sqs: SQSClient, queue_url: str, log: EventLog) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._log = log
        self.notifications: dict[str, dict[str, Any]] = {}
        self.confirmations: list[QueueMessage] = []
        self._messages: dict[str, list[QueueMessage]] = {}
        self._handled: set[str] = set()

    def collect(self, within_s: float) -> None:
        """Read the messages in the queue; wait up to `within_s` seconds, and at most 5, for a first one.

        Raises QueueUnusable if the queue cannot be read.
        """
        wait_s = max(0, min(LONGEST_POLL_S, round(within_s)))
        answer = self._call(
            lambda: self._sqs.receive_message(
                QueueUrl=self._queue_url, MaxNumberOfMessages=_MOST_AT_ONCE, WaitTimeSeconds=wait_s
            )
        )
        for received in answer.get("Messages", []):
            try:
                self._sort(QueueMessage(_valid("sns_envelope", received["Body"]), received["ReceiptHandle"]))
            except MalformedAnswer as error:
                self._log.event("catalog_message_not_understood", reason=str(error))

    def delete(self, queued: QueueMessage) -> None:
        """Delete a handled message. If that fails, it is delivered again, which does no harm."""
        try:
            self._call(lambda: self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=queued.receipt_handle))
        except QueueUnusable as error:
            self._log.event("catalog_message_not_deleted", reason=f"{error}; {error.hint}")

    def handled(self, ingestion_id: str) -> None:
        """Delete the messages about an ingestion, also those that still arrive."""
        self._handled.add(ingestion_id)
        self.notifications.pop(ingestion_id, None)
        for queued in self._messages.pop(ingestion_id, []):
            self.delete(queued)

    def _sort(self, queued: QueueMessage) -> None:
        if queued.envelope["Type"] == "SubscriptionConfirmation":
            self.confirmations.append(queued)
            return
        notification = _valid("catalog_notification", queued.envelope["Message"])
        ingestion_id = notification["ingestionId"]
        if ingestion_id in self._handled:
            self.delete(queued)
        else:
            self.notifications[ingestion_id] = notification
            self._messages.setdefault(ingestion_id, []).append(queued)

    def _call(self, call: Callable[[], _Result]) -> _Result:
        try:
            return call()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            raise QueueUnusable(f"the queue {self._queue_url} is not usable ({error})", hint=_advice(code)) from error
        except (BotoCoreError, ValueError) as error:
            raise QueueUnusable(
                f"the queue {self._queue_url} gives no answer ({error})", hint=f"check {_OF_ADDRESS}"
            ) from error


def _advice(code: str) -> str:
    """Return what to check after an error of SQS."""
    for part, settings in _SETTINGS.items():
        if part in code:
            return f"check {settings}"
    return f"check {_OF_KEYS if any(word in code for word in _KEY_WORDS) else _OF_ADDRESS}"


def _valid(name: str, text: str) -> dict[str, Any]:
    try:
        body = parse_object(text.encode())
    except (MalformedBody, UnicodeEncodeError) as error:
        raise MalformedAnswer(f"{name}: {error}") from error
    if not message(name).is_valid(body):
        raise MalformedAnswer(f"{name}: {message(name).violations(body)[0].message}")
    return body
