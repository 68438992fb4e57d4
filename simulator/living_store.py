"""A living store: sample visitors come by themselves, take some goods, and walk out."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress

from jwo_toolkit.json_types import JsonObject
from simulator.carts import PIECES, Line, checked_quantity
from simulator.entry.app_code import scan_of_identity_key
from simulator.entry.cards import Instrument
from simulator.errors import SimulatorError
from simulator.gates import Gates
from simulator.portal.stores import Store, Stores
from simulator.samples import Goods, SampleSource
from simulator.trips import Trips

_SHOPS_S = (2.0, 12.0)
_MOST_ITEMS = 5
_MOST_INSIDE = 20
_CARD_SHARE = 0.5
"""Of the visitors of a store in which Amazon charges cards."""
_WEIGHT = "0.75"
_WEIGHT_UNIT = "lb"
_KINDS = ("shopper",) * 8 + ("associate", "stranger")
"""What kinds of visitors come; most of them are shoppers."""


class LivingStore:
    """Lets visitors come every `everyS` real seconds; `run` works until it is cancelled.

    `note_change` gets the method and path of the call that would make the same change.
    """

    def __init__(
        self, stores: Stores, gates: Gates, trips: Trips, samples: SampleSource, note_change: Callable[[str, str], None]
    ) -> None:
        self._stores = stores
        self._gates = gates
        self._trips = trips
        self._samples = samples
        self._note_change = note_change
        self._every_s: float | None = None
        self._visitors = 0
        self._changed = asyncio.Event()
        self._inside: set[asyncio.Task[None]] = set()

    def show(self) -> JsonObject:
        """Return the pace, and how many visitors have come."""
        return {"everyS": self._every_s, "visitors": self._visitors}

    def change(self, every_s: float | None) -> JsonObject:
        """Change the pace; None stops the visitors. Those inside finish their visits."""
        self._every_s = every_s
        self._changed.set()
        return self.show()

    async def run(self) -> None:
        """Let visitors come until cancelled."""
        try:
            while True:
                self._changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._every_s):
                        await self._changed.wait()
                        continue
                self._let_one_come()
        finally:
            for task in self._inside:
                task.cancel()

    def _let_one_come(self) -> None:
        open_stores = [store for store in self._stores.all() if store.gates]
        if not open_stores or len(self._inside) >= _MOST_INSIDE:
            return
        self._visitors += 1
        task = asyncio.create_task(self._visit(random.choice(open_stores)))  # noqa: S311 - chance in a simulation
        self._inside.add(task)
        task.add_done_callback(self._inside.discard)

    async def _visit(self, store: Store) -> None:
        """Enter, shop and leave. A refusal of the platform ends the visit; the journal shows it."""
        with suppress(SimulatorError):
            decision = await self._show(store)
            if decision["opens"]:
                await self._shop(str(decision["shoppingTripId"]), self._goods(store.id))

    async def _show(self, store: Store) -> JsonObject:
        """Show a code of the app, or a card, at a gate; the first gate stays free for the people at the page."""
        gate = random.choice(store.gates[1:] or store.gates)  # noqa: S311 - chance in a simulation
        cards = [one.kind for one in self._samples.samples() if one.way == "cards"]
        by_card = "app" not in store.methods or random.random() < _CARD_SHARE  # noqa: S311 - as above
        if by_card and "card" in store.methods and store.payment_processor != "retailer" and cards:
            body = await asyncio.to_thread(self._samples.make, random.choice(cards))  # noqa: S311 - as above
            return await self._gates.pay(gate, Instrument(body["instrument"]))
        known = {one.kind for one in self._samples.samples() if one.way == "scans"}
        kind = random.choice([kind for kind in _KINDS if kind in known] or ["shopper"])  # noqa: S311 - as above
        body = await asyncio.to_thread(self._samples.make, kind)
        return await self._gates.scan(gate, scan_of_identity_key(body["identityKey"]))

    def _goods(self, store_id: str) -> list[Goods]:
        goods = list(self._samples.goods(store_id))
        return random.sample(goods, min(len(goods), random.randint(0, _MOST_ITEMS)))  # noqa: S311 - as above

    async def _shop(self, trip_id: str, goods: list[Goods]) -> None:
        for one in goods:
            await asyncio.sleep(random.uniform(*_SHOPS_S) / _MOST_ITEMS)  # noqa: S311 - as above
            unit = PIECES if one.unit == PIECES else _WEIGHT_UNIT
            line = Line("SKU", one.sku, unit) if one.sku else Line("SCANCODE", one.scancode, unit)
            quantity = checked_quantity("1" if unit == PIECES else _WEIGHT, unit, _WEIGHT_UNIT)
            with suppress(SimulatorError):
                await self._trips.pick(trip_id, line, quantity)
                self._note_change("POST", f"/trips/{trip_id}/pick")
        await asyncio.sleep(random.uniform(*_SHOPS_S))  # noqa: S311 - as above
        await self._trips.leave(trip_id)
