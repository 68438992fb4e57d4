"""Reads the faults of a simulated day from the command line: NAME[=AMOUNT][@RATE]."""

from __future__ import annotations

import re
from typing import NamedTuple

from jwo.errors import Usage
from simulator.composition import StoreServices
from simulator.faults import KINDS

_FAULT = re.compile(r"(?P<name>[a-z0-9_]+)(=(?P<amount>\d{1,6}(\.\d+)?))?(@(?P<rate>0?\.\d+|0|1))?")
_PAYMENT_PLACES = ("catalog", "payment", "intraday", "intraday_file")
"""Faults of the retailer's own calls, and of the files; only a day in which Amazon charges has these."""
_KNOWN = [name for name, kind in KINDS.items() if kind.place in {"exchange", *_PAYMENT_PLACES}]


class DayFault(NamedTuple):
    """A fault that applies to a share of all exchanges of a day; `amount` None takes the fault's default."""

    name: str
    amount: float | None
    rate: float


def read_fault(text: str) -> DayFault:
    """Read a fault such as `delay=60@0.02`; without a rate it applies to every exchange. Raises Usage if not valid."""
    found = _FAULT.fullmatch(text)
    if not found:
        raise Usage(f"--fault {text[:60]!r} is not a fault; write NAME[=AMOUNT][@RATE], as in delay=60@0.02")
    name, amount, rate = found["name"], found["amount"], found["rate"]
    if name not in _KNOWN:
        raise Usage(f"a store day has no fault {name[:40]}; take one of {', '.join(_KNOWN)}")
    return DayFault(name, float(amount) if amount else None, float(rate) if rate else 1.0)


def check_faults(faults: tuple[DayFault, ...], *, has_payments: bool) -> None:
    """Raise Usage for a fault of payment calls or files in a day without them."""
    for fault in faults:
        if KINDS[fault.name].place in _PAYMENT_PLACES and not has_payments:
            kinds = "--store-kind card, mixed or checkout"
            raise Usage(f"--fault {fault.name} is about the retailer's payment calls and files; add {kinds}")


def arm_all(services: StoreServices, faults: tuple[DayFault, ...]) -> None:
    """Arm the faults for the whole day."""
    for fault in faults:
        services.faults.arm(fault.name, amount=fault.amount, rate=fault.rate, times=None)
