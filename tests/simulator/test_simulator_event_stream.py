"""The event stream: entries as they come, resumed after a break, of chosen kinds; changes; a slow client's gap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import orjson

from simulator.app import create_app
from simulator.clock import PlatformClock
from simulator.event_stream import EventStream
from simulator.journal import Journal
from simulator.settings import PlatformSettings

NO_KINDS: frozenset[str] = frozenset()


def make() -> tuple[Journal, EventStream]:
    clock = PlatformClock()
    journal = Journal(clock, 10_000)
    return journal, EventStream(journal, clock)


async def next_frame(frames: AsyncIterator[bytes]) -> tuple[str, Any, int | None]:
    """Return event, data and id of the next frame that has data."""
    async with asyncio.timeout(5):
        async for frame in frames:
            fields = dict(line.split(": ", 1) for line in frame.decode().splitlines() if ": " in line)
            if "data" in fields:
                number = int(fields["id"]) if "id" in fields else None
                return fields["event"], orjson.loads(fields["data"]), number
    raise AssertionError("the stream has ended")


async def begin(frames: AsyncIterator[bytes]) -> None:
    assert (await anext(frames)).startswith(b"retry:")


def test_entries_arrive_in_one_frame_with_the_last_number() -> None:
    async def work() -> None:
        journal, stream = make()
        frames = stream.frames(None, NO_KINDS, "")
        await begin(frames)
        for number in range(3):
            journal.add("exit", {"storeId": "S", "lines": number})

        event, data, seq = await next_frame(frames)
        assert (event, seq) == ("entries", 3)
        assert [entry["lines"] for entry in data] == [0, 1, 2]

    asyncio.run(work())


def test_client_that_comes_back_misses_no_entry() -> None:
    async def work() -> None:
        journal, stream = make()
        for number in range(5):
            journal.add("exit", {"storeId": "S", "lines": number})
        frames = stream.frames(2, NO_KINDS, "")
        await begin(frames)
        journal.add("exit", {"storeId": "S", "lines": 5})

        _, data, seq = await next_frame(frames)
        assert [entry["seq"] for entry in data] == [3, 4, 5, 6]
        assert seq == 6

    asyncio.run(work())


def test_stream_has_only_the_chosen_kinds_of_the_chosen_store() -> None:
    async def work() -> None:
        journal, stream = make()
        frames = stream.frames(None, frozenset({"gate_decision"}), "S")
        await begin(frames)
        journal.add("exit", {"storeId": "S"})
        journal.add("gate_decision", {"storeId": "T"})
        journal.add("gate_decision", {"storeId": "S"})

        _, data, _ = await next_frame(frames)
        assert [(entry["kind"], entry["storeId"]) for entry in data] == [("gate_decision", "S")]

    asyncio.run(work())


def test_slow_client_gets_the_newest_entries_and_the_size_of_its_gap() -> None:
    async def work() -> None:
        journal, stream = make()
        frames = stream.frames(None, NO_KINDS, "")
        await begin(frames)
        for number in range(2_500):
            journal.add("exit", {"storeId": "S", "lines": number})

        assert await next_frame(frames) == ("gap", {"missed": 500}, None)
        _, data, _ = await next_frame(frames)
        assert data[0]["lines"] == 500

    asyncio.run(work())


def test_changes_arrive_without_the_ids_of_cards(serve: Callable[[Any], str]) -> None:
    settings = PlatformSettings(base_url="http://127.0.0.1:1", stores_alone=True)
    with (
        httpx.Client(base_url=serve(create_app(settings)), timeout=5) as api,
        api.stream("GET", "/events", params={"kinds": "none"}) as stream,
    ):
        lines = stream.iter_lines()
        next(lines)
        api.put("/risk/card-1", json={"risks": []})
        api.put("/risk/card-2", json={"risks": 1})  # refused, so it changes nothing
        api.put("/clock", json={"speed": 2})
        changes: list[Any] = []
        while len(changes) < 2:
            line = next(lines)
            changes += orjson.loads(line[6:]) if line.startswith("data: ") else []

    assert changes == [{"method": "PUT", "path": "/risk"}, {"method": "PUT", "path": "/clock"}]


def test_close_ends_every_stream() -> None:
    async def work() -> None:
        _, stream = make()
        frames = stream.frames(None, NO_KINDS, "")
        await begin(frames)
        stream.close()

        async with asyncio.timeout(5):
            assert [frame async for frame in frames] == []

    asyncio.run(work())
