"""The job of a feed consumer: it books the intra-day files of a day in two runs, and reports after each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from conformance.retailer_clients.addresses import Addresses, new_account
from conformance.retailer_clients.command import ClientRun, Runner
from conformance.retailer_clients.feed_day import FeedDay, play_day
from conformance.retailer_clients.files import FileInput
from conformance.retailer_clients.pool import JobPool, RunJob

API = "Feed consumer"
"""The name of these cases in the register."""
PLANS: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = {"book a day of files": ((1, 0, 0), (1, 2))}
"""The files of each run, by their index: the second file comes first, and two files come twice."""


class Booked(NamedTuple):
    """One run: how it ended, its report, and how many messages it left in its queue."""

    run: ClientRun
    result: object
    left: int


class FeedJob(NamedTuple):
    """A finished job: the day, and both runs. If the first run does not end, there is no further run."""

    day: FeedDay
    first: Booked
    second: Booked


FeedJobs = JobPool[FeedJob]


@contextmanager
def feed_jobs(addresses: Addresses, runner: Runner, day: FeedDay | None = None) -> Iterator[RunJob[FeedJob]]:
    """Play the day, unless it is given, and yield how a job runs."""
    played = day or play_day(addresses)
    yield lambda name, folder: _run_job(PLANS[name], played, addresses, runner, folder)


def _run_job(
    plan: tuple[tuple[int, ...], tuple[int, ...]], day: FeedDay, addresses: Addresses, runner: Runner, folder: Path
) -> FeedJob:
    from conformance.retailer_clients.queues import Queues  # noqa: PLC0415 - boto3 is slow, and not in the base install

    account = new_account(1)
    with closing(Queues(addresses.aws_url, addresses.region)) as queues:
        queue_url, queue_arn = queues.create(f"consumer-{account.id}")
        given = FileInput(addresses, account._replace(queue_url=queue_url, queue_arn=queue_arn), "FEED", folder)
        given.write_job({})
        booked = []
        for files in plan:
            queues.send(queue_url, [day.files[index] for index in files])
            given.result_file.unlink(missing_ok=True)
            run = runner.run(given)
            booked.append(Booked(run, given.read_result(), queues.count(queue_url)))
            if run.code is None:
                break
    return FeedJob(day, booked[0], booked[-1])
