"""Group commit: the jobs that wait at one moment become a batch, and a thread commits it as one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class GroupCommit(Generic[Job, Result]):
    """Batches jobs of one event loop; `commit` blocks, takes a batch in the order of the calls, and returns results.

    If `commit` raises, every job of the batch fails with that error.
    """

    def __init__(self, commit: Callable[[list[Job]], list[Result]]) -> None:
        self._commit = commit
        self._waiting: list[tuple[Job, asyncio.Future[Result]]] = []
        self._worker: asyncio.Task[None] | None = None

    def submit(self, job: Job) -> asyncio.Future[Result]:
        """Queue a job; its future is done once the job is committed."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._commit_all())
        return future

    async def settle(self) -> None:
        """Wait until every earlier job is committed or has failed."""
        while self._worker is not None and not self._worker.done():
            await asyncio.shield(self._worker)

    async def close(self) -> None:
        """Commit the waiting jobs."""
        await self.settle()

    async def _commit_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            jobs, futures = [job for job, _ in batch], [future for _, future in batch]
            try:
                results = await asyncio.to_thread(self._commit, jobs)
            except Exception as error:  # noqa: BLE001 - each waiting caller gets the error
                _fail(futures, error)
            else:
                _finish(futures, results)


def _fail(futures: list[asyncio.Future[Result]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)


def _finish(futures: list[asyncio.Future[Result]], results: list[Result]) -> None:
    for future, result in zip(futures, results, strict=True):
        if not future.done():
            future.set_result(result)
