"""The portal's users, each with permissions for one merchant or for all.

A portal without users is open to every caller. From the first user on, each call needs the token of a user with the
permission for it. Amazon does not publish the names of the real portal's permissions, so these are ours.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Literal, NamedTuple, get_args

from fastapi import Request

from simulator.errors import BadCall, NotKnown, NotNow, NotPermitted, NotSignedIn
from simulator.storage.key_values import KeyValueStore

Permission = Literal["view", "stores", "accounts", "tests", "catalog", "users"]
_PREFIX = "bearer "


class User(NamedTuple):
    """One user; an empty `retailer` means every merchant."""

    id: str
    retailer: str
    permissions: tuple[Permission, ...]
    token_sha256: str

    def sees(self, retailer: str) -> bool:
        """Return whether a merchant is the user's."""
        return self.retailer in {"", retailer}

    @property
    def is_admin(self) -> bool:
        """Whether the user can manage the users of every merchant."""
        return "users" in self.permissions and not self.retailer

    def require(self, permission: Permission, *retailers: str) -> None:
        """Raise NotPermitted if the user has no such permission, or one of the merchants is not the user's."""
        if permission not in self.permissions:
            raise NotPermitted(
                f"the user {self.id} has no permission {permission}",
                hint=f"PUT /portal/users/{self.id} with {permission} in permissions",
            )
        for retailer in retailers:
            if not self.sees(retailer):
                raise NotPermitted(f"the user {self.id} belongs to the merchant {self.retailer}, not to this one")


EVERYONE = User("", "", get_args(Permission), "")
"""The caller of a portal without users."""


class Users:
    """All users by id; the storage keeps them, without their tokens."""

    def __init__(self, storage: KeyValueStore[User] | None = None) -> None:
        self._storage = storage or KeyValueStore("portal user", User)
        self._users = self._storage.all()

    async def check(self, request: Request) -> None:
        """Put the user of a call into its state. Raises NotSignedIn if the portal has users and the call has none."""
        request.state.user = self._signed_in(request.headers.get("authorization", ""))

    def _signed_in(self, authorization: str) -> User:
        if not self._users:
            return EVERYONE
        token = authorization[len(_PREFIX) :].strip()
        digest = _digest(token)
        found = [user for user in self._users.values() if user.token_sha256 == digest]
        if not authorization.lower().startswith(_PREFIX) or not found:
            raise NotSignedIn("this portal has users, and the call has no token of one")
        return found[0]

    def put(self, user_id: str, retailer: str, permissions: tuple[Permission, ...], token: str) -> User:
        """Add a user, or replace it.

        Raises NotNow if another user has the token, or if no user could manage the users of every merchant any more.
        """
        user = User(user_id, retailer, tuple(dict.fromkeys(permissions)), _digest(token))
        if any(one.token_sha256 == user.token_sha256 for one in self._others(user_id)):
            raise NotNow("another user has this token; give each user a token of its own")
        if not user.is_admin and not any(one.is_admin for one in self._others(user_id)):
            raise BadCall(
                "no user could manage the users",
                hint="first add a user with the permission users and without a retailer",
            )
        self._users[user_id] = user
        self._storage.put(user_id, user)
        return user

    def drop(self, user_id: str) -> None:
        """Remove a user; without users the portal is open.

        Raises NotKnown if there is no such user, and NotNow if the others could not manage the users.
        """
        self.get(user_id)
        others = self._others(user_id)
        if others and not any(one.is_admin for one in others):
            raise NotNow(f"the user {user_id} is the last one who can manage the users; remove the others first")
        del self._users[user_id]
        self._storage.delete(user_id)

    def get(self, user_id: str) -> User:
        """Return a user. Raises NotKnown if there is no such user."""
        if user_id not in self._users:
            raise NotKnown("user", user_id, hint="add it with PUT /portal/users/{userId}")
        return self._users[user_id]

    def find(self, user_id: str) -> User | None:
        """Return a user, or None if there is no such user."""
        return self._users.get(user_id)

    def all(self) -> list[User]:
        """Return all users."""
        return list(self._users.values())

    def _others(self, user_id: str) -> list[User]:
        return [user for user in self._users.values() if user.id != user_id]


def user_of(request: Request) -> User:
    """Return the user of a call that `Users.check` has let through."""
    user = request.state.user
    assert isinstance(user, User)
    return user


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
