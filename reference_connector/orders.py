"""Create Purchases: one purchase a shopping trip, on disk before the 201 leaves.

A bad cart holds something that has no price. It gets a purchase too, with the status `parked`, and is priced again when
the retailer's files change.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from jwo_contract.house import House
from reference_connector.cart import Cart, CartReader
from reference_connector.errors import CartConflict, InvalidRequest, NotThere
from reference_connector.messages import Answer, json_answer
from reference_connector.retailer import CurrentRetailer
from reference_connector.sales import Sales
from reference_connector.store import Purchase, Records, RecordSale, Store
from reference_connector.telemetry import TRIP, EventLog

_CREATED = 201
BAD_CARTS_A_PAGE = 100
"""The number of bad carts that are read at a time."""


class OrderHandler:
    """Answers Create Purchases. It calls `on_charge` when it has put a charge in the outbox."""

    def __init__(
        self,
        *,
        carts: CartReader,
        retailer: CurrentRetailer,
        store: Store,
        sales: Sales,
        house: House,
        on_charge: Callable[[], None],
        log: EventLog,
    ) -> None:
        self._carts = carts
        self._retailer = retailer
        self._store = store
        self._sales = sales
        self._rules = house.ordering
        self._on_charge = on_charge
        self._log = log

    async def create(self, body: bytes) -> Answer:
        """Answer a request body with 201.

        A repetition is read and priced as a new cart. The insert then returns the earlier purchase of the trip, and the
        new one is dropped. It returns None if it stored the new one. Raises InvalidRequest if the answer is 400, and
        CartConflict if a changed cart is a 409.
        """
        cart = self._carts.read(body)
        if cart.store_id not in self._retailer.current.stores and self._rules.unknown_store == "reject_400":
            await self._refuse_new_trip(cart)
        sale = self._sales.price(cart)
        if sale.purchase.status == "parked" and self._rules.unknown_sku == "reject_400":
            await self._refuse_unknown_items(cart)
        earlier = await self._store.insert_sale_if_absent(sale)
        if earlier is not None:
            return self._repeat(cart, earlier)
        if sale.hold is not None or (sale.charge is not None and sale.charge.state != "stuck"):
            self._on_charge()
        self._log_answer(cart, _CREATED, sale.purchase.status)
        return json_answer(_CREATED, {"purchaseId": sale.purchase.purchase_id}).about(TRIP, cart.trip_id)

    async def _refuse_new_trip(self, cart: Cart) -> None:
        """Raise InvalidRequest for an unknown store, unless it has closed: the trip has a purchase there."""
        earlier = await self._store.transact(_purchase_of, cart.trip_id)
        if earlier is None or earlier.store_id != cart.store_id:
            raise InvalidRequest("storeId is not a store of this retailer", code="unknown_store")

    async def _refuse_unknown_items(self, cart: Cart) -> None:
        """Raise InvalidRequest for a cart with an item that its store does not sell.

        A cart of an unknown store passes: `ordering.unknown_store` decides on it. A repetition of a trip that has a
        purchase passes too, as an item may have left the catalog since.
        """
        retailer = self._retailer.current
        find = partial(retailer.assortment.find, cart.store_id)
        has_unknown_item = cart.store_id in retailer.stores and not all(
            find(item["type"], item["id"]) for item in cart.items
        )
        if has_unknown_item and await self._store.transact(_purchase_of, cart.trip_id) is None:
            raise InvalidRequest("an item of cartItems is in no catalog", code="unknown_sku")

    def _repeat(self, cart: Cart, earlier: Purchase) -> Answer:
        """Answer with the earlier purchase. Raises CartConflict if the cart is another one and the rules refuse it."""
        status = self._rules.duplicate_status
        if earlier.request_hash != cart.request_hash:
            self._log.event("cart_changed", requestId=cart.request_id, shoppingTripId=cart.trip_id)
            if self._rules.changed_cart == "conflict_409":
                raise CartConflict("this shopping trip already has a purchase with another cart")
        self._log_answer(cart, status, "repeated")
        return json_answer(status, {"purchaseId": earlier.purchase_id}, "replayed").about(TRIP, cart.trip_id)

    async def bad_carts(self, after: str = "") -> list[Purchase]:
        """List a page of bad carts, the oldest first, or the page after a trip.

        Raises NotThere if that trip has no purchase.
        """
        return await self._store.transact(_bad_carts, after)

    async def sell_bad_carts(self) -> tuple[int, int]:
        """Price the bad carts again; return how many are priced now, and how many are still bad.

        A cart that is still bad gets its present problems. A cart keeps its purchase id, as the platform has it
        already. Its charge is saved in the same unit of work.
        """
        priced = bad = 0
        page = await self.bad_carts()
        while page:
            for purchase in page:
                sale = self._sales.price_again(purchase)
                if sale.purchase.status == "parked":
                    bad += 1
                    if sale.purchase.receipt != purchase.receipt:  # it has other problems now
                        await self._store.transact(_sell_bad_cart, sale)
                elif await self._store.transact(_sell_bad_cart, sale):
                    priced += 1
                    self._log.event("cart_unparked", shoppingTripId=purchase.trip_id)
                    if sale.charge is not None or sale.hold is not None:
                        self._on_charge()
            page = await self.bad_carts(after=page[-1].trip_id)
        return priced, bad

    def _log_answer(self, cart: Cart, status: int, outcome: str) -> None:
        self._log.event(
            "purchase_answered",
            requestId=cart.request_id,
            shoppingTripId=cart.trip_id,
            status=status,
            outcome=outcome,
        )


def _purchase_of(records: Records, trip_id: str) -> Purchase | None:
    return records.find_purchase(trip_id)


def _bad_carts(records: Records, after: str) -> list[Purchase]:
    last = records.find_purchase(after) if after else None
    if after and last is None:
        raise NotThere("there is no purchase for this shopping trip")
    return records.bad_carts(BAD_CARTS_A_PAGE, after=last)


def _sell_bad_cart(records: Records, sale: RecordSale) -> bool:
    """Replace a bad cart's purchase by the new one; return False if another worker has priced the cart meanwhile."""
    found = records.find_purchase(sale.purchase.trip_id)
    if found is None or found.status != "parked":
        return False
    records.replace_purchase(sale.purchase)
    records.save_payments(sale)
    return True
