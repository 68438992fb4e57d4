"""The proof of the checks: each mutant meets the ids that must find it, the correct connector all of them.

A mutant that survives means that a green from the suite would be worth nothing for that rule.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import NamedTuple

from conformance.catalog_client.platform import Addresses
from conformance.end_to_end.needs import case_ids
from conformance.end_to_end.platform import Platform
from conformance.mutants.clients import CLIENTS, results_of_client
from conformance.mutants.gallery import GALLERY, RATE_LIMIT, Mutant
from conformance.mutants.serving import served
from conformance.mutants.small import RESTART, STORES, SmallConnector
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import FinishedRun, run
from conformance.verdicts import CaseResult, Verdict
from contract.profile import (
    CatalogTable,
    ConnectorTable,
    KeysTable,
    LimitsTable,
    Profile,
    ScansTable,
    ShopperIdentitiesTable,
    StoreTable,
    TiersTable,
)
from contract.scan_key import to_identity_key

Stores = tuple[str, ...]
_RESTART = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], b'').read()"
FOUND = {Verdict.FAIL, Verdict.WARN}


class Outcome(NamedTuple):
    """What became of a mutant: the verdict of each id that had to find it."""

    mutant: Mutant
    verdicts: dict[str, Verdict]

    @property
    def killed(self) -> bool:
        """Whether ids are declared and every one found the fault; that another id found it counts for nothing."""
        wanted = self.mutant.found_by
        return bool(wanted) and all(self.verdicts.get(each) in FOUND for each in wanted)


class Proof(NamedTuple):
    """What the gate saw: each mutant, the ids that no mutant proves, and what was found on correct connectors."""

    outcomes: tuple[Outcome, ...]
    unproven: tuple[str, ...]
    alarms: tuple[str, ...]

    @property
    def killed(self) -> int:
        """How many mutants were found by all the ids that must."""
        return sum(outcome.killed for outcome in self.outcomes)

    @property
    def holds(self) -> bool:
        """Whether every fault was found, every check finds one, and nothing was found where nothing is wrong."""
        return self.killed == len(self.outcomes) and not self.unproven and not self.alarms


def profile_of(url: str, rate_limit_per_second: int = 0, stores: Stores = STORES) -> Profile:
    """Return the profile that fits the small connector."""
    kinds = ("refused", "expired", "used")
    keys = {
        "shopper": to_identity_key("valid_shopper_key"),
        "associate": to_identity_key("associate_key"),
        "cash_shopper": to_identity_key("cash_shopper_key"),
        **{kind: to_identity_key(f"{kind}_key") for kind in kinds},
    }
    return Profile(
        connector=ConnectorTable(url=url, restart_command=shlex.join([sys.executable, "-c", _RESTART, url + RESTART])),
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
        limits=LimitsTable(rate_limit_per_second=rate_limit_per_second),
    )


def certify(
    fault: str,
    only: tuple[str, ...] = (),
    rate_limit: int = 0,
    *,
    stores: Stores = STORES,
    platform: Platform | None = None,
) -> FinishedRun:
    """Run the suite against the small connector with one fault, or none, and return the finished run.

    Whoever shares a `platform` with others at the same time has `stores` of its own there.
    """
    with served(SmallConnector(fault, rate_limit, stores)) as url:
        profile = profile_of(url, rate_limit, stores)
        return run(RunConfiguration(profile, Selection(("core", "entry"), only), platform=platform))


def visits_of_the_limited() -> Mapping[str, CaseResult]:
    """Certify the correct connector with a limit, which makes itself felt in visits most of all."""
    return certify("", rate_limit=RATE_LIMIT, only=("VIK-4", *case_ids())).results


def run_mutant(mutant: Mutant, platform: Platform | None = None) -> Outcome:
    """Run one mutant against the ids that it declares."""
    stores = (f"{mutant.fault} 1", f"{mutant.fault} 2") if platform else STORES
    rate_limit = mutant.rate_limit_per_second
    results = certify(mutant.fault, mutant.found_by, rate_limit, stores=stores, platform=platform).results
    return Outcome(mutant, {each: results[each].verdict for each in mutant.found_by if each in results})


def run_client(mutant: Mutant, addresses: Addresses) -> Outcome:
    """Give a faulty catalog client the jobs by which the ids that it declares judge."""
    results = results_of_client(mutant.fault, addresses, mutant.found_by)
    return Outcome(mutant, {each: results[each].verdict for each in mutant.found_by if each in results})


def unproven(ids: set[str]) -> set[str]:
    """Return the ids that no mutant proves."""
    return ids.difference(*(mutant.found_by for mutant in (*GALLERY, *CLIENTS)))
