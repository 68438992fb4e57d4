"""The jobs of a catalog client: a catalog to upload, and the faults that occur meanwhile. Each job runs once in a run.

Every job has an account, stores and a queue of its own, so that jobs run concurrently on one platform. The first case
that needs a job starts all jobs that any case will need.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from conformance.catalog_client.calls import Call, calls_of
from conformance.catalog_client.platform import Platform, connect
from conformance.catalog_client.rows import Row, catalog, write
from conformance.platform_control import Fault
from conformance.retailer_clients.addresses import Account, Addresses
from conformance.retailer_clients.command import ClientRun, Runner, values_of
from conformance.retailer_clients.pool import JobPool, RunJob
from jwo_contract.operations import UPLOAD_CATALOG
from jwo_toolkit.json_types import JsonObject

API = "Catalog client"
"""The name of these cases in the register."""
MOST_ITEMS = 10_000
_LARGE, _SMALL, _LISTED = MOST_ITEMS + 2, 6, 60
_LATE_S = 3.0
_ALWAYS = 1000
_INGESTION_TIMEOUT_S = 60.0


class Plan(NamedTuple):
    """The plan of a job: the number of its rows, the index of the rejected row if there is one, and the faults."""

    rows: int = _SMALL
    wrong: int | None = None
    faults: tuple[Fault, ...] = ()


_ON_UPLOAD = UPLOAD_CATALOG.name
WITHOUT_WRONG_ROW = "a small catalog without a wrong row"
"""The job that shows how a client ends when the platform rejects nothing."""
WITH_WRONG_ROW = "a small catalog with a wrong row in its middle"
"""The job that differs from the one without a wrong row in this row alone."""
# the longest jobs start first, so that the others run meanwhile
PLANS: Mapping[str, Plan] = {
    "a large catalog, of which the first notification comes twice": Plan(
        _LARGE, faults=(Fault("notification_twice"), Fault("notification_late", _LATE_S, after=1))
    ),
    "a large catalog, of which the first notification comes last": Plan(
        _LARGE, faults=(Fault("notification_late", _LATE_S),)
    ),
    "a large catalog": Plan(_LARGE, wrong=_LARGE - 1),
    "a catalog while the first call is answered 429": Plan(faults=(Fault("throttle", operation=_ON_UPLOAD),)),
    "a catalog while the first call is answered 500, which may be retried": Plan(
        faults=(Fault("error_500_retry", operation=_ON_UPLOAD),)
    ),
    "a catalog while the first call is answered 500, which is final": Plan(
        faults=(Fault("error_500_final", operation=_ON_UPLOAD),)
    ),
    WITHOUT_WRONG_ROW: Plan(_LISTED),
    WITH_WRONG_ROW: Plan(_LISTED, wrong=_LISTED // 2 - 1),
    "a catalog, of which no notification comes": Plan(faults=(Fault("notification_never", times=_ALWAYS),)),
    "a catalog, of which the notified link has expired": Plan(faults=(Fault("notification_old_link", times=_ALWAYS),)),
    "a catalog, of which the ingestion fails": Plan(faults=(Fault("ingestion_fatal", times=_ALWAYS),)),
}


class Job(NamedTuple):
    """A finished job: the client's run, the calls that reached the platform, and the stored items."""

    plan: Plan
    account: Account
    valid_rows: list[Row]
    """The rows that the platform should store in the end."""
    run: ClientRun
    calls: list[Call]
    reports: dict[str, list[JsonObject]]
    """The report rows of each ingestion that ended as DONE, by ingestion id."""
    stored_items: list[JsonObject]
    subscription: str
    unread: frozenset[str]
    """The types of the messages in the queue that the client never received."""
    notified: frozenset[str]
    """The ingestions with an end that the platform published while the client ran."""

    @property
    def rejected(self) -> Row:
        """Return the row that the platform must reject."""
        assert self.plan.wrong is not None
        return self.rows[self.plan.wrong]

    @property
    def rows(self) -> list[Row]:
        """Return the rows of the file."""
        return catalog(self.plan.rows, self.account.stores, wrong=self.plan.wrong)


Jobs = JobPool[Job]


class CatalogInput(NamedTuple):
    """The input of a run: the addresses of the platform, the account of the caller, and the catalog as CSV and JSON."""

    addresses: Addresses
    account: Account
    csv: Path
    json: Path

    @property
    def values(self) -> dict[str, str]:
        """The value of each `{name}` in the command and in its environment."""
        return {**values_of(self.addresses, self.account), "csv": str(self.csv), "json": str(self.json)}

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of a catalog client."""
        return _VARIABLES


_VARIABLES = {
    "CATALOG_ENDPOINT": "{endpoint}",
    "CATALOG_QUEUE_URL": "{queue_url}",
    "CATALOG_QUEUE_ARN": "{queue_arn}",
    "CATALOG_STORES": "{stores}",
    "CATALOG_CSV": "{csv}",
    "CATALOG_JSON": "{json}",
}


@contextmanager
def catalog_jobs(addresses: Addresses, runner: Runner) -> Iterator[RunJob[Job]]:
    """Connect to a platform, and yield how a job runs there."""
    with connect(addresses) as connected:
        yield lambda name, folder: _run_job(PLANS[name], connected, runner, folder)


def _run_job(plan: Plan, platform: Platform, runner: Runner, folder: Path) -> Job:
    account = platform.onboard()
    for fault in plan.faults:
        platform.control.arm(fault, account=account.id)
    rows = catalog(plan.rows, account.stores, wrong=plan.wrong)
    client_run = runner.run(CatalogInput(platform.addresses, account, *write(rows, folder)))
    entries = platform.control.entries("retailer_call", "notification")
    calls = calls_of([each for each in entries if each["kind"] == "retailer_call"], account)
    return Job(
        plan,
        account,
        [row for index, row in enumerate(rows) if index != plan.wrong],
        client_run,
        calls,
        _reports(platform, account, calls),
        platform.catalog(account),
        platform.control.subscription_status(account.id),
        platform.unread_messages(account),
        frozenset(str(each["ingestionId"]) for each in entries if _is_published(each, account)),
    )


def _is_published(entry: JsonObject, account: Account) -> bool:
    is_own = entry["kind"] == "notification" and entry["account"] == account.id
    return is_own and bool(entry["outcome"] == "published")


def _reports(platform: Platform, account: Account, calls: Iterable[Call]) -> dict[str, list[JsonObject]]:
    """Wait until all accepted ingestions are final, and return the reports by ingestion id."""
    reports = {}
    for call in calls:
        if call.is_upload and call.ingestion and call.accepted:
            answer = platform.wait_until_final(account, call.ingestion, _INGESTION_TIMEOUT_S)
            if answer["processingStatus"] == "DONE":
                reports[call.ingestion] = platform.control.report(answer["reportDownloadLink"])
    return reports
