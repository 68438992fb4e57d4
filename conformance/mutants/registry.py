"""The registry of faults: each has a name, the requirement ids that must find it, and the class that has the fault.

A decorator on the class registers a fault under the name of the class. A wrong registration fails at import.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Generic, TypeVar

from conformance.mutants.small_catalog_client import SmallCatalogClient
from conformance.mutants.small_checkout_client import SmallCheckoutClient
from conformance.mutants.small_connector import SmallConnector
from conformance.mutants.small_feed_consumer import SmallFeedConsumer
from conformance.mutants.small_payment_client import SmallPaymentClient
from jwo_contract.register import register

T = TypeVar("T")


class BadFault(Exception):
    """The registration of a fault is wrong, or a fault does not exist."""


@dataclass(frozen=True)
class Fault:
    """A fault and its ids; each of them must find it. A `slow` fault takes seconds to find.

    `beside` are ids of cases that must run too, since a case that judges the whole run needs the calls of others.
    """

    name: str
    found_by: tuple[str, ...]
    slow: bool = False
    rate_limit_per_second: int = 0
    beside: tuple[str, ...] = ()


class Registry(Generic[T]):
    """The faults of one kind of program, in the order in which they were registered."""

    def __init__(self, correct: type[T]) -> None:
        self._correct = correct
        self._faults: dict[str, Fault] = {}
        self._classes: dict[str, type[T]] = {}

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Return every fault."""
        return tuple(self._faults.values())

    def fault(
        self, *found_by: str, slow: bool = False, rate_limit_per_second: int = 0, beside: tuple[str, ...] = ()
    ) -> Callable[[type[T]], type[T]]:
        """Return a decorator that registers a class as the fault with the class's name."""

        def registered(faulty: type[T]) -> type[T]:
            self.add(Fault(faulty.__name__, found_by, slow, rate_limit_per_second, beside), faulty)
            return faulty

        return registered

    def fault_of_each_call(self, *, slow: bool = False, **found_by: tuple[str, ...]) -> Callable[[type[T]], type[T]]:
        """Return a decorator that registers a class for each call, as `name:call`, with that call as `broken_call`."""

        def registered(faulty: type[T]) -> type[T]:
            for call, found in found_by.items():
                name = f"{faulty.__name__}:{call}"
                self.add(Fault(name, found, slow), type(name, (faulty,), {"broken_call": call}))
            return faulty

        return registered

    def add(self, fault: Fault, faulty: type[T]) -> None:
        """Register a fault. Raises BadFault if its name exists, it has no ids, or an id is not in the register."""
        unknown = [each for each in (*fault.found_by, *fault.beside) if each not in register()]
        if unknown or not fault.found_by:
            raise BadFault(f"the fault {fault.name} must name ids of the requirement register, not {unknown}")
        if fault.name in self._faults:
            raise BadFault(f"the fault {fault.name} is registered twice; give one of them another name")
        self._faults[fault.name] = fault
        self._classes[fault.name] = faulty

    def named(self, name: str) -> Fault:
        """Return a fault by its name. Raises BadFault, with similar names, if it does not exist."""
        if name not in self._faults:
            near = get_close_matches(name, self._faults) or list(self._faults)[:5]
            raise BadFault(f"there is no fault {name}; there are {', '.join(near)} and others in conformance/mutants/")
        return self._faults[name]

    def class_of(self, name: str) -> type[T]:
        """Return the class with a fault, or the correct one if the name is empty. Raises BadFault as `named` does."""
        return self._classes[self.named(name).name] if name else self._correct


CONNECTOR_FAULTS = Registry(SmallConnector)
CLIENT_FAULTS = Registry(SmallCatalogClient)
PAYMENT_FAULTS = Registry(SmallPaymentClient)
CHECKOUT_FAULTS = Registry(SmallCheckoutClient)
FEED_FAULTS = Registry(SmallFeedConsumer)
CONFORMANT_ODDITIES = Registry(SmallConnector)
"""Odd but correct connectors; the ids that look closest must not find a fault in them."""
