"""The waiter of the accelerated path: coroutines and tasks await it like a future."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from reference_connector.accelerated.waiter import DirectWaiter

NAME: ContextVar[str] = ContextVar("NAME", default="")


async def _wait(waiter: DirectWaiter) -> object:
    return await waiter


def test_a_task_gets_the_result_or_the_error() -> None:
    async def run() -> list[object]:
        loop = asyncio.get_running_loop()
        good, bad = DirectWaiter(loop), DirectWaiter(loop)
        tasks = [asyncio.create_task(_wait(each)) for each in (good, bad)]
        await asyncio.sleep(0)
        loop.call_soon(good.set_result, 7)
        loop.call_soon(bad.set_exception, KeyError("trip"))
        return await asyncio.gather(*tasks, return_exceptions=True)

    good, bad = asyncio.run(run())
    assert (good, type(bad)) == (7, KeyError)


def test_finished_waiter_returns_at_once() -> None:
    async def run() -> object:
        waiter = DirectWaiter(asyncio.get_running_loop())
        waiter.set_result(7)
        return await waiter

    assert asyncio.run(run()) == 7


def test_task_resumes_in_its_own_context() -> None:
    async def named(waiter: DirectWaiter, name: str) -> str:
        NAME.set(name)
        await waiter
        return NAME.get()

    async def run() -> list[str]:
        loop = asyncio.get_running_loop()
        waiters = [DirectWaiter(loop) for _ in range(2)]
        tasks = [asyncio.create_task(named(waiter, name)) for waiter, name in zip(waiters, "ab", strict=True)]
        await asyncio.sleep(0)
        for waiter in waiters:
            loop.call_soon(waiter.set_result, None)
        return await asyncio.gather(*tasks)

    assert asyncio.run(run()) == ["a", "b"]


def test_late_result_for_a_cancelled_task_is_ignored() -> None:
    async def run() -> tuple[bool, bool]:
        waiter = DirectWaiter(asyncio.get_running_loop())
        task = asyncio.create_task(_wait(waiter))
        await asyncio.sleep(0)
        task.cancel("no longer wanted")
        with pytest.raises(asyncio.CancelledError):
            await task
        return task.cancelled(), waiter.done()

    assert asyncio.run(run()) == (True, True)


def test_a_timeout_ends_the_wait() -> None:
    async def run() -> None:
        waiter = DirectWaiter(asyncio.get_running_loop())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await waiter

    asyncio.run(run())


def test_failing_callback_does_not_block_others() -> None:
    async def run() -> tuple[list[object], object]:
        loop, troubles = asyncio.get_running_loop(), list[object]()
        loop.set_exception_handler(lambda _loop, found: troubles.append(found["exception"]))
        failing, good = DirectWaiter(loop), DirectWaiter(loop)
        task = asyncio.create_task(_wait(good))
        await asyncio.sleep(0)

        def fail(_waiter: DirectWaiter) -> None:
            raise RuntimeError("on purpose")

        def report() -> None:
            failing.set_result(1)
            good.set_result(2)

        failing.add_done_callback(fail)
        loop.call_soon(report)
        return troubles, await task

    (trouble,), result = asyncio.run(run())
    assert (type(trouble), result) == (RuntimeError, 2)
