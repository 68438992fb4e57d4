"""Runs of the gallery: each fault against the ids that must find it, the correct programs against all ids.

If a fault survives, a pass of the suite proves nothing about its rule.
"""

from __future__ import annotations

import shlex
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from conformance.catalog_client import jobs as catalog
from conformance.end_to_end.needs import case_ids
from conformance.end_to_end.platform import Platform
from conformance.mutants import (
    catalog_client_faults,
    checkout_client_faults,
    feed_consumer_faults,
    payment_client_faults,
    small_catalog_client,
    small_checkout_client,
    small_feed_consumer,
    small_payment_client,
)
from conformance.mutants.gallery import CLIENTS, GALLERY, RATE_LIMIT, connector_with
from conformance.mutants.registry import CHECKOUT_FAULTS, CLIENT_FAULTS, FEED_FAULTS, PAYMENT_FAULTS, Fault, Registry
from conformance.mutants.serving import served
from conformance.mutants.small_connector import MINT, NO_AUTH, RESTART, STORES
from conformance.retailer_clients import checkout_jobs as checkout
from conformance.retailer_clients import feed_jobs as feed
from conformance.retailer_clients import payment_jobs as payment
from conformance.retailer_clients.addresses import Addresses
from conformance.retailer_clients.clients import TABLES
from conformance.retailer_clients.feed_day import FeedDay
from conformance.retailer_clients.servers import served as served_platform
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import FinishedRun, run
from conformance.verdicts import CaseResult, Verdict
from jwo_contract.house import House, Suite
from jwo_contract.key_kinds import BADGE_KINDS, PAYMENT_KINDS
from jwo_contract.profile import (
    CatalogTable,
    KeysTable,
    LimitsTable,
    Profile,
    ScansTable,
    ShopperIdentitiesTable,
    StoreTable,
    TiersTable,
)
from jwo_contract.profile_connector import ConnectorTable
from jwo_contract.register import register
from jwo_contract.scan_key import to_identity_key

Stores = tuple[str, ...]
_RESTART = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], b'').read()"
FOUND = {Verdict.FAIL, Verdict.WARN}
NOWHERE = "http://127.0.0.1:9"
"""An address where nothing listens, for runs that call no connector."""
_CLIENT_LIMIT_S = 12.0
_EXACT = House(suite=Suite(exact_readers=True))
_QUICK = House().model_copy(update={"catalog": House().catalog.model_copy(update={"queue_s": 0.2, "process_s": 0.2})})


class Outcome(NamedTuple):
    """The result of a fault: the verdict of each id that must find it."""

    fault: Fault
    verdicts: dict[str, Verdict]

    @property
    def killed(self) -> bool:
        """Whether each declared id found the fault, and at least one is declared; other ids do not count."""
        wanted = self.fault.found_by
        return bool(wanted) and all(self.verdicts.get(each) in FOUND for each in wanted)

    @property
    def is_withheld(self) -> bool:
        """Whether an id withheld its verdict, as a case about time does while the machine is busy."""
        return any(self.verdicts.get(each) is Verdict.NOT_APPLICABLE for each in self.fault.found_by)


def profile_of(
    url: str, rate_limit_per_second: int = 0, stores: Stores = STORES, auth: Mapping[str, Any] = NO_AUTH
) -> Profile:
    """Return the profile for the small connector."""
    kinds = ("refused", "expired", "used", *BADGE_KINDS, *PAYMENT_KINDS)
    keys = {
        "shopper": to_identity_key("valid_shopper_key"),
        "associate": to_identity_key("associate_key"),
        "cash_shopper": to_identity_key("cash_shopper_key"),
        **{kind: to_identity_key(f"{kind}_key") for kind in kinds},
        "url": f"{url}{MINT}{{type}}",
        "minted": ["debt_after_trip"],
    }
    return Profile(
        connector=ConnectorTable.model_validate(
            {"url": url, "restart_command": shlex.join([sys.executable, "-c", _RESTART, url + RESTART]), **auth}
        ),
        store=StoreTable(id=stores[0], other_id=stores[1]),
        keys=KeysTable.model_validate(keys),
        catalog=CatalogTable(skus=("SKU-001", "SKU-002"), scancodes=("012345678905",), weighted_skus=("SKU-W01",)),
        tiers=TiersTable(shopper_authorization=True, resolve_scan=True),
        shopper_identities=ShopperIdentitiesTable(
            low_risk="card-1",
            high_risk="card-risk",
            adjusted="card-small",
            invalid_card="card-invalid",
            expired_card="card-expired",
            outstanding_balance="card-debt",
        ),
        scans=ScansTable(accepted="bG95YWx0eS0x", rejected="bm9ib2R5LTE="),
        limits=LimitsTable(rate_limit_per_second=rate_limit_per_second, burst=max(1, rate_limit_per_second)),
        house=_EXACT,
    )


def certify(
    fault: str,
    only: tuple[str, ...] = (),
    rate_limit: int | None = None,
    *,
    stores: Stores = STORES,
    platform: Platform | None = None,
) -> FinishedRun:
    """Run the suite against the small connector with one fault, or none, and return the finished run.

    Concurrent runs that share a `platform` each need their own `stores`.
    """
    connector = connector_with(fault, stores, rate_limit)
    with served(connector) as url:
        profile = profile_of(url, connector.rate_limit_per_second, stores, connector.auth)
        return run(RunConfiguration(profile, Selection(("core", "entry"), only), platform=platform))


def visits_of_the_limited() -> Mapping[str, CaseResult]:
    """Certify the correct connector with a rate limit, which affects mainly visits, and return the results by id."""
    return certify("", rate_limit=RATE_LIMIT, only=("VIK-4", *case_ids())).results


def run_fault(fault: Fault, platform: Platform | None = None) -> Outcome:
    """Run the connector that has a fault against the ids that must find it."""
    is_visited = platform is not None and not set(case_ids()).isdisjoint((*fault.found_by, *fault.beside))
    stores = _stores_of(fault) if is_visited else STORES
    return _outcome(fault, certify(fault.name, fault.found_by + fault.beside, stores=stores, platform=platform).results)


def _stores_of(fault: Fault) -> Stores:
    """Return the stores of a fault at a platform that faults share: visits to one must not reach another."""
    number = zlib.crc32(fault.name.encode())
    return f"STORE-{number:010}-001", f"STORE-{number:010}-002"


@contextmanager
def platform_for_clients() -> Iterator[Addresses]:
    """Run the platform that all clients share."""
    with served_platform(_QUICK) as addresses:
        yield addresses


class Program(NamedTuple):
    """A kind of small client: its faults, the file of the correct one, and the module that runs one with a fault."""

    faults: Registry[Any]
    correct: str
    faulty: str


PROGRAMS = {
    catalog.API: Program(CLIENT_FAULTS, small_catalog_client.__file__, catalog_client_faults.__name__),
    payment.API: Program(PAYMENT_FAULTS, small_payment_client.__file__, payment_client_faults.__name__),
    checkout.API: Program(CHECKOUT_FAULTS, small_checkout_client.__file__, checkout_client_faults.__name__),
    feed.API: Program(FEED_FAULTS, small_feed_consumer.__file__, feed_consumer_faults.__name__),
}
"""The small clients, by the name of their cases in the register."""


def certify_client(
    fault: str, addresses: Addresses, only: tuple[str, ...] = (), api: str = catalog.API, day: FeedDay | None = None
) -> Mapping[str, CaseResult]:
    """Run the jobs of a small client with one fault, or none, and return the results by id."""
    program = PROGRAMS[api]
    arguments = [program.correct] if not fault else ["-P", "-m", program.faulty, fault]
    table = {"command": shlex.join([sys.executable, *arguments]), "limit_s": _CLIENT_LIMIT_S}
    if api == catalog.API:
        table["tells_rejected"] = CLIENT_FAULTS.class_of(fault).reports_by
    connector = ConnectorTable(url=NOWHERE)
    profile = Profile.model_validate({"connector": connector, "house": _QUICK, TABLES[api]: table})
    selection = Selection(("core",), only or tuple(row.id for row in register().values() if row.api == api))
    return run(RunConfiguration(profile, selection, catalog_platform=addresses, feed_day=day)).results


def run_client_fault(fault: Fault, addresses: Addresses, day: FeedDay | None = None) -> Outcome:
    """Run a faulty client against the ids that must find it."""
    api = register()[fault.found_by[0]].api
    return _outcome(fault, certify_client(fault.name, addresses, fault.found_by, api, day))


def unproven(ids: set[str]) -> set[str]:
    """Return the ids that no fault proves."""
    return ids.difference(*(fault.found_by for fault in (*GALLERY, *CLIENTS)))


def _outcome(fault: Fault, results: Mapping[str, CaseResult]) -> Outcome:
    return Outcome(fault, {each: results[each].verdict for each in fault.found_by if each in results})
