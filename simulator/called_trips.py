"""Finds the trip that a retailer's call names, and knows the ids of Amazon's samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from simulator.errors import CallRefused, NotKnown
from simulator.portal.accounts import Account
from simulator.portal.stores import Stores
from simulator.signed_calls import BAD_REQUEST
from simulator.trip_record import Trip
from simulator.trips import Trips

UNKNOWN_TRIP = "UnknownShoppingTrip"
SAMPLE_STORE = "VALID_STORE_ID"
VALID_TRIP, INVALID_TRIP = "valid-shopping-trip-uuid", "invalid-shopping-trip-uuid"
DECLINED_TRIP, PENDING_TRIP = "declined-payment-trip-uuid", "pending-processing-trip-uuid"
SAMPLE_TRIPS = frozenset({VALID_TRIP, INVALID_TRIP, DECLINED_TRIP, PENDING_TRIP})


class CalledTrip(NamedTuple):
    """The trip of a call, with the account that calls.

    A trip of Amazon's samples has no `record`, and neither has an old trip of which only the charge is known.
    """

    id: str
    store_id: str
    account: Account
    record: Trip | None = None
    is_sample: bool = False


class CalledTrips:
    """Finds trips for the calls of retailers; `charged_in` returns the store of a trip with a charge, or None."""

    def __init__(
        self, trips: Trips, stores: Stores, charged_in: Callable[[str], str | None], *, sample_ids: bool
    ) -> None:
        self._trips = trips
        self._stores = stores
        self._charged_in = charged_in
        self._sample_ids = sample_ids

    def check_store(self, store_id: str, account: Account, refusal: str = BAD_REQUEST) -> None:
        """Raise CallRefused if a store does not exist, or is another retailer's."""
        if self._sample_ids and store_id == SAMPLE_STORE:
            return
        if store_id not in self._stores.of_retailer(account.retailer):
            raise CallRefused(refusal, f"storeId {store_id} is not a store of {account.retailer}")

    async def find(self, store_id: str, trip_id: str, account: Account, *, unknown: str = UNKNOWN_TRIP) -> CalledTrip:
        """Return the trip of a call. Raises CallRefused if the store is not the retailer's, or never had the trip."""
        self.check_store(store_id, account)
        if self._sample_ids and trip_id in SAMPLE_TRIPS:
            if trip_id == INVALID_TRIP:
                raise CallRefused(unknown, f"{INVALID_TRIP} is the unknown trip of Amazon's samples")
            return CalledTrip(trip_id, store_id, account, is_sample=True)
        record = await self._record(trip_id)
        found_in = record.store_id if record else self._charged_in(trip_id)
        if found_in is None:
            raise CallRefused(unknown, f"there is no trip {trip_id}")
        if found_in != store_id:
            raise CallRefused(unknown, f"trip {trip_id} is in another store")
        return CalledTrip(trip_id, store_id, account, record)

    async def _record(self, trip_id: str) -> Trip | None:
        try:
            return await self._trips.find(trip_id)
        except NotKnown:
            return None
