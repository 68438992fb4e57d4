"""Notifications through SNS and SQS: the handshake with a retailer's queue, and the end of each ingestion.

The SNS emulator subscribes a queue without a confirmation. So the platform does the handshake itself: it sends the
standard SubscriptionConfirmation to the queue, and subscribes the queue when its owner fetches the SubscribeURL. The
queue does not receive notifications from before the subscription.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import urlencode

import orjson
from botocore.exceptions import ClientError

from jwo_contract.values import format_instant
from simulator.aws import AWS_ERRORS, Aws
from simulator.clock import Clock
from simulator.errors import BadCall
from simulator.journal import Journal
from simulator.portal.accounts import Account, Accounts
from simulator.redaction import redacted_text
from simulator.seed import Seed

_log = logging.getLogger("simulator.catalog")
_UNSIGNED = "simulated: this platform does not sign its messages"
_ARN_PARTS = 6


class Notifications:
    """One topic for all accounts; each subscription filters for its own account."""

    def __init__(  # noqa: PLR0913 - the composition root hands in each part by name
        self,
        aws: Aws,
        *,
        topic_name: str,
        subject: str,
        base_url: str,
        accounts: Accounts,
        clock: Clock,
        seed: Seed,
        journal: Journal,
    ) -> None:
        self._sns = aws.sns
        self._sqs = aws.sqs
        self._topic_name = topic_name
        self._subject = subject
        self._base_url = base_url.rstrip("/")
        self._accounts = accounts
        self._clock = clock
        self._seed = seed
        self._journal = journal
        self._invitations = 0
        self.topic_arn = ""

    async def start(self) -> None:
        """Create the topic, and the confirmed subscriptions that an emulator has lost; present ones keep their ARNs."""
        answer = await asyncio.to_thread(self._sns.create_topic, Name=self._topic_name)
        self.topic_arn = answer["TopicArn"]
        for account in self._accounts.all():
            if account.subscription == "Complete":
                arn = await self._subscribe(account)
                if arn != account.subscription_arn:
                    _log.warning("SNS had lost the subscription of account %s, and has it again", account.id)
                    self._accounts.put(account._replace(subscription_arn=arn))

    async def invite(self, account: Account) -> None:
        """Allow-list an account and send a SubscriptionConfirmation to its queue.

        The token is stored before it is sent, because a quick client may confirm before the sending returns. Raises
        BadCall if there is no such queue or it refuses the message, and BotoCoreError if SQS does not answer.
        """
        self._invitations += 1
        token = self._seed.id("token", account.id, self._invitations)
        before = self._accounts.find(account.id)
        invited = self._accounts.put(account._replace(token=token, subscription="Pending"))
        envelope = self._confirmation(token)
        try:
            await asyncio.to_thread(self._send, account.queue_arn, orjson.dumps(envelope).decode())
        except AWS_ERRORS as error:
            if self._accounts.find(account.id) is invited:
                self._accounts.put(before) if before else self._accounts.drop(account.id)
            if isinstance(error, ClientError):
                raise BadCall(f"the queue {account.queue_arn} cannot be reached: {error}") from error
            raise

    async def confirm(self, token: str) -> str:
        """Subscribe the queue that received the token; returns the ARN. Raises BadCall if the token is unknown."""
        account = self._accounts.by_token(token)
        if account is None:
            raise BadCall("Invalid parameter: Token")
        if account.subscription != "Complete":
            arn = await self._subscribe(account)
            newest = self._accounts.by_token(token) or account
            account = self._accounts.put(newest._replace(subscription="Complete", subscription_arn=arn))
        return account.subscription_arn

    async def unsubscribe(self, account: Account) -> None:
        """End an account's subscription, because the account has a new queue."""
        try:
            if account.subscription_arn:
                await asyncio.to_thread(self._sns.unsubscribe, SubscriptionArn=account.subscription_arn)
        except AWS_ERRORS:
            _log.warning("the subscription %s could not be ended", account.subscription_arn)

    async def publish(self, account_id: str, message: dict[str, Any]) -> None:
        """Publish a message to an account's queue and add it to the journal; without a confirmed queue, it is lost."""
        text, account = orjson.dumps(message).decode(), self._accounts.find(account_id)
        outcome = "published" if account and account.subscription == "Complete" else "nobody_listens"
        try:
            await asyncio.to_thread(
                self._sns.publish,
                TopicArn=self.topic_arn,
                Subject=self._subject,
                Message=text,
                MessageAttributes={"account": {"DataType": "String", "StringValue": account_id}},
            )
        except AWS_ERRORS:
            self._note(account_id, text, "not_sent")
            raise
        self._note(account_id, text, outcome)

    async def _subscribe(self, account: Account) -> str:
        """Subscribe an account's queue, and return the ARN of the subscription, which may exist already."""
        answer = await asyncio.to_thread(
            self._sns.subscribe,
            TopicArn=self.topic_arn,
            Protocol="sqs",
            Endpoint=account.queue_arn,
            Attributes={"FilterPolicy": orjson.dumps({"account": [account.id]}).decode()},
            ReturnSubscriptionArn=True,
        )
        return str(answer["SubscriptionArn"])

    def _note(self, account_id: str, text: str, outcome: str) -> None:
        message = orjson.loads(redacted_text(text))
        entry = {"account": account_id, "ingestionId": message.get("ingestionId"), "outcome": outcome}
        self._journal.add("notification", {**entry, "message": message})

    def _confirmation(self, token: str) -> dict[str, str]:
        query = urlencode({"Action": "ConfirmSubscription", "TopicArn": self.topic_arn, "Token": token})
        return {
            "Type": "SubscriptionConfirmation",
            "MessageId": self._seed.id("message", token),
            "Token": token,
            "TopicArn": self.topic_arn,
            "Message": f"You have chosen to subscribe to {self.topic_arn}. Visit the SubscribeURL to confirm.",
            "SubscribeURL": f"{self._base_url}/sns/confirm?{query}",
            "Timestamp": format_instant(self._clock.now()),
            "SignatureVersion": "1",
            "Signature": _UNSIGNED,
            "SigningCertURL": f"{self._base_url}/sns/certificate",
        }

    def _send(self, queue_arn: str, text: str) -> None:
        _, _, _, _, owner, name = queue_arn.split(":")
        queue = self._sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=owner)
        self._sqs.send_message(QueueUrl=queue["QueueUrl"], MessageBody=text)


def checked_queue_arn(arn: str) -> str:
    """Return the ARN. Raises BadCall if it is not the ARN of an SQS queue."""
    parts = arn.split(":")
    if len(parts) != _ARN_PARTS or parts[0] != "arn" or parts[2] != "sqs" or not all(parts):
        raise BadCall(
            f"not the ARN of an SQS queue: {arn[:120]!r}", hint="like arn:aws:sqs:us-east-1:123456789012:name"
        )
    return arn
