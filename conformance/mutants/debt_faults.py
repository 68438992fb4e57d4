"""Faults of the gate's payment side: declined means of payment, balances, and debts that a trip leaves behind."""

from __future__ import annotations

from typing import ClassVar

from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.json_values import entries_of, key_bytes_of, text_at
from conformance.mutants.registry import CONNECTOR_FAULTS, Fault
from conformance.mutants.small_connector import DEBTOR, SmallConnector

_fault = CONNECTOR_FAULTS.fault
_FOUND_BY = {"declined_payment": "VIK-X.124", "in_debt": "VIK-X.125"}
"""The key kinds that the gate refuses, and the id that finds a connector which opens for one."""


class _KnowsAKind(SmallConnector):
    """The base of faults about one kind of key; `shown` counts its scans."""

    kind: ClassVar[str]

    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self.shown = 0

    def is_shown(self, request: Request) -> bool:
        """Return whether the key has the kind, and count it."""
        is_of_kind = key_bytes_of(request.body) == f"{self.kind}_key".encode()
        self.shown += is_of_kind
        return is_of_kind


class _LetsIn(_KnowsAKind):
    def decide(self, request: Request) -> Reply:
        return self.let_in("shopper-uuid-008", "SHOPPER") if self.is_shown(request) else super().decide(request)


class _LetsInAsCashShopper(_KnowsAKind):
    def decide(self, request: Request) -> Reply:
        return self.let_in("shopper-uuid-008", "CASH_SHOPPER") if self.is_shown(request) else super().decide(request)


class _RefusesOnce(_KnowsAKind):
    def decide(self, request: Request) -> Reply:
        is_later = self.is_shown(request) and self.shown > 1
        return self.let_in("shopper-uuid-008", "SHOPPER") if is_later else super().decide(request)


class _RefusesFromTheSecondTime(_KnowsAKind):
    def decide(self, request: Request) -> Reply:
        is_first = self.is_shown(request) and self.shown == 1
        return self.let_in("shopper-uuid-008", "SHOPPER") if is_first else super().decide(request)


class _RefusesWith402(_KnowsAKind):
    def decide(self, request: Request) -> Reply:
        return error(402, "pay first") if self.is_shown(request) else super().decide(request)


class _ClosesForAll(_KnowsAKind):
    def decide(self, request: Request) -> Reply:
        return self.turn_away() if self.is_shown(request) or self.shown else super().decide(request)


for _kind, _id in _FOUND_BY.items():
    for _name, _base in {
        f"lets_{_kind}_in": _LetsIn,
        f"lets_{_kind}_in_as_cash_shopper": _LetsInAsCashShopper,
        f"refuses_{_kind}_once": _RefusesOnce,
        f"refuses_{_kind}_from_the_second_time": _RefusesFromTheSecondTime,
        f"refuses_{_kind}_with_402": _RefusesWith402,
        f"closes_for_all_after_{_kind}": _ClosesForAll,
    }.items():
        CONNECTOR_FAULTS.add(Fault(_name, (_id,)), type(_name, (_base,), {"kind": _kind}))


@_fault("VIK-X.126", slow=True)
class forgets_debts(SmallConnector):
    def charge(self, request: Request) -> None:
        pass


@_fault("VIK-X.126", slow=True)
class remembers_a_debt_for_its_key_only(SmallConnector):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._keys: dict[str, bytes] = {}
        self._blocked: set[bytes] = set()

    def decide(self, request: Request) -> Reply:
        key = key_bytes_of(request.body)
        self._keys[self.event_key(request)] = key
        return self.turn_away() if key in self._blocked else super().decide(request)

    def charge(self, request: Request) -> None:
        self._blocked |= {self._keys.get(text_at(entry, "id"), b"") for entry in entries_of(request.body)}


@_fault("VIK-X.126")
class refuses_everyone_after_a_debt(SmallConnector):
    def owes(self, visitor: str, request: Request) -> bool:
        return bool(self.debtors)


@_fault("VIK-X.126")
class forgets_a_debt_after_a_refusal(SmallConnector):
    def owes(self, visitor: str, request: Request) -> bool:
        is_owed = super().owes(visitor, request)
        self.debtors.discard(visitor)
        return is_owed


@_fault("VIK-X.126")
class refuses_debtors_with_402(SmallConnector):
    def decide(self, request: Request) -> Reply:
        reply = super().decide(request)
        return error(402, "pay first") if reply.status == 401 and self.debtors else reply  # noqa: PLR2004 - the refusal


@_fault("VIK-X.126", slow=True)
class counts_debts_of_large_carts_only(SmallConnector):
    def charge(self, request: Request) -> None:
        if len(request.items) > 1:
            super().charge(request)


@_fault("VIK-X.126", slow=True)
class keeps_the_debt_with_the_entry(SmallConnector):
    """It compares the debt with the visitor and the event, so that no later event has one."""

    def owes(self, visitor: str, request: Request) -> bool:
        return f"{visitor}/{self.event_key(request)}" in self.debtors


@_fault("VIK-X.126")
class refuses_the_cart_of_a_declined_payment(SmallConnector):
    async def cart(self, request: Request) -> Reply:
        reply = await super().cart(request)
        return error(402, "declined") if DEBTOR in self.debtors else reply
