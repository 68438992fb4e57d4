"""A retailer with a store that opens for every card: its account, its trips, and what the platform saw."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from conformance.platform_control import AccountSetup, Fault, PlatformControl
from conformance.retailer_clients.addresses import Account, Addresses, new_account
from conformance.retailer_clients.calls import ClientCall, belongs_to, in_order, to_call


class Shop:
    """A newly onboarded retailer. `connector_url` is where the platform delivers carts; empty for nowhere."""

    def __init__(self, addresses: Addresses, control: PlatformControl, connector_url: str = "") -> None:
        self.addresses = addresses
        self.control = control
        self.account: Account = new_account(1)
        (self.store,) = self.account.stores
        self._gate = control.set_up_card_store(self.store, self.account.retailer, connector_url)
        control.set_up_account(self.account.id, AccountSetup(self.account.retailer, self.account.key))
        self._cards = 0

    def arm(self, fault: Fault) -> None:
        """Arm a fault for the calls of the account."""
        self.control.arm(fault, account=self.account.id)

    def enter(self) -> str:
        """Let a shopper in with a new card and return the id of the trip."""
        self._cards += 1
        return self.control.tap(self._gate, f"card-{self._cards}")

    def visit(self) -> str:
        """Let a shopper in and out again and return the id of the trip."""
        trip = self.enter()
        self.control.leave(trip)
        return trip

    def calls(self) -> list[ClientCall]:
        """Return the calls of the retailer, in the order in which they arrived."""
        entries = self.control.calls(self.account.id, self.account.stores)
        return in_order(
            (each for each in entries if belongs_to(each, self.account)), lambda each: to_call(each, self.account)
        )


@contextmanager
def connected(addresses: Addresses) -> Iterator[PlatformControl]:
    """Yield a client of the control API of a running platform."""
    with PlatformControl(addresses.platform_url) as control:
        yield control
