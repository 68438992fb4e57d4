"""The simulated platform for jobs of a catalog client: it onboards an account for each job and returns its results.

The suite calls the platform over HTTP only: its control API, and its catalog API as a retailer. Calls as a retailer
carry the account's key, so the suite makes them after the client has ended and the suite has read the journal.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

from conformance.errors import HarnessBroke
from conformance.platform_control import AccountSetup, PlatformControl
from conformance.retailer_clients.addresses import Account, Addresses, new_account
from jwo_contract.operations import GET_CATALOG_UPLOAD_STATUS
from jwo_contract.sigv4 import sign
from jwo_toolkit.json_types import JsonObject
from jwo_toolkit.keep_alive import LIMITS

if TYPE_CHECKING:
    from conformance.retailer_clients.queues import Queues

_CALL_TIMEOUT_S = 20.0
_STORES = 2
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
_THROTTLED = 429
_POLL_EVERY_S = 0.2
FINAL = frozenset({"DONE", "CANCELLED", "FATAL"})
"""The statuses with which an ingestion ends."""


class Platform:
    """A running platform. It is usable inside the `with` block of `connect`."""

    def __init__(self, addresses: Addresses, control: PlatformControl, http: httpx.Client, queues: Queues) -> None:
        self.addresses = addresses
        self.control = control
        self._http = http
        self._queues = queues

    def onboard(self) -> Account:
        """Allow-list a new account with a new queue, and set up its stores."""
        account = new_account(_STORES)
        queue_url, queue_arn = self._queues.create(f"catalog-results-{account.id}")
        account = account._replace(queue_url=queue_url, queue_arn=queue_arn)
        for store in account.stores:
            self.control.set_up_catalog_store(store, account.retailer)
        self.control.set_up_account(account.id, AccountSetup(account.retailer, account.key, queue_arn))
        return account

    def unread_messages(self, account: Account) -> frozenset[str]:
        """Return the types of the messages in the account's queue that the client never received."""
        return self._queues.unread_types(account.queue_url)

    def wait_until_final(self, account: Account, ingestion: str, within_s: float) -> JsonObject:
        """Return the status answer of an ingestion once it is final. Raises HarnessBroke after `within_s` seconds."""
        deadline = time.monotonic() + within_s
        while (answer := self._status(account, ingestion)).get("processingStatus") not in FINAL:
            if time.monotonic() > deadline:
                raise HarnessBroke(f"an ingestion is not final after {within_s:g} s: {answer}")
            time.sleep(_POLL_EVERY_S)
        return answer

    def catalog(self, account: Account) -> list[JsonObject]:
        """Return all items of the account's stores, unchanged since their upload."""
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
        if answer.status_code == _THROTTLED:  # the client's calls have used up the account's rate
            return {}
        return dict(answer.json())


@contextmanager
def connect(addresses: Addresses) -> Iterator[Platform]:
    """Connect to a running platform, and yield it."""
    from conformance.retailer_clients.queues import Queues  # noqa: PLC0415 - boto3 is slow, and not in the base install

    with (
        closing(Queues(addresses.aws_url, addresses.region)) as queues,
        PlatformControl(addresses.platform_url) as control,
        httpx.Client(timeout=_CALL_TIMEOUT_S, trust_env=False, limits=LIMITS) as http,
    ):
        yield Platform(addresses, control, http, queues)
