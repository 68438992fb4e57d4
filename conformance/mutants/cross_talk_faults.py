"""Cross-talk faults: an answer that belongs to another call, trip, shopper or store. Most appear only in visits."""

from __future__ import annotations

from dataclasses import replace

from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.json_values import at, text_at
from conformance.mutants.registry import CONNECTOR_FAULTS
from conformance.mutants.small_connector import SmallConnector
from conformance.mutants.visits import entries_of, is_purchase, other_purchase, visitor_of

_fault = CONNECTOR_FAULTS.fault


class _RemembersScans(SmallConnector):
    """The base of faults that confuse the answers to scans and carts."""

    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self.scans: dict[str, Reply] = {}

    async def scan(self, request: Request) -> Reply:
        reply = await super().scan(request)
        self.scans[self.event_key(request)] = reply
        return reply


@_fault("E2E-X.1")
class answers_a_cart_with_its_scan(_RemembersScans):
    async def cart(self, request: Request) -> Reply:
        reply = await super().cart(request)
        scans = [self.scans[event] for event in entries_of(request) if event in self.scans]
        return scans[0] if scans and is_purchase(reply) else reply


@_fault("E2E-X.1")
class uses_events_up_at_the_gate(_RemembersScans):
    async def cart(self, request: Request) -> Reply:
        reply = await super().cart(request)
        is_used = any(event in self.scans for event in entries_of(request))
        return error(400, "this event was used") if is_used and is_purchase(reply) else reply


@_fault("E2E-X.2")
class lets_the_next_one_in(SmallConnector):
    _last = Reply(401)

    async def scan(self, request: Request) -> Reply:
        reply = await super().scan(request)
        before, self._last = self._last, reply
        return before if reply.status == self.turn_away().status and _is_let_in(before) else reply


@_fault("E2E-X.3")
class remembers_trips_by_visitor(SmallConnector):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._by_visitor: dict[str, Reply] = {}

    async def cart(self, request: Request) -> Reply:
        reply, visitor = await super().cart(request), visitor_of(request)
        return self._by_visitor.setdefault(visitor, reply) if visitor and is_purchase(reply) else reply


@_fault("E2E-X.5")
class forgets_an_event_when_its_cart_came(SmallConnector):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._gone: set[str] = set()

    async def scan(self, request: Request) -> Reply:
        return error(401, "used") if self.event_key(request) in self._gone else await super().scan(request)

    async def cart(self, request: Request) -> Reply:
        reply = await super().cart(request)
        if is_purchase(reply):
            self._gone.update(entries_of(request))
        return reply


@_fault("E2E-X.6")
class tells_of_the_last_visitor(SmallConnector):
    _last = ""

    async def scan(self, request: Request) -> Reply:
        reply = await super().scan(request)
        if not _is_let_in(reply):
            return reply
        before, self._last = self._last, text_at(reply.body, "visitorDetails.id")
        return replace(reply, body={**reply.body, "cameBefore": before})


@_fault("E2E-X.6")
class signs_purchases_with_the_last_visitor(SmallConnector):
    _last = ""

    async def scan(self, request: Request) -> Reply:
        reply = await super().scan(request)
        if _is_let_in(reply):
            self._last = text_at(reply.body, "visitorDetails.id")
        return reply

    async def cart(self, request: Request) -> Reply:
        reply = await super().cart(request)
        return replace(reply, body={**reply.body, "servedAfter": self._last})


@_fault("E2E-X.6")
class hands_out_the_last_key(SmallConnector):
    _last = ""

    async def scan(self, request: Request) -> Reply:
        reply = await super().scan(request)
        before, self._last = self._last, text_at(request.body, "identityKey")
        return replace(reply, body={**reply.body, "lastKey": before}) if _is_let_in(reply) else reply


@_fault("E2E-X.8")
class answers_with_the_other_stores_purchase(SmallConnector):
    _last_store = ""
    _last = Reply(201)

    async def cart(self, request: Request) -> Reply:
        reply, store = await super().cart(request), text_at(request.body, "storeId")
        if not is_purchase(reply):
            return reply
        is_other = self._last_store not in {"", store}
        before, self._last, self._last_store = self._last, reply, store
        return before if is_other else reply


@_fault("E2E-X.8")
class forgets_trips_when_another_store_sells(SmallConnector):
    _last_store = ""
    _switches = 0

    async def cart(self, request: Request) -> Reply:
        store = text_at(request.body, "storeId")
        self._switches += self._last_store not in {"", store}
        self._last_store = store
        return other_purchase(await super().cart(request), self._switches)


def _is_let_in(reply: Reply) -> bool:
    return at(reply.body, "visitorDetails")[0] is not None
