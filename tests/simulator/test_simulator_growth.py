"""The platform's files stay within a bound, and a kill at any moment of that work loses nothing."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from simulator import journal_file
from simulator.errors import NotKnown, StorageUnreadable
from simulator.journal import Journal
from simulator.journal_file import JournalFile, earlier_file, newest_entries
from simulator.storage.files import Storage
from simulator.trip_record import AuthEvent, Trip
from tests.simulator.test_simulator_outage import fill_and_leave, some_services

SHOWN = 20
BOUND = 2_000


def line(seq: int) -> bytes:
    return orjson.dumps({"seq": seq, "kind": "exit", "tripId": f"trip-{seq}" * 4}, option=orjson.OPT_APPEND_NEWLINE)


def opened(path: Path, **more: Any) -> JournalFile:
    return JournalFile(path, **{"at_once": True, "most_bytes": BOUND, "fewest_entries": SHOWN, **more})


def numbers(path: Path, most: int = SHOWN) -> list[int]:
    return [entry["seq"] for entry in newest_entries(path, most)]


def test_journal_takes_two_files_at_most_and_shows_the_newest_entries_after_each_restart(tmp_path: Path) -> None:
    path, seq = tmp_path / "journal.ndjson", 0
    for _ in range(20):
        file = opened(path)
        for _ in range(37):
            seq += 1
            file.append(line(seq))
            assert numbers(path) == list(range(max(1, seq - SHOWN + 1), seq + 1))
        file.close()
    assert {one.name for one in tmp_path.iterdir()} == {"journal.ndjson", "journal.ndjson.1"}
    longest = len(line(seq))
    assert path.stat().st_size < BOUND + longest
    assert earlier_file(path).stat().st_size < BOUND + longest
    assert path.stat().st_mode & 0o777 == 0o600


def test_file_with_few_large_entries_does_not_end_before_it_has_all_that_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    file = opened(path, most_bytes=1)
    for seq in range(1, 3 * SHOWN):
        file.append(line(seq))
        assert numbers(path) == list(range(max(1, seq - SHOWN + 1), seq + 1))
    file.close()
    assert numbers(earlier_file(path), 1_000) == list(range(SHOWN + 1, 2 * SHOWN + 1))


def test_journal_without_a_limit_stays_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    file = opened(path, most_bytes=0, at_once=False)
    for seq in range(1, 400):
        file.append(line(seq))
    file.close()
    assert numbers(path, 1_000) == list(range(1, 400))
    assert not earlier_file(path).exists()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a killed process closes no file
@pytest.mark.parametrize("step", ["delete", "rename", "open", "close"])
def test_start_after_a_kill_within_a_rotation_has_every_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    class KilledError(BaseException):
        pass

    def kill(*_arguments: Any, **_more: Any) -> Any:
        raise KilledError

    path, file = tmp_path / "journal.ndjson", opened(tmp_path / "journal.ndjson")
    written = 0
    while file._bytes + 2 * len(line(written + 1)) < BOUND or file._entries < SHOWN:  # noqa: SLF001 - to stop just before the end of the file
        written += 1
        file.append(line(written))
    killed = False
    with monkeypatch.context() as patch:
        if step in {"delete", "rename"}:
            earlier_file(path).write_bytes(line(0))
            patch.setattr(Path, {"delete": "unlink", "rename": "rename"}[step], kill)
        elif step == "open":
            patch.setattr(journal_file, "_appending", kill)
        else:
            patch.setattr(file, "_file", _Unclosable(file._file, kill))  # noqa: SLF001 - as above
        while not killed:
            written += 1
            try:
                file.append(line(written))
            except KilledError:
                killed = True
    assert numbers(path) == list(range(written - SHOWN + 1, written + 1))
    again = opened(path)
    again.append(line(written + 1))
    assert numbers(path) == list(range(written - SHOWN + 2, written + 2))


class _Unclosable:
    def __init__(self, file: Any, kill: Any) -> None:
        self.write, self.close = file.write, kill


WRITER = """
import sys
from pathlib import Path
from tests.simulator.test_simulator_growth import line, opened
file, seq = opened(Path(sys.argv[1])), int(sys.argv[2])
while True:
    seq += 1
    file.append(line(seq))
    print(seq, flush=True)
"""


@pytest.mark.slow
def test_killed_writer_loses_no_entry_that_it_reported(tmp_path: Path) -> None:
    path, seq = tmp_path / "journal.ndjson", 0
    for round_ in range(6):
        command = [sys.executable, "-c", WRITER, str(path), str(seq)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as writer:
            assert writer.stdout is not None
            for _ in range(500 + 7 * round_):
                reported = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGKILL)
            reported = max([reported, *map(int, writer.stdout.read().split(b"\n")[:-1])])
        seq = numbers(path)[-1]
        assert seq >= reported
        assert numbers(path) == list(range(seq - SHOWN + 1, seq + 1))


def test_full_disk_loses_no_entry_and_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "journal.ndjson"
    file = opened(path)
    disk = _FullDisk(file._file, room=100)  # noqa: SLF001 - plays the disk
    file._file = disk  # type: ignore[assignment] # noqa: SLF001 - as above
    with caplog.at_level(logging.WARNING):
        for seq in range(1, 11):
            file.append(line(seq))
        assert caplog.text.count("cannot be written") == 1
        assert "bytes wait in memory: No space left on device" in caplog.text
        disk.room = 1_000_000
        file.append(line(11))
        file.close()
    assert "written again, without a gap" in caplog.text
    assert numbers(path) == list(range(1, 12))


class _FullDisk:
    """A file on a disk with room for some bytes: like the system, it writes a part of what does not fit."""

    def __init__(self, file: Any, room: int) -> None:
        self._file, self.room = file, room

    def write(self, content: Any) -> int:
        part = bytes(content)[: self.room]
        if not part:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= len(part)
        return int(self._file.write(part))

    def close(self) -> None:
        self._file.close()


def test_new_file_that_cannot_be_started_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seq = tmp_path / "journal.ndjson", 0
    file = opened(path)

    def full(*_arguments: Any, **_more: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(journal_file, "_appending", full)
        while seq < 3 * SHOWN:
            seq += 1
            file.append(line(seq))
    for _ in range(SHOWN):
        seq += 1
        file.append(line(seq))
    file.close()
    assert numbers(path, seq) == list(range(1, seq + 1))


@pytest.mark.parametrize("name", ["no/journal.ndjson", "file/journal.ndjson", "."])
def test_journal_in_an_unusable_place_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnreadable, match=f"the journal {tmp_path / name} cannot be"):
        Journal(_Noon(), SHOWN, tmp_path / name, continued=True)


class _Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        return datetime(2030, 1, 1, 12, tzinfo=UTC)


def test_oldest_ended_trips_are_forgotten_and_no_others(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "platform.sqlite3"))
    began = datetime(2030, 1, 1, tzinfo=UTC)
    for number in range(50):
        storage.trips.save(Trip(f"t{number}", "S", "G", [AuthEvent(f"e{number}", began, "SCAN_CODE")], None))
    for number in range(40):
        storage.trips.end(f"t{number}", began + timedelta(seconds=number))
    counts = [storage.trips.forget_ended(10, most=16) for _ in range(3)]

    async def known() -> set[int]:
        return {number for number in range(50) if await storage.trips.find(f"t{number}")}

    left, inside = asyncio.run(known()), asyncio.run(storage.trips.under_way())
    asyncio.run(storage.close())
    assert counts == [16, 14, 0]
    assert left == set(range(30, 50))
    assert sorted(inside) == [f"t{number}" for number in range(40, 50)]
    again = Storage(str(tmp_path / "platform.sqlite3"))
    assert again.trips.forget_ended(8, most=16) == 2
    asyncio.run(again.close())


def test_cart_of_a_forgotten_trip_is_still_delivered(connector: Any, tmp_path: Path) -> None:
    async def run() -> tuple[dict[str, int], list[Any], int]:
        services, _ = some_services(tmp_path, connector.url)
        trips = await fill_and_leave(services, 9)
        forgetting = asyncio.create_task(services.trips.forget_ended(2))
        await asyncio.sleep(0)
        forgetting.cancel()
        found = await asyncio.gather(*(services.trips.show(trip) for trip in trips), return_exceptions=True)
        carts = [await services.deliveries.cart(trip) for trip in trips]
        moves = services.storage.trip_database.read_now("SELECT count(DISTINCT trip_id) FROM hand")[0][0]
        counts = await services.deliveries.counts()
        await services.close()
        assert all(carts)
        return counts, found, moves

    counts, found, moves = asyncio.run(run())
    assert counts["pending"] == 9
    assert sum(isinstance(one, NotKnown) for one in found) == 7
    assert moves == 2


def test_file_of_the_trips_stays_within_a_bound(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path / "platform.sqlite3"))
    began, sizes = datetime(2030, 1, 1, tzinfo=UTC), []
    for number in range(1_200):
        trip = f"{number * 7919 % 10_007:032x}"
        storage.trips.save(Trip(trip, "S", "G", [AuthEvent(trip, began, "SCAN_CODE")], None))
        storage.trips.end(trip, began + timedelta(seconds=number))
        storage.trips.forget_ended(100, most=16)
        if number in {399, 1_199}:
            sizes.append(storage.trip_database.read_now("PRAGMA page_count")[0][0])
    asyncio.run(storage.close())
    assert sizes[1] <= 1.5 * sizes[0]
