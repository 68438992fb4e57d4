"""Settings of the consumer of the event feed and of the intra-day files."""

from __future__ import annotations

from pydantic import Field, SecretStr

from jwo_contract.house_group import HouseGroup


class Feeds(HouseGroup):
    """The consumer of the platform's event feed and intra-day files; without the address of a queue it is off."""

    events_queue_url: str = ""
    """The SQS queue of the event feed. Without one, the connector reads no events."""
    files_queue_url: str = ""
    """The SQS queue that gets the notifications about intra-day files. Without one, the connector reads no files."""
    bucket: str = ""
    """The only bucket from which the connector reads files. Empty: each one that a notification names.

    The connector does not check signatures of SNS, so name the bucket if other parties may write to the queue.
    """
    aws_endpoint_url: str = ""
    """The address of SQS and S3. An empty one means AWS itself, which auth.block_amazon_hosts forbids."""
    region: str = "us-east-1"
    """The region of the queues and of the bucket."""
    access_key_id: str = ""
    """The AWS key that reads the queues and the files. An empty one means the credentials of the machine."""
    secret_access_key: SecretStr = SecretStr("")
    """The secret of that key."""
    session_token: SecretStr = SecretStr("")
    """The session token of temporary credentials."""
    wait_s: int = Field(default=5, ge=1, le=20)
    """How long one call waits for a message. The connector's end may take this much longer."""
    timeout_s: float = Field(default=10, gt=0, le=300)
    """The longest wait for an answer of SQS or S3, in addition to the time that it waits for a message."""
    retry_s: float = Field(default=5, ge=0, le=3600)
    """The pause after a failure of SQS, S3 or the database. Messages wait in their queue meanwhile."""
    attempts_max: int = Field(default=5, ge=1)
    """How often the connector tries a message if S3 does not have its file or denies it, or if it cannot handle it.

    Then the message becomes a dead letter. A message that is not readable becomes one at once. A time-out, a throttled
    call, a failure of S3 or wrong keys do not count: the connector tries the message again until they end. SQS counts
    the attempts, and after a restart a process does not know which of them failed in this way, so fewer may remain.
    """
    attempt_pause_s: float = Field(default=60, ge=0, le=39_600)
    """The pause after the first of these attempts; each further pause is twice as long."""
    attempt_pause_max_s: float = Field(default=3600, ge=0, le=39_600)
    """The longest pause between two of these attempts. SQS hides a message for at most 12 hours after it gave it."""
    file_bytes_max: int = Field(default=100_000_000, ge=1)
    """The size of the largest file that the connector reads."""
    records_at_once: int = Field(default=100, ge=1, le=1000)
    """How many records of a file share one commit. More of them would delay the answers at the gate."""
    overdue_s: float = Field(default=3600, ge=0, le=31_536_000)
    """The age from which the books report a sale without an order in the files. Late orders come later."""
    keep_days: int = Field(default=400, ge=31, le=36_500)
    """How many days the books keep an order with its records after the last report that changed it.

    They keep the name of a file for as long, after it was read last. Choose more days than files repeat and refunds are
    possible, as a later report about a removed order becomes a dead letter. The sums of removed days remain in the
    books. The sales themselves remain too: a cart may come again.
    """

    @property
    def is_on(self) -> bool:
        """Whether there is a queue to read."""
        return bool(self.events_queue_url or self.files_queue_url)
