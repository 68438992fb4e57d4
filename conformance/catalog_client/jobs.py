"""The jobs that a client is given: a catalog to upload, and what goes wrong meanwhile. Each is done once a run.

Every job has an account, stores and a queue of its own, so that jobs go on side by side on one platform. The first
case that asks for a job starts all that will be asked for.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from conformance.catalog_client.command import Ended, Runner, Told
from conformance.catalog_client.platform import Account, Addresses, Platform, reached
from conformance.catalog_client.rows import Row, catalog, write
from conformance.catalog_client.seen import Call, calls_of
from conformance.platform_control import Fault
from contract.operations import UPLOAD_CATALOG
from contract.profile import CatalogClientTable
from jwo_toolkit.json_types import JsonObject

MOST_ITEMS = 10_000
_LARGE, _SMALL = MOST_ITEMS + 2, 6
_LATE_S = 3.0
_ALWAYS = 1000
_SETTLES_WITHIN_S = 60.0


class Plan(NamedTuple):
    """What a job is: so many rows, of which the last `wrong` are rejected, and the faults that are armed."""

    rows: int = _SMALL
    wrong: int = 0
    faults: tuple[Fault, ...] = ()


_ON_UPLOAD = UPLOAD_CATALOG.name
# what takes longest comes first, so that others go on meanwhile
PLANS: Mapping[str, Plan] = {
    "a large catalog, of which the first notification comes twice": Plan(
        _LARGE, faults=(Fault("notification_twice"), Fault("notification_late", _LATE_S, after=1))
    ),
    "a large catalog, of which the first notification comes last": Plan(
        _LARGE, faults=(Fault("notification_late", _LATE_S),)
    ),
    "a large catalog": Plan(_LARGE, wrong=1),
    "a catalog while the first call is answered 429": Plan(faults=(Fault("throttle", operation=_ON_UPLOAD),)),
    "a catalog while the first call is answered 500, worth another try": Plan(
        faults=(Fault("error_500_retry", operation=_ON_UPLOAD),)
    ),
    "a catalog while the first call is answered 500, for good": Plan(
        faults=(Fault("error_500_final", operation=_ON_UPLOAD),)
    ),
    "a catalog, of which no notification comes": Plan(faults=(Fault("notification_never", times=_ALWAYS),)),
    "a catalog, of which the notified link is over its hour": Plan(
        faults=(Fault("notification_old_link", times=_ALWAYS),)
    ),
    "a catalog whose ingestion fails": Plan(faults=(Fault("ingestion_fatal", times=_ALWAYS),)),
}


class Job(NamedTuple):
    """A job that was done: what the platform saw of it, and what came of it."""

    plan: Plan
    account: Account
    wanted: list[Row]
    """The rows that the platform should hold in the end."""
    ended: Ended
    calls: list[Call]
    reports: dict[str, list[JsonObject]]
    """The rows of each ingestion that ended DONE."""
    held: list[JsonObject]
    subscription: str
    invitation_was_taken: bool

    @property
    def rejected(self) -> list[Row]:
        """Return the rows that the platform had to reject."""
        return self.rows[len(self.wanted) :]

    @property
    def rows(self) -> list[Row]:
        """Return the rows of the file."""
        return catalog(self.plan.rows, self.account.stores, wrong=self.plan.wrong)


class Jobs:
    """The jobs of one certification. `platform` starts one, or names one that runs; it is asked when the first job is.

    Use it as a context manager: leaving it ends every client that still runs, and the platform.
    """

    def __init__(
        self,
        table: CatalogClientTable,
        platform: Callable[[], AbstractContextManager[Addresses]],
        ahead: Iterable[str] = (),
    ) -> None:
        self._runner = Runner(table)
        self._at_once = table.at_once
        self._start_platform = platform
        self._ahead = tuple(ahead)
        self._stack = ExitStack()
        self._door = threading.Lock()
        self._platform: Platform | None = None
        self._jobs: dict[str, Future[Job]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.end()
        self._stack.close()

    def done(self, name: str) -> Job:
        """Return a job when it is done; the first time, all that are wanted ahead begin as well."""
        with self._door:
            if self._platform is None:
                self._open()
            self._begin(name)
        return self._jobs[name].result()

    def _open(self) -> None:
        self._platform = self._stack.enter_context(reached(self._stack.enter_context(self._start_platform())))
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="jwo-catalog-")))
        self._pool = self._stack.enter_context(ThreadPoolExecutor(self._at_once))
        self._stack.callback(self._pool.shutdown, wait=False, cancel_futures=True)
        for name in self._ahead:
            self._begin(name)

    def _begin(self, name: str) -> None:
        if name not in self._jobs:
            assert self._platform is not None
            folder = self._folder / str(len(self._jobs))
            self._jobs[name] = self._pool.submit(_done, PLANS[name], self._platform, self._runner, folder)


def _done(plan: Plan, platform: Platform, runner: Runner, folder: Path) -> Job:
    account = platform.onboard()
    for fault in plan.faults:
        platform.control.arm(fault, account=account.id)
    rows = catalog(plan.rows, account.stores, wrong=plan.wrong)
    folder.mkdir()
    ended = runner.run(Told(platform.addresses, account, *write(rows, folder)))
    calls = calls_of(platform.control.retailer_calls(), account)
    return Job(
        plan,
        account,
        rows[: plan.rows - plan.wrong],
        ended,
        calls,
        _reports(platform, account, calls),
        platform.catalog(account),
        platform.control.subscription_status(account.id),
        platform.invitation_was_taken(account),
    )


def _reports(platform: Platform, account: Account, calls: Iterable[Call]) -> dict[str, list[JsonObject]]:
    """Wait until all that was accepted has ended, and return the reports by ingestion."""
    reports = {}
    for call in calls:
        if call.is_upload and call.ingestion and call.accepted:
            answer = platform.ended(account, call.ingestion, _SETTLES_WITHIN_S)
            if answer["processingStatus"] == "DONE":
                reports[call.ingestion] = platform.control.report(answer["reportDownloadLink"])
    return reports
