"""The platform as a process that is killed and started again on its files: everything that it shows is as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract.sigv4 import Key
from jwo.processes import Processes
from simulator.errors import BrokenMemory
from simulator.parts import store_parts
from simulator.settings import PlatformSettings

STORE, GATE, ACCOUNT = "STORE-001", "STORE-001-GATE-1", "123456789012"


class Killed:
    """One platform over several lives."""

    def __init__(self, processes: Processes, folder: Path, make: Callable[..., Any], **settings: str) -> None:
        self._processes = processes
        self._make = make
        self._settings = {"JWO_PLATFORM_DATABASE_PATH": str(folder / "platform.sqlite3"), **settings}
        self._lives = 0
        self._child: Any = None

    def start(self) -> Any:
        """Start it and return the calls that tests make."""
        self._lives += 1
        self._child = self._processes.start(f"platform-{self._lives}", ["platform"], self._settings)
        return self._make(self._child.url)

    def kill(self) -> None:
        self._child.process.kill()
        self._child.process.wait()

    def again(self) -> Any:
        self.kill()
        return self.start()


class Lives:
    """Starts such platforms; `make` turns an address into calls."""

    def __init__(self, processes: Processes, folder: Path, aws_url: str, make: Callable[..., Any]) -> None:
        self._given = (processes, folder, make)
        self._aws_url = aws_url

    def __call__(self, **settings: str) -> Killed:
        quick = {
            "JWO_PLATFORM_AWS_ENDPOINT_URL": self._aws_url,
            "JWO_PLATFORM_CATALOG__QUEUE_S": "0.02",
            "JWO_PLATFORM_CATALOG__PROCESS_S": "0.02",
        }
        return Killed(*self._given, **quick, **settings)


@pytest.fixture
def lives(tmp_path: Path, aws_url: str, platform_at: Callable[..., Any]) -> Iterator[Lives]:
    with Processes(tmp_path) as processes:
        yield Lives(processes, tmp_path, aws_url, platform_at)


def shown(platform: Any, *paths: str) -> dict[str, Any]:
    return {path: platform.http.get(path).json() for path in paths}


def test_killed_platform_comes_up_with_its_stores_accounts_faults_and_risks(
    lives: Any, connector: Any, queue: Any
) -> None:
    one = lives()
    platform = one.start()
    platform.set_up_store(connector, methods=["card", "app"], qrPattern="valid.*", authorizedAmount=7.5)
    platform.http.put("/portal/stores/ANOTHER", json={"retailer": "corner-retail", "gates": ["A1"]})
    form = {"endpoint": connector.url, "region": "eu-west-1"}
    platform.http.put(f"/portal/stores/{STORE}/connectors/ordering", json=form)
    assert platform.allow_list(queue.arn).status_code == 200
    (invitation,) = queue.receive()
    platform.signed("/portal/connectivity", b"")
    fault = {"name": "delay", "amount": 0, "times": 3, "where": {"store": STORE}, "until": "2999-01-01T00:00:00Z"}
    platform.http.post("/faults", json=fault)
    platform.scan()
    platform.http.put("/risk/card-1", json={"risks": ["CustomerFraud"]})
    paths = ["/portal/stores", "/portal/merchants", f"/portal/accounts/{ACCOUNT}", "/faults", f"/gates/{GATE}"]
    before = shown(platform, *paths)
    assert before["/faults"][0]["struck"] == 1
    platform = one.again()
    assert shown(platform, *paths) == before
    assert platform.http.post(f"/gates/{GATE}/cards", json={"instrument": "card-1"}).json()["cause"].startswith("risk:")
    assert platform.scan()["opens"]
    platform.scan()
    assert platform.http.get("/faults").json() == []
    where = httpx.URL(invitation["SubscribeURL"])
    assert platform.http.get("/sns/confirm", params=where.params).status_code == 200
    assert platform.http.get(f"/portal/accounts/{ACCOUNT}").json()["subscriptionStatus"] == "Complete"
    assert one.again().allow_list(queue.arn).json()["subscriptionStatus"] == "Complete"
    assert queue.receive() == []


def test_debt_is_remembered_over_a_kill_until_it_is_settled(lives: Any, connector: Any, queue: Any) -> None:
    one = lives()
    platform = one.start()
    platform.set_up_store(connector, methods=["card"])
    platform.allow_list(queue.arn)
    tap = {"instrument": "card-1"}
    platform.http.put("/risk/card-1", json={"risks": []})
    trip = platform.http.post(f"/gates/{GATE}/cards", json=tap).json()["shoppingTripId"]

    def report(settled: float) -> None:
        owed, paid = {"amount": 10.0, "code": "USD"}, {"amount": settled, "code": "USD"}
        status = {"storeId": STORE, "shoppingTripId": trip, "totalAmount": owed, "settledAmount": paid}
        answer = platform.signed("/v1/feedback/payment-status", {**status, "paymentStatusTime": 1.0})
        assert answer.json() == {"status": "Accepted"}

    report(3.0)
    platform = one.again()
    assert platform.http.post(f"/gates/{GATE}/cards", json=tap).json()["cause"] == "risk:BadDebt"
    report(10.0)
    platform = one.again()
    assert platform.http.post(f"/gates/{GATE}/cards", json=tap).json()["opens"]


@pytest.mark.parametrize("speed", [0.0, 3600.0])
def test_clock_goes_on_where_it_was_at_its_speed(lives: Any, speed: float) -> None:
    one = lives(JWO_PLATFORM_CLOCK_START="2030-01-01T00:00:00Z")
    platform = one.start()
    platform.http.put("/clock", json={"speed": speed, "advanceS": 86_400})
    began = datetime.now(UTC)
    before = datetime.fromisoformat(platform.http.get("/clock").json()["now"])
    told = one.again().http.get("/clock").json()
    gone = (datetime.fromisoformat(told["now"]) - before).total_seconds()
    assert told["speed"] == speed
    assert 0 <= gone <= ((datetime.now(UTC) - began).total_seconds() + 1) * speed
    assert bool(gone) == bool(speed)


def test_keys_of_accounts_lie_in_files_that_only_the_owner_reads(lives: Any, queue: Any, tmp_path: Path) -> None:
    one = lives()
    assert one.start().allow_list(queue.arn).status_code == 200
    files = [path for path in tmp_path.iterdir() if path.name.startswith("platform.sqlite3")]
    assert any(Key("retailer-key", "retailer-secret").secret_access_key.encode() in path.read_bytes() for path in files)
    assert {path.stat().st_mode & 0o077 for path in files} == {0}


@pytest.mark.parametrize("content", [b"no database at all, but a text of some length" * 40, None])
def test_file_that_is_no_database_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "folder" / "platform.sqlite3"
    if content:
        path.parent.mkdir()
        path.write_bytes(content)
    with pytest.raises(BrokenMemory, match=str(path)):
        store_parts(PlatformSettings(base_url="http://h", aws_endpoint_url="http://h", database_path=str(path)))
