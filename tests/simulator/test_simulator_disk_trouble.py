"""A disk that fails for a while: no cart waits for a restart, and no loop of the platform ends."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from simulator import delivery, loops
from simulator.event_lane import Lane
from simulator.ledger import FACTS, Ledger
from simulator.memory import Facts
from simulator.parts import StoreParts
from simulator.shop.day import send_due
from tests.simulator.test_simulator_events import PickyQueue
from tests.simulator.test_simulator_outage import fill_and_leave, some_parts, through


def read_only(ledger: Ledger, *, on: bool = True) -> None:
    """Let every write fail, as on a disk that is full."""
    ledger.read_now(f"PRAGMA query_only = {'ON' if on else 'OFF'}")


def fail_one_read(parts: StoreParts, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = parts.carts.read

    async def broken(*_arguments: Any) -> Any:
        monkeypatch.setattr(parts.carts, "read", whole)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(parts.carts, "read", broken)


def test_attempt_that_cannot_be_recorded_at_all_is_made_again(connector: Any, tmp_path: Path) -> None:
    async def run() -> tuple[float | None, dict[str, int]]:
        parts, clock = some_parts(tmp_path, connector.url)
        await fill_and_leave(parts, 1)
        read_only(parts.carts)
        await send_due(parts.deliveries, clock)
        due = parts.deliveries.next_due()
        read_only(parts.carts, on=False)
        await through(parts, clock, 10)
        counts = await parts.deliveries.counts()
        await parts.close()
        return due, counts

    due, counts = asyncio.run(run())
    assert due is not None
    assert (counts["delivered"], counts["pending"]) == (1, 0)
    assert len({body["requestId"] for body in connector.bodies("purchases")}) == 2


def test_carts_that_could_not_be_read_are_read_later_and_delivery_goes_on(
    connector: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        parts, _ = some_parts(tmp_path, connector.url)
        await fill_and_leave(parts, 3)
        fail_one_read(parts, monkeypatch)
        running = asyncio.create_task(parts.deliveries.run())
        async with asyncio.timeout(5):
            while parts.carts.read_now("SELECT 1 FROM delivery WHERE state = 'pending'"):  # noqa: ASYNC110 - a ledger tells nobody
                await asyncio.sleep(0.001)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await parts.close()

    monkeypatch.setattr(delivery, "_LONGEST_NAP_S", 0.01)
    asyncio.run(run())
    assert "could not be read" in caplog.text


def test_event_that_was_sent_and_cannot_be_forgotten_holds_up_no_other(tmp_path: Path) -> None:
    async def run() -> PickyQueue:
        ledger, queue = Ledger(str(tmp_path / "facts"), FACTS, sync=False), PickyQueue()
        with ThreadPoolExecutor(1) as threads:
            lane = Lane(queue, threads, "arn:aws:sqs:us-east-1:123456789012:q", Facts("event", dict, ledger))  # type: ignore[arg-type] # plays a client
            lane.put({"id": "1", "detail": 1})
            read_only(ledger)
            running = asyncio.create_task(lane.run())
            await _until_empty(lane)
            read_only(ledger, on=False)
            lane.put({"id": "2", "detail": 2})
            await _until_empty(lane)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        await ledger.close()
        return queue

    assert asyncio.run(run()).batches == [[1], [2]]


async def _until_empty(lane: Lane) -> None:
    async with asyncio.timeout(5):
        while len(lane):  # noqa: ASYNC110 - a lane tells nobody that it is empty
            await asyncio.sleep(0.001)


def test_loop_that_breaks_is_logged_and_started_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    starts: list[int] = []

    async def loop() -> None:
        starts.append(1)
        if len(starts) < 3:
            raise OSError("no space left")
        raise asyncio.CancelledError

    monkeypatch.setattr(loops, "_AGAIN_AFTER_S", 0)
    with suppress(asyncio.CancelledError), caplog.at_level(logging.ERROR):
        asyncio.run(loops.kept_going("writing the journal", loop))
    assert len(starts) == 3
    assert caplog.text.count("writing the journal broke") == 2
