"""The routes for the portal's users, and the check of a user's permission."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from jwo_toolkit.json_types import JsonObject
from simulator.portal.users import Permission, User, Users, user_of


class UserSetup(BaseModel):
    """A user of the portal. The token is in no answer, and the portal keeps only its digest."""

    model_config = ConfigDict(extra="forbid")

    retailer: str = Field(default="", description="The merchant of the user; empty means every merchant.")
    permissions: tuple[Permission, ...] = Field(
        description="view: show; stores: set up stores, connectors and event feeds; accounts: allow-list AWS accounts; "
        "tests: run connectivity tests; catalog: upload catalogs; users: manage users."
    )
    token: str = Field(min_length=16, pattern=r"^[\x21-\x7e]+$", description="What Authorization: Bearer carries.")


def add_users(router: APIRouter, users: Users) -> None:
    """Add the routes for users to a router that checks them."""

    @router.get("/portal/users", summary="List users with their permissions")
    async def list_users(request: Request) -> list[JsonObject]:
        user = permitted(request, "users")
        return [user_to_json(one) for one in users.all() if user.sees(one.retailer)]

    @router.put("/portal/users/{user_id}", summary="Add a user, or replace it; then each call needs a user")
    async def put_user(request: Request, user_id: str, setup: UserSetup) -> JsonObject:
        before = users.find(user_id)
        permitted(request, "users", setup.retailer, *((before.retailer,) if before else ()))
        return user_to_json(users.put(user_id, setup.retailer, setup.permissions, setup.token))

    @router.delete("/portal/users/{user_id}", summary="Remove a user; without users the portal is open")
    async def delete_user(request: Request, user_id: str) -> JsonObject:
        caller, removed = permitted(request, "users"), users.get(user_id)
        caller.require("users", removed.retailer)
        users.drop(user_id)
        return user_to_json(removed)


def permitted(request: Request, permission: Permission, *retailers: str) -> User:
    """Return the user of a call. Raises NotPermitted if the user may not do this for one of these merchants."""
    user = user_of(request)
    user.require(permission, *retailers)
    return user


def user_to_json(user: User) -> JsonObject:
    """Return a user as the portal shows it, without its token."""
    return {"userId": user.id, "retailer": user.retailer, "permissions": list(user.permissions)}
