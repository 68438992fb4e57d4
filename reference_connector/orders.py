"""Create Purchases: one purchase a shopping trip, on disk before the 201 leaves.

Bad carts, which hold something without a price, are recorded too, and priced again once the retailer knows more.
"""

from __future__ import annotations

from collections.abc import Callable

from contract.house import House
from reference_connector.cart import Cart, CartReader
from reference_connector.errors import CartConflict, InvalidRequest, NotThere
from reference_connector.messages import Answer, json_answer
from reference_connector.retailer import CurrentRetailer
from reference_connector.sales import Sales
from reference_connector.store import Purchase, Records, RecordSale, Store
from reference_connector.telemetry import EventLog

_CREATED = 201
BAD_CARTS_A_PAGE = 100
"""How many bad carts are read at a time."""


class OrderHandler:
    """Answers Create Purchases. It calls `on_charge` when there is something new in the outbox."""

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
        """Answer a request body with 201; raises InvalidRequest for a 400, CartConflict where a changed cart is 409.

        The purchase is inserted unless its trip has one: the insert itself finds the earlier purchase of a repetition.
        """
        cart = self._carts.read(body)
        if cart.store_id not in self._retailer.now.stores and self._rules.unknown_store == "reject_400":
            raise InvalidRequest("storeId is not a store of this retailer", code="unknown_store")
        sale = self._sales.price(cart)
        if sale.purchase.status == "parked" and self._rules.unknown_sku == "reject_400":
            await self._refuse_unknown_items(cart)
        earlier = await self._store.record_sale(sale)
        if earlier is not None:
            return self._repeat(cart, earlier)
        if sale.charge is not None:
            self._on_charge()
        self._log_answer(cart, _CREATED, sale.purchase.status)
        return json_answer(_CREATED, {"purchaseId": sale.purchase.purchase_id})

    async def _refuse_unknown_items(self, cart: Cart) -> None:
        """Raise InvalidRequest for a cart with an item that its store does not sell, unless its trip has a purchase."""
        is_of_this_retailer = cart.store_id in self._retailer.now.stores
        if is_of_this_retailer and await self._store.transact(_purchase_of, cart.trip_id) is None:
            raise InvalidRequest("an item of cartItems is in no catalog", code="unknown_sku")

    def _repeat(self, cart: Cart, earlier: Purchase) -> Answer:
        status = self._rules.duplicate_status
        self._log_answer(cart, status, "repeated")
        if earlier.request_hash != cart.request_hash:
            self._log.event("cart_changed", requestId=cart.request_id, shoppingTripId=cart.trip_id)
            if self._rules.changed_cart == "conflict_409":
                raise CartConflict("this shopping trip already has a purchase with another cart")
        return json_answer(status, {"purchaseId": earlier.purchase_id}, "replayed")

    async def bad_carts(self, after: str = "") -> list[Purchase]:
        """List a page of bad carts, the oldest first, or the page after a trip.

        Raises NotThere if that trip has no purchase.
        """
        return await self._store.transact(_bad_carts, after)

    async def sell_bad_carts(self) -> tuple[int, int]:
        """Price the bad carts again; return how many are good now, and how many still are not.

        A cart keeps its purchase id, which the platform has; its charge is made in the same unit of work.
        """
        good = bad = 0
        page = await self.bad_carts()
        while page:
            for purchase in page:
                sale = self._sales.price_again(purchase)
                if sale.purchase.status == "parked":
                    bad += 1
                elif await self._store.transact(_sell_bad_cart, sale):
                    good += 1
                    self._log.event("cart_unparked", shoppingTripId=purchase.trip_id)
                    self._on_charge()
            page = await self.bad_carts(after=page[-1].trip_id)
        return good, bad

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
    """Put the priced purchase in place of the bad cart; False when another worker has done so."""
    found = records.find_purchase(sale.purchase.trip_id)
    if found is None or found.status != "parked":
        return False
    records.replace_purchase(sale.purchase)
    if sale.charge is not None:
        records.save_charge(sale.charge)
    return True
