"""The retailer's SQS queue: messages arrive at least once and in any order, and are deleted after they are handled.

The inbox keeps a notification by its ingestionId, so a second delivery changes nothing, and one for another upload is
not lost. It does not check SNS signatures: the client fetches all that matters from the platform, or from its links.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from contract.errors import MalformedBody
from contract.messages import message, parse_object
from reference_connector.errors import MalformedAnswer
from reference_connector.telemetry import EventLog

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_MOST_AT_ONCE = 10


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

    def collect(self, wait_s: int) -> None:
        """Read the messages in the queue; wait up to `wait_s` seconds, 0 to 20, for a first one."""
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=_MOST_AT_ONCE, WaitTimeSeconds=wait_s
        )
        for received in answer.get("Messages", []):
            try:
                self._sort(QueueMessage(_valid("sns_envelope", received["Body"]), received["ReceiptHandle"]))
            except MalformedAnswer as error:
                self._log.event("catalog_message_not_understood", reason=str(error))

    def delete(self, queued: QueueMessage) -> None:
        """Delete a handled message."""
        self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=queued.receipt_handle)

    def _sort(self, queued: QueueMessage) -> None:
        if queued.envelope["Type"] == "SubscriptionConfirmation":
            self.confirmations.append(queued)
            return
        notification = _valid("catalog_notification", queued.envelope["Message"])
        self.notifications[notification["ingestionId"]] = notification
        self.delete(queued)


def _valid(name: str, text: str) -> dict[str, Any]:
    try:
        body = parse_object(text.encode())
    except MalformedBody as error:
        raise MalformedAnswer(f"{name}: {error}") from error
    if not message(name).is_valid(body):
        raise MalformedAnswer(f"{name}: {message(name).violations(body)[0].message}")
    return body
