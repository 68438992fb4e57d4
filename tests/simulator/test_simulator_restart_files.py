"""The content of a platform's files after a kill, and how the next start uses it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jwo_contract.house import Barcode, Catalog
from jwo_contract.operations import OPERATIONS, Operation
from simulator.catalog.items import CatalogItems
from simulator.catalog.upload_bodies import UploadBodies
from simulator.clock import PlatformClock, Setting
from simulator.composition import make_store_services
from simulator.connector import Connector, OutgoingRequest
from simulator.connector_calls import CallContext, DelayedMessage
from simulator.errors import StorageUnreadable
from simulator.faults import Fault, Faults, Where
from simulator.journal_file import newest_entries
from simulator.portal.stores import Store
from simulator.seed import Seed
from simulator.settings import PlatformSettings
from simulator.storage.files import Storage
from simulator.worlds import shipped_world
from tests.simulator.test_simulator_restart import SECOND, STORE, an_item


@pytest.fixture
def storage(tmp_path: Path) -> Any:
    opened = Storage(str(tmp_path / "platform.sqlite3"))
    yield opened
    asyncio.run(opened.close())


def test_restart_keeps_the_count_of_spared_exchanges(storage: Storage) -> None:
    def faults() -> Faults:
        return Faults(PlatformClock(), Seed(7), storage.key_values("fault", Fault))

    faults().arm("delay", after=2)
    struck = [bool(faults().trigger("exchange", Where(), number)) for number in range(4)]
    assert struck == [False, False, True, False]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_delayed_message_of_each_operation_is_read_back_unchanged(storage: Storage, operation: Operation) -> None:
    request = OutgoingRequest(operation, Connector("http://127.0.0.1:9"), {"storeId": STORE}, timeout_s=2.0)
    late = DelayedMessage(datetime(2030, 1, 1, tzinfo=UTC), request, CallContext(STORE, secrets=("1234",)))
    storage.key_values("late message", DelayedMessage).put("one", late)
    assert storage.key_values("late message", DelayedMessage).all() == {"one": late}


def test_delayed_message_of_an_unknown_operation_is_refused(storage: Storage) -> None:
    request = OutgoingRequest(OPERATIONS[0]._replace(name="Sing"), None, {}, timeout_s=2.0)
    late = DelayedMessage(datetime(2030, 1, 1, tzinfo=UTC), request, CallContext(STORE))
    storage.key_values("late message", DelayedMessage).put("one", late)
    with pytest.raises(StorageUnreadable, match="late message 'one'"):
        storage.key_values("late message", DelayedMessage).all()


def test_bodies_without_a_waiting_ingestion_are_deleted(tmp_path: Path) -> None:
    bodies = UploadBodies(tmp_path / "uploads")
    bodies.sweep(())
    for name in ("wanted", "orphan"):
        bodies.keep(name, b"body")
    (tmp_path / "uploads" / "cut.part").write_bytes(b"bo")
    UploadBodies(tmp_path / "uploads").sweep({"wanted"})
    assert [path.name for path in (tmp_path / "uploads").iterdir()] == ["wanted.json"]


def test_clock_advances_while_the_platform_is_down(storage: Storage) -> None:
    real = datetime(2030, 1, 1, tzinfo=UTC)

    def clock(after_s: float) -> PlatformClock:
        settings = storage.key_values("clock", Setting)
        return PlatformClock(
            speed=60, real=lambda: 0.0, wall=lambda: real + timedelta(seconds=after_s), storage=settings
        )

    assert clock(0).now() == real
    assert clock(60).now() == real + timedelta(hours=1)
    assert clock(60).wall() == real + timedelta(seconds=60)


def test_incomplete_line_is_removed_and_other_files_stay_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "journal.ndjson"
    path.write_bytes(b"".join(b'{"seq":%d,"kind":"exit"}\n' % number for number in range(1, 6)) + b'{"seq":6,"ki')
    assert [entry["seq"] for entry in newest_entries(path, 3)] == [3, 4, 5]
    assert path.read_bytes().endswith(b'{"seq":5,"kind":"exit"}\n')
    for other in (b"a text\n", b"a text", b"[]\n"):
        path.write_bytes(other)
        with pytest.raises(StorageUnreadable, match="no journal"):
            newest_entries(path, 3)
        assert path.read_bytes() == other


def test_names_against_the_guide_are_logged_once_an_ingestion(caplog: pytest.LogCaptureFixture) -> None:
    items = CatalogItems(Barcode(), Catalog())
    rows = [
        an_item("LONG", item_name="x" * 101),
        an_item("SPECIAL", "96385074", item_name="Milk <b>"),
        an_item("FINE", SECOND),
    ]
    report = items.ingest("ingestion-7", lambda items: [items.put(row) for row in rows])
    assert report["summary"]["accepted"] == 3
    (said,) = [record.getMessage() for record in caplog.records if record.name == "simulator.catalog"]
    assert "ingestion-7: 2 names" in said
    assert "LONG, SPECIAL" in said


def test_stored_set_up_replaces_that_of_the_world(tmp_path: Path) -> None:
    path = str(tmp_path / "platform.sqlite3")
    given = PlatformSettings(
        base_url="http://h", aws_endpoint_url="http://h", database_path=path, world=shipped_world()
    )
    first = make_store_services(given)
    store, *others = first.stores.all()
    first.stores.put(store._replace(qr_pattern="changed", gates=()))
    first.stores.put(Store("HEIR", "another", "closed", gates=store.gates))
    asyncio.run(first.close())
    second = make_store_services(given)
    assert second.stores.all() == first.stores.all()
    assert second.stores.of_gate(store.gates[0]).id == "HEIR"
    assert second.stores.get(store.id).qr_pattern == "changed"
    assert {one.id for one in others} < {one.id for one in second.stores.all()}
    asyncio.run(second.close())


def test_ingestion_is_processed_once_with_any_number_of_kills(tmp_path: Path) -> None:
    times = []

    def work(items: CatalogItems) -> list[dict[str, Any]]:
        times.append(1)
        return [items.put(an_item()), items.archive("SKU-1", [STORE])]

    reports = []
    for _ in range(2):
        storage = Storage(str(tmp_path / "platform.sqlite3"))
        reports.append(CatalogItems(Barcode(), Catalog(), storage.items).ingest("ingestion-1", work))
        asyncio.run(storage.close())
    assert reports[0] == reports[1]
    assert reports[0]["summary"] == {"received": 2, "accepted": 2, "rejected": 0}
    assert len(times) == 1


@pytest.mark.parametrize("content", [b"no database at all, but a text of some length" * 40, None])
def test_file_that_is_not_a_database_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "folder" / "platform.sqlite3"
    if content:
        path.parent.mkdir()
        path.write_bytes(content)
    with pytest.raises(StorageUnreadable, match=str(path)):
        make_store_services(PlatformSettings(base_url="http://h", aws_endpoint_url="http://h", database_path=str(path)))


def test_two_platforms_never_run_on_the_same_files(tmp_path: Path) -> None:
    path = str(tmp_path / "platform.sqlite3")
    given = PlatformSettings(base_url="http://h", aws_endpoint_url="http://h", database_path=path)
    services = make_store_services(given)
    with pytest.raises(StorageUnreadable, match="another platform runs on"):
        make_store_services(given)
    asyncio.run(services.close())
    asyncio.run(make_store_services(given).close())


def test_values_of_another_version_are_refused_by_name(tmp_path: Path) -> None:
    path = str(tmp_path / "platform.sqlite3")
    given = PlatformSettings(base_url="http://h", aws_endpoint_url="http://h", database_path=path)
    services = make_store_services(given)
    services.storage.key_values("store", dict).put("S-9", {})
    asyncio.run(services.close())
    with pytest.raises(StorageUnreadable, match="S-9"):
        make_store_services(given)
