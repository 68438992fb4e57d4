"""Allow-listed AWS accounts: the keys that may call the catalog API, and the queue that receives notifications."""

from __future__ import annotations

from hmac import compare_digest
from typing import Literal, NamedTuple

from jwo_contract.sigv4 import Key
from simulator.errors import NotKnown
from simulator.storage.key_values import KeyValueStore

Connectivity = Literal["Unknown", "Success"]
Subscription = Literal["Unknown", "Pending", "Complete"]


class AccountKey(NamedTuple):
    """One key of an account, such as the temporary credentials of a role."""

    key: Key
    may_call: tuple[str, ...] | None = None
    """The paths that the role's IAM policy allows; None allows all."""


class Account(NamedTuple):
    """One account; the portal shows its two statuses. Without a queue, `queue_arn` is empty."""

    id: str
    retailer: str
    key: Key
    queue_arn: str
    connectivity: Connectivity = "Unknown"
    subscription: Subscription = "Unknown"
    token: str = ""
    """Of the newest SubscriptionConfirmation. As with SNS, its address gives the same answer each time."""
    subscription_arn: str = ""
    may_call: tuple[str, ...] | None = None
    """The paths that `key` may call; None allows all."""
    other_keys: tuple[AccountKey, ...] = ()

    def keys(self) -> tuple[AccountKey, ...]:
        """Return all keys of the account."""
        return (AccountKey(self.key, self.may_call), *self.other_keys)

    def find_key(self, access_key_id: str) -> AccountKey | None:
        """Return one of the account's keys, or None."""
        return next((one for one in self.keys() if one.key.access_key_id == access_key_id), None)


class Accounts:
    """All accounts, by id and by access key; the storage keeps them."""

    def __init__(self, storage: KeyValueStore[Account] | None = None) -> None:
        self._storage = storage or KeyValueStore("account", Account)
        self._accounts = self._storage.all()

    def put(self, account: Account) -> Account:
        """Allow-list an account, or replace it."""
        self._accounts[account.id] = account
        self._storage.put(account.id, account)
        return account

    def drop(self, account_id: str) -> None:
        """Remove an account from the list."""
        self._accounts.pop(account_id, None)
        self._storage.delete(account_id)

    def all(self) -> list[Account]:
        """Return all accounts."""
        return list(self._accounts.values())

    def find(self, account_id: str) -> Account | None:
        """Return an account, or None if there is no such account."""
        return self._accounts.get(account_id)

    def get(self, account_id: str) -> Account:
        """Return an account. Raises NotKnown if there is no such account."""
        if account_id not in self._accounts:
            raise NotKnown("account", account_id, hint="allow-list it with PUT /portal/accounts/{accountId}")
        return self._accounts[account_id]

    def by_key(self, access_key_id: str) -> Account | None:
        """Return the account with an access key, or None."""
        return next((one for one in self._accounts.values() if one.find_key(access_key_id)), None)

    def by_token(self, token: str) -> Account | None:
        """Return the account with a confirmation token, or None."""
        given = token.encode()
        found = [one for one in self._accounts.values() if one.token and compare_digest(one.token.encode(), given)]
        return found[0] if found else None
