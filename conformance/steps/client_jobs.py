"""How the steps of payment clients and of checkout clients get a finished job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from conformance.retailer_clients.calls import ClientCall
from conformance.retailer_clients.pool import JobPool
from conformance.run.recorder import Recorder


class JobWithCalls(Protocol):
    """A finished job that has the client's calls."""

    @property
    def calls(self) -> Sequence[ClientCall]:
        """The calls, in the order in which they arrived."""


J = TypeVar("J", bound=JobWithCalls)


def wait_for_job(jobs: JobPool[J], name: str, recorder: Recorder) -> J:
    """Wait until the client has finished a job, keep its exchanges for the report, and return it."""
    job = jobs.wait_for_job(name)
    recorder.keep_all([call.exchange for call in job.calls])
    return job
