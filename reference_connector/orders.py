"""Create Purchases: one purchase a shopping trip, on disk before the 201 leaves; and bad carts, when they turn good."""

from __future__ import annotations

from collections.abc import Callable

from contract.house import House
from reference_connector.cart import Cart, CartReader
from reference_connector.errors import CartConflict, InvalidRequest, NotThere
from reference_connector.idempotency import Answer, Pending, json_answer
from reference_connector.retailer import CurrentRetailer
from reference_connector.sales import Sales
from reference_connector.store import Purchase, Records, Sale, Store, keep_sales
from reference_connector.telemetry import EventLog

_CREATED = 201
PARKED_AT_ONCE = 100
"""How many bad carts are read at a time."""


class OrderHandler:
    """Answers Create Purchases. `on_charge` is told when there is something new in the outbox."""

    def __init__(
        self,
        *,
        retailer: CurrentRetailer,
        store: Store,
        sales: Sales,
        house: House,
        on_charge: Callable[[], None],
        log: EventLog,
    ) -> None:
        self._retailer = retailer
        self._store = store
        self._sales = sales
        self._rules = house.ordering
        self._read = CartReader(house).read
        self._on_charge = on_charge
        self._log = log

    def create(self, body: bytes) -> Pending:
        """Answer a request body with 201; InvalidRequest for what is 400, CartConflict where a changed cart is 409."""
        cart = self._read(body)
        if cart.store_id not in self._retailer.now.stores and self._rules.unknown_store == "reject_400":
            raise InvalidRequest("storeId is not a store of this retailer", code="unknown_store")
        sale = self._sales.sell(cart)
        return Pending(keep_sales, sale, lambda earlier: self._answer(cart, sale, earlier))

    def _answer(self, cart: Cart, sale: Sale, earlier: Purchase | None) -> Answer:
        if earlier is not None:
            return self._repeat(cart, earlier)
        if sale.charge is not None:
            self._on_charge()
        self._log_answer(cart, _CREATED, sale.purchase.status)
        return _answer(_CREATED, sale.purchase)

    async def parked(self, after: str = "") -> list[Purchase]:
        """List a page of bad carts, the oldest first, or the page after a trip; NotThere when that has no purchase."""
        return await self._store.transact(lambda records: _parked(records, after))

    async def sell_parked(self) -> tuple[int, int]:
        """Price the bad carts again; return how many are good now, and how many still are not.

        A cart keeps its purchase id, which the platform was given; its charge is made in the same unit of work.
        """
        good = bad = 0
        page = await self.parked()
        while page:
            for purchase in page:
                sale = self._sales.sell_again(purchase)
                if sale.purchase.status == "parked":
                    bad += 1
                elif await self._store.transact(lambda records, sale=sale: _unpark(records, sale)):  # type: ignore[misc] # bound at once
                    good += 1
                    self._log.event("cart_unparked", shoppingTripId=purchase.trip_id)
                    self._on_charge()
            page = await self.parked(after=page[-1].trip_id)
        return good, bad

    def _repeat(self, cart: Cart, earlier: Purchase) -> Answer:
        status = self._rules.duplicate_status
        self._log_answer(cart, status, "repeated")
        if earlier.fingerprint != cart.fingerprint:
            self._log.event("cart_changed", requestId=cart.request_id, shoppingTripId=cart.trip_id)
            if self._rules.changed_cart == "conflict_409":
                raise CartConflict("this shopping trip already has a purchase with another cart")
        return _answer(status, earlier)._replace(code="replayed")

    def _log_answer(self, cart: Cart, status: int, outcome: str) -> None:
        self._log.event(
            "purchase_answered",
            requestId=cart.request_id,
            shoppingTripId=cart.trip_id,
            status=status,
            outcome=outcome,
        )


def _answer(status: int, purchase: Purchase) -> Answer:
    return json_answer(status, {"purchaseId": purchase.purchase_id})


def _parked(records: Records, after: str) -> list[Purchase]:
    last = records.find_purchase(after) if after else None
    if after and last is None:
        raise NotThere("there is no purchase for this shopping trip")
    return records.parked_purchases(PARKED_AT_ONCE, after=last)


def _unpark(records: Records, sale: Sale) -> bool:
    """Sell a parked cart, unless another worker has done so."""
    found = records.find_purchase(sale.purchase.trip_id)
    if found is None or found.status != "parked":
        return False
    records.replace_purchase(sale.purchase)
    if sale.charge is not None:
        records.save_charge(sale.charge)
    return True
