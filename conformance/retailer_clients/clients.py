"""The jobs of all clients that a profile declares. They share a platform, which the first job starts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import NamedTuple, TypeVar

from conformance.catalog_client import jobs as catalog
from conformance.end_to_end.needs import check_platform_is_installed
from conformance.errors import NotDeclared
from conformance.retailer_clients import checkout_jobs as checkout
from conformance.retailer_clients import feed_jobs as feed
from conformance.retailer_clients import payment_jobs as payment
from conformance.retailer_clients.addresses import Addresses
from conformance.retailer_clients.command import Runner
from conformance.retailer_clients.pool import JobPool, RunJob
from conformance.retailer_clients.servers import SharedPlatform, started_early
from conformance.run.configuration import RunConfiguration
from jwo_contract.profile import ClientTable, Profile
from jwo_toolkit.extras import is_installed

J = TypeVar("J")
TABLES = {
    catalog.API: "catalog_client",
    payment.API: "payment_client",
    checkout.API: "checkout_client",
    feed.API: "feed_consumer",
}
"""The table of the profile that declares each client, by the name of the client's cases in the register."""
OF_SOME_STORES = frozenset(TABLES) - {catalog.API}
"""The clients that only some stores need: without their declaration, a run leaves their cases out."""


def undeclared(profile: Profile) -> frozenset[str]:
    """Return the clients of some stores only that a profile does not declare."""
    return frozenset(api for api in OF_SOME_STORES if not getattr(profile, TABLES[api]).command)


class Clients(NamedTuple):
    """The jobs of each client; None for a client that is not declared, or without an installed platform."""

    catalog: catalog.Jobs | None = None
    payment: payment.PaymentJobs | None = None
    checkout: checkout.CheckoutJobs | None = None
    feed: feed.FeedJobs | None = None


NO_CLIENTS = Clients()


@contextmanager
def clients_for(configuration: RunConfiguration) -> Iterator[Clients]:
    """Yield the jobs of the declared clients. The end of the block ends every client that still runs."""
    profile, only = configuration.profile, configuration.selection.only
    with ExitStack() as stack:
        platform = stack.enter_context(SharedPlatform(profile.house, configuration.catalog_platform))

        def jobs(
            api: str,
            plans: Collection[str],
            opened: Callable[[Addresses, Runner], AbstractContextManager[RunJob[J]]],
        ) -> JobPool[J] | None:
            table = getattr(profile, TABLES[api])
            if not table.command or not is_installed("platform"):
                return None
            runner, early = Runner(table, TABLES[api]), started_early(api, plans, only)
            return stack.enter_context(JobPool[J](runner, lambda used: opened(platform.addresses(), used), early))

        yield Clients(
            catalog=jobs(catalog.API, catalog.PLANS, catalog.catalog_jobs),
            payment=jobs(payment.API, payment.PLANS, payment.payment_jobs),
            checkout=jobs(checkout.API, checkout.PLANS, checkout.checkout_jobs),
            feed=jobs(feed.API, feed.PLANS, partial(feed.feed_jobs, day=configuration.feed_day)),
        )


def declared(jobs: JobPool[J] | None, table: ClientTable, setting: str, task: str) -> JobPool[J]:
    """Return the jobs of a client. Raises NotDeclared, with what to declare, if there are none."""
    if jobs is not None:
        return jobs
    if table.command:
        check_platform_is_installed()
    raise NotDeclared(f"{setting} is not declared; declare the command that {task} with your own client")
