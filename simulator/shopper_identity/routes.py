"""The route of Get Shopper Identity, and the control page that gives a shopper an e-mail address."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from jwo_contract.house_retailer_calls import ShopperIdentity
from jwo_contract.operations import GET_SHOPPER_IDENTITY
from jwo_toolkit.json_types import JsonObject
from simulator.called_trips import CalledTrips
from simulator.portal.accounts import Account
from simulator.signed_calls import SignedCalls
from simulator.storage.key_values import KeyValueStore


class EmailAddress(BaseModel):
    """The e-mail address of a shopper."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(min_length=3, max_length=128, pattern="^[^@ ]+@[^@ ]+$")


class ShopperIdentities:
    """The e-mail addresses, by the shopper's id on the kiosk; the storage keeps them."""

    def __init__(self, trips: CalledTrips, storage: KeyValueStore[str], rules: ShopperIdentity) -> None:
        self._trips = trips
        self._storage = storage
        self._rules = rules
        self._emails = storage.all()

    def put(self, shopper_id: str, email: str) -> None:
        """Give a shopper an address."""
        self._storage.put(shopper_id, email)
        self._emails[shopper_id] = email

    async def find(self, account: Account, message: JsonObject) -> JsonObject:
        """Answer Get Shopper Identity. Raises CallRefused if the store is not the retailer's."""
        self._trips.check_store(message["storeId"], account)
        email = self._emails.get(message["shopperId"]["id"])
        if email is None:
            return {} if self._rules.unknown_shopper == "no_email" else {"shopperEmail": ""}
        return {"shopperEmail": email}


def shopper_identity_router(identities: ShopperIdentities, signed: SignedCalls) -> APIRouter:
    """Make the route of the call, and of the control page."""
    router = APIRouter(tags=["shopper identity"])
    signed.add(router, GET_SHOPPER_IDENTITY, identities.find)

    @router.put("/shoppers/{shopper_id:path}/email", summary="Give a shopper an e-mail address", status_code=204)
    async def put(shopper_id: str, address: EmailAddress) -> None:
        identities.put(shopper_id, address.email)

    return router
