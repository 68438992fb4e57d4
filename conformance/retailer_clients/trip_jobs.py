"""What the jobs of payment clients and of checkout clients share: trips, a run of the client, and its charges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from conformance.platform_control import Fault
from conformance.retailer_clients.addresses import Addresses
from conformance.retailer_clients.calls import ClientCall
from conformance.retailer_clients.command import ClientRun, Runner
from conformance.retailer_clients.files import FileInput
from conformance.retailer_clients.pool import RunJob
from conformance.retailer_clients.shop import Shop, connected
from jwo_toolkit.json_types import JsonObject

UNKNOWN_TRIP = "no-such-trip"
P = TypeVar("P")
J = TypeVar("J")


class Ran(NamedTuple):
    """What a client did: its run and report, its calls, and the charges at the platform, by trip."""

    run: ClientRun
    result: object
    calls: Sequence[ClientCall]
    charges: Mapping[str, JsonObject]


@contextmanager
def trip_jobs(
    addresses: Addresses, runner: Runner, plans: Mapping[str, P], run_job: Callable[[P, Shop, Runner, Path], J]
) -> Iterator[RunJob[J]]:
    """Connect to a platform, and yield how a job runs there, by the name of its plan."""
    with connected(addresses) as control:
        yield lambda name, folder: run_job(plans[name], Shop(addresses, control), runner, folder)


def make_trips(count: int, make: Callable[[], str], *, unknown: bool) -> tuple[str, ...]:
    """Return the ids of new trips; with `unknown`, the platform does not know the first one."""
    return tuple(UNKNOWN_TRIP if unknown and not index else make() for index in range(count))


def arm_all(shop: Shop, faults: Iterable[Fault]) -> None:
    """Arm faults for the calls of the account."""
    for fault in faults:
        shop.arm(fault)


def run_client(shop: Shop, runner: Runner, given: FileInput, job: JsonObject, trips: Iterable[str]) -> Ran:
    """Give the client its job, and wait until it ends."""
    given.write_job(job)
    run = runner.run(given)
    charges = {trip: charge for trip in trips if (charge := shop.control.charge(trip))}
    return Ran(run, given.read_result(), shop.calls(), charges)
