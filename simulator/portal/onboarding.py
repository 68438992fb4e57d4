"""The state of each onboarding step of a merchant, in the order of the work.

The words of the states are Amazon's where it publishes them: a connector configuration is Incomplete, Complete or Not
Required, connectivity is Unknown or Success, a subscription is Unknown, Pending or Complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from jwo_toolkit.json_types import JsonObject
from simulator.catalog.items import CatalogItems
from simulator.errors import NotKnown
from simulator.portal.accounts import Account, Accounts
from simulator.portal.connectivity import ConnectivityTest
from simulator.portal.stores import CONNECTOR_KINDS, Store, Stores

_DONE = {"Complete", "Success", "Not Required"}


class Step(NamedTuple):
    """One step; `subject` is the account, the store, or the store's connector that it concerns."""

    name: str
    subject: str
    status: str
    do: str
    """How to complete the step."""

    def to_json(self) -> JsonObject:
        """Return the step; a step that is done says nothing about what to do."""
        done = self.status in _DONE
        shown: JsonObject = {"step": self.name, "of": self.subject, "status": self.status, "done": done}
        return shown if done else {**shown, "fix": self.do}


class Onboarding:
    """Shows how far merchants are."""

    def __init__(self, stores: Stores, accounts: Accounts, items: CatalogItems, tests: ConnectivityTest) -> None:
        self._stores = stores
        self._accounts = accounts
        self._items = items
        self._tests = tests

    def show(self, retailer: str) -> JsonObject:
        """Return all steps of a merchant. Raises NotKnown if there is neither a store nor an account of that name."""
        stores = [store for store in self._stores.all() if store.retailer == retailer]
        accounts = [account for account in self._accounts.all() if account.retailer == retailer]
        if not stores and not accounts:
            raise NotKnown("merchant", retailer, hint="its first store or account makes it known")
        steps = [step.to_json() for step in self._steps(retailer, stores, accounts)]
        return {"retailer": retailer, "complete": all(step["done"] for step in steps), "steps": list(steps)}

    def _steps(self, retailer: str, stores: list[Store], accounts: list[Account]) -> Iterator[Step]:
        allow_list = "allow-list an account with PUT /portal/accounts/{accountId}"
        if not accounts:
            yield Step("AWS account", retailer, "Incomplete", allow_list)
        for account in accounts:
            yield from _account_steps(account)
        if not stores:
            yield Step("store", retailer, "Incomplete", "set up a store with PUT /portal/stores/{storeId}")
        for store in stores:
            yield from self._store_steps(store)

    def _store_steps(self, store: Store) -> Iterator[Step]:
        yield Step("store", store.id, "Complete", "")
        for kind in CONNECTOR_KINDS:
            status, path = store.status_of(kind), f"/portal/stores/{store.id}/connectors/{kind}"
            yield Step("connector configuration", f"{store.id} {kind}", status, f"save it with PUT {path}")
            if status != "Not Required":
                test = f"run POST {path}/connectivity-test"
                yield Step("connectivity test", f"{store.id} {kind}", self._tests.status(store, kind), test)
        counts = self._items.counts(store.id)
        status = "Complete" if counts["items"] > counts["archived"] else "Incomplete"
        yield Step("catalog", store.id, status, "upload it with jwo catalog upload")


def _account_steps(account: Account) -> Iterator[Step]:
    yield Step("AWS account", account.id, "Complete", "")
    queue = "Complete" if account.queue_arn else "Incomplete"
    deploy = "deploy SQSSetupTemplate, then give queueArn in PUT /portal/accounts/{accountId}"
    yield Step("AWS resources", account.id, queue, deploy)
    yield Step("connectivity test", account.id, account.connectivity, "run jwo catalog connectivity")
    yield Step("SNS subscription", account.id, account.subscription, "run jwo catalog upload --confirm")
