"""The simulated platform as jobs of a catalog client use it: a new account for each job, and what the platform holds.

The suite meets the platform over HTTP only: through its control API, and as a retailer. Calls as a retailer carry the
account's key, so the suite makes them after the client has ended and the journal was read.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from conformance.errors import HarnessBroke
from conformance.platform_control import AccountSetup, PlatformControl
from contract.operations import GET_CATALOG_UPLOAD_STATUS
from contract.sigv4 import Key, sign
from jwo_toolkit.json_types import JsonObject

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_CALL_WITHIN_S = 20.0
_STORES = 2
_AWS_ACCOUNT = "123456789012"
"""The account in which whatever plays AWS keeps its queues."""
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
_THROTTLED = 429
_ASK_EVERY_S = 0.2
_FINAL = frozenset({"DONE", "CANCELLED", "FATAL"})


class Addresses(NamedTuple):
    """Where the platform and AWS are played, and the region in whose name calls are signed."""

    platform_url: str
    aws_url: str
    region: str = "us-east-1"


class Account(NamedTuple):
    """One onboarded AWS account: a retailer's, with its stores and the queue in which the invitation lies."""

    id: str
    retailer: str
    key: Key
    stores: tuple[str, ...]
    queue_url: str
    queue_arn: str


class Platform:
    """A running platform, for as long as the `with` block of `reached` goes on."""

    def __init__(self, addresses: Addresses, control: PlatformControl, http: httpx.Client, sqs: SQSClient) -> None:
        self.addresses = addresses
        self.control = control
        self._http = http
        self._sqs = sqs

    def onboard(self) -> Account:
        """Allow-list a new account with a new queue, and set up its stores."""
        number = f"{secrets.randbelow(10**12):012d}"
        key = Key(f"ASIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30), secrets.token_urlsafe(60))
        stores = tuple(f"STORE-{number}-{index + 1}" for index in range(_STORES))
        queue_url, queue_arn = self._queue(f"catalog-results-{number}")
        account = Account(number, f"retailer-{number}", key, stores, queue_url, queue_arn)
        for store in stores:
            self.control.set_up_catalog_store(store, account.retailer)
        self.control.set_up_account(number, AccountSetup(account.retailer, key, queue_arn))
        return account

    def invitation_was_taken(self, account: Account) -> bool:
        """Say whether the client took the SubscriptionConfirmation out of its queue."""
        asked = {"QueueUrl": account.queue_url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0}
        try:
            answer = self._sqs.receive_message(**asked, MessageSystemAttributeNames=["ApproximateReceiveCount"])  # type: ignore[arg-type]  # numbers and texts
        except (BotoCoreError, ClientError) as error:
            raise HarnessBroke(f"the queue of results cannot be read: {error}") from error
        for found in answer.get("Messages", []):
            if json.loads(found["Body"]).get("Type") == "SubscriptionConfirmation":
                return found.get("Attributes", {}).get("ApproximateReceiveCount") != "1"
        return True

    def ended(self, account: Account, ingestion: str, within_s: float) -> JsonObject:
        """Wait until an ingestion is final and return its status answer; HarnessBroke when that takes too long."""
        deadline = time.monotonic() + within_s
        while (answer := self._status(account, ingestion)).get("processingStatus") not in _FINAL:
            if time.monotonic() > deadline:
                raise HarnessBroke(f"an ingestion did not end within {within_s:g} s: {answer}")
            time.sleep(_ASK_EVERY_S)
        return answer

    def catalog(self, account: Account) -> list[JsonObject]:
        """Return all items of the account's stores, as they were uploaded."""
        return [item for store in account.stores for item in self.control.catalog(store)]

    def _status(self, account: Account, ingestion: str) -> JsonObject:
        url = self.addresses.platform_url + GET_CATALOG_UPLOAD_STATUS.path
        body = json.dumps({"ingestionId": ingestion}).encode()
        now = datetime.now(UTC)
        headers = sign("POST", url, _HEADERS, body, account.key, region=self.addresses.region, now=now)
        try:
            answer = self._http.post(url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise HarnessBroke(f"the simulated platform does not answer a status call: {error}") from error
        if answer.status_code == _THROTTLED:  # the client has used the account's rate up, or its uploads are many
            return {}
        return dict(answer.json())

    def _queue(self, name: str) -> tuple[str, str]:
        try:
            self._sqs.create_queue(QueueName=name)
        except (BotoCoreError, ClientError) as error:
            raise HarnessBroke(f"the queue of results cannot be made: {error}") from error
        arn = f"arn:aws:sqs:{self.addresses.region}:{_AWS_ACCOUNT}:{name}"
        return f"{self.addresses.aws_url}/{_AWS_ACCOUNT}/{name}", arn


@contextmanager
def reached(addresses: Addresses) -> Iterator[Platform]:
    """Open the connections to a platform that runs."""
    sqs = _sqs(addresses)
    with (
        PlatformControl(addresses.platform_url) as control,
        httpx.Client(timeout=_CALL_WITHIN_S, trust_env=False) as http,
    ):
        yield Platform(addresses, control, http, sqs)
    sqs.close()


def _sqs(addresses: Addresses) -> SQSClient:
    import boto3  # noqa: PLC0415 - takes a while, and only a certification with a catalog client needs it
    from botocore.config import Config  # noqa: PLC0415 - as above

    return boto3.client(
        "sqs",
        region_name=addresses.region,
        endpoint_url=addresses.aws_url,
        aws_access_key_id="suite",
        aws_secret_access_key="suite",  # noqa: S106 - nobody checks it
        config=Config(retries={"total_max_attempts": 2}, proxies={}, max_pool_connections=32),
    )
