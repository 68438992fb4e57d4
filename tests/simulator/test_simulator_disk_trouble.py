"""A disk that fails for a while: no cart waits for a restart, and no loop of the platform ends."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from simulator import delivery, supervision
from simulator.composition import StoreServices
from simulator.errors import StorageFailed
from simulator.event_sender import EventSender
from simulator.shop.day import send_due
from simulator.storage.database import Database
from simulator.storage.files import Storage
from tests.simulator.test_simulator_catalog_flow import an_item
from tests.simulator.test_simulator_events import PickyQueue
from tests.simulator.test_simulator_outage import fill_and_leave, some_services, through


def read_only(database: Database, *, on: bool = True) -> None:
    """Make every write fail, as on a full disk."""
    database.read_now(f"PRAGMA query_only = {'ON' if on else 'OFF'}")


def fail_one_read(services: StoreServices, monkeypatch: pytest.MonkeyPatch) -> None:
    database = services.storage.cart_database
    whole = database.read

    async def broken(*_arguments: Any) -> Any:
        monkeypatch.setattr(database, "read", whole)
        raise StorageFailed("disk I/O error")

    monkeypatch.setattr(database, "read", broken)


def test_attempt_that_cannot_be_recorded_is_repeated(connector: Any, tmp_path: Path) -> None:
    async def run() -> tuple[float | None, dict[str, int]]:
        services, clock = some_services(tmp_path, connector.url)
        await fill_and_leave(services, 1)
        read_only(services.storage.cart_database)
        await send_due(services.deliveries, clock)
        due = services.deliveries.next_due()
        read_only(services.storage.cart_database, on=False)
        await through(services, clock, 10)
        counts = await services.deliveries.counts()
        await services.close()
        return due, counts

    due, counts = asyncio.run(run())
    assert due is not None
    assert (counts["delivered"], counts["pending"]) == (1, 0)
    assert len({body["requestId"] for body in connector.bodies("purchases")}) == 2


def test_delivery_continues_after_carts_could_not_be_read(
    connector: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        services, _ = some_services(tmp_path, connector.url)
        await fill_and_leave(services, 3)
        fail_one_read(services, monkeypatch)
        running = asyncio.create_task(services.deliveries.run())
        async with asyncio.timeout(5):
            while services.storage.deliveries.queued():  # noqa: ASYNC110 - the storage sends no events
                await asyncio.sleep(0.001)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await services.close()

    monkeypatch.setattr(delivery, "_LONGEST_WAIT_S", 0.01)
    asyncio.run(run())
    assert "could not be read" in caplog.text


def test_sent_event_that_cannot_be_deleted_delays_no_other(tmp_path: Path) -> None:
    async def run() -> PickyQueue:
        storage, queue = Storage(str(tmp_path / "platform.sqlite3")), PickyQueue()
        with ThreadPoolExecutor(1) as threads:
            sender = EventSender(
                queue, threads, "arn:aws:sqs:us-east-1:123456789012:q", storage.key_values("event", dict)
            )  # type: ignore[arg-type] # plays a client
            sender.put({"id": "1", "detail": 1})
            read_only(storage.trip_database)
            running = asyncio.create_task(sender.run())
            await _until_empty(sender)
            read_only(storage.trip_database, on=False)
            sender.put({"id": "2", "detail": 2})
            await _until_empty(sender)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        await storage.close()
        return queue

    assert asyncio.run(run()).batches == [[1], [2]]


async def _until_empty(sender: EventSender) -> None:
    async with asyncio.timeout(5):
        while len(sender):  # noqa: ASYNC110 - a sender does not notify when it is empty
            await asyncio.sleep(0.001)


def test_failed_loop_is_logged_and_started_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    starts: list[int] = []

    async def loop() -> None:
        starts.append(1)
        if len(starts) < 3:
            raise OSError("no space left")
        raise asyncio.CancelledError

    monkeypatch.setattr(supervision, "_RESTART_AFTER_S", 0)
    with suppress(asyncio.CancelledError), caplog.at_level(logging.ERROR):
        asyncio.run(supervision.run_forever("writing the journal", loop))
    assert len(starts) == 3
    assert caplog.text.count("writing the journal failed") == 2


def test_upload_that_cannot_be_stored_is_answered_as_an_error_of_the_platform(
    start_platform: Any, queue: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    platform = start_platform(database_path=str(tmp_path / "platform.sqlite3"))
    platform.set_up_store(None)
    assert platform.allow_list(queue.arn).status_code == 200
    in_the_way = tmp_path / "platform.sqlite3-uploads"
    in_the_way.touch()
    refused = platform.upload(an_item())
    assert (refused.status_code, refused.headers["Retry-After"]) == (500, "1")
    assert "an upload could not be stored" in caplog.text
    assert "JWO_PLATFORM_DATABASE_PATH" in caplog.text
    assert "Traceback" not in caplog.text
    in_the_way.unlink()
    assert platform.done(platform.upload(an_item()).json()["ingestionId"])["processingStatus"] == "DONE"
