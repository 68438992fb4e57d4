"""The platform's figures: gates, shoppers inside, uploads, a big catalog, Prism beside it, a day of 100,000 trips.

Run: python benchmarks/bench_platform.py [gates inside uploads prism day] [--rows 2000000] [--trips 100000]
Each section prints a table with the wanted figure beside the measured one; exit 1 when one is missed. `prism` needs the
command `prism` of the npm package @stoplight/prism-cli on the path, or --prism PATH.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import http.client
import json
import os
import random
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import orjson
import uvloop

from contract import openapi
from contract.house import Gate
from contract.sigv4 import Key, sign
from jwo.processes import Processes
from simulator import connector, wire
from simulator.carts import PIECES, Line
from simulator.clock import PlatformClock
from simulator.connector import Connector
from simulator.entry.app_code import Scan
from simulator.parts import StoreParts, store_parts
from simulator.portal.stores import Store
from simulator.settings import PlatformSettings
from simulator.shop.day import Pace
from simulator.shop.plan import People, Shop
from simulator.shop.run import run_day

HERE = Path(__file__).parent
KEY = Key("retailer-key", "retailer-secret")
NOWHERE = "http://127.0.0.1:9"
_WHOLE = 10_000
"""Items of a whole upload."""
UPLOAD, STATUS = "/v1/catalog/upload", "/v1/catalog/getCatalogUploadStatus"


class Figure(NamedTuple):
    """A measured number beside the wanted one."""

    name: str
    got: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def met(self) -> bool:
        """Say whether it is as wanted; a figure without a wish is met."""
        return (self.most is None or self.got <= self.most) and (self.least is None or self.got >= self.least)

    def line(self) -> str:
        """Return the figure as a row of the table."""
        wish = f"<= {self.most:g}" if self.most is not None else f">= {self.least:g}" if self.least is not None else ""
        return f"  {self.name:<52}{self.got:>14,.2f} {self.unit:<8}{wish:<12}{'' if self.met else 'MISSED'}"


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def instant_server(script: str = "instant.py") -> Iterator[str]:
    """Serve instant answers from a process of their own."""
    process = subprocess.Popen([sys.executable, HERE / "load_servers" / script], stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own script
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def some_parts(folder: str, url: str, stores: int, gates: int, timeout_s: float = 2.0) -> StoreParts:
    """Make the store side of a platform with many stores."""
    settings = PlatformSettings(
        base_url=NOWHERE,
        aws_endpoint_url=NOWHERE,
        database_path=f"{folder}/platform.sqlite3",
        journal_entries=100_000,
        gate=Gate(timeout_s=timeout_s),
    )
    parts = store_parts(settings, PlatformClock())
    for number in range(stores):
        names = tuple(f"S{number}-G{gate}" for gate in range(gates))
        parts.stores.put(Store(f"S{number}", "r", "closed", gates=names, connector=Connector(url)))
    return parts


# ---- gates: 2,000 gates in 250 stores, 500 scans a second ------------------------------------------------------------


WIRE_S: ContextVar[list[float]] = ContextVar("wire_s")
"""How long the calls of one scan were on the wire, from connecting to the last byte, in seconds."""


async def _timed_post(*given: Any) -> wire.Reply:  # noqa: ANN401 - what post takes
    started = time.perf_counter()
    reply = await wire.post(*given)
    WIRE_S.get().append(time.perf_counter() - started)
    return reply


async def _gates(rate: int, seconds: int) -> list[Figure]:
    with instant_server() as url, tempfile.TemporaryDirectory() as folder:
        parts = some_parts(folder, url, 250, 8)
        connector.post = _timed_post
        gates, added, totals, opened = [f"S{s}-G{g}" for s in range(250) for g in range(8)], [], [], []

        async def scan(number: int, due: float) -> None:
            WIRE_S.set([])
            begun = time.perf_counter()
            decision = await parts.gates.scan(gates[number % 2000], Scan.of_text(f"valid_shopper_key {number}"))
            ended = time.perf_counter()
            added.append(ended - begun - sum(WIRE_S.get()))
            totals.append(ended - due)
            opened.append((decision["opens"], decision["shoppingTripId"]))

        for number in range(200):
            await scan(number, time.perf_counter())
        for kept in (added, totals, opened):
            kept.clear()
        cpu, start, tasks = time.process_time(), time.perf_counter() + 0.1, []
        for number in range(rate * seconds):
            due = start + number / rate
            if (left := due - time.perf_counter()) > 0:
                await asyncio.sleep(left)
            tasks.append(asyncio.create_task(scan(number, due)))
        await asyncio.gather(*tasks)
        took, cpu = time.perf_counter() - start, time.process_time() - cpu
        await parts.close()
    return [
        Figure("scans a second, wanted 500, kept up", len(totals) / took, "/s", least=0.98 * rate),
        Figure("gates opened", sum(opens for opens, _ in opened), "", least=len(totals)),
        Figure("time added to a decision, p50", percentile(added, 0.5) * 1000, "ms"),
        Figure("time added to a decision, p99", percentile(added, 0.99) * 1000, "ms", most=5),
        Figure("whole decision from its due moment, p50", percentile(totals, 0.5) * 1000, "ms"),
        Figure("whole decision from its due moment, p99", percentile(totals, 0.99) * 1000, "ms"),
        Figure("share of one core", 100 * cpu / took, "%"),
    ]


# ---- inside: 100,000 shoppers at once --------------------------------------------------------------------------------


async def _inside(people: int) -> list[Figure]:
    with instant_server() as url, tempfile.TemporaryDirectory() as folder:
        parts = some_parts(folder, url, 250, 8, timeout_s=60)  # memory is measured here, on however busy a machine
        room = asyncio.Semaphore(32)

        async def enter(number: int) -> None:
            async with room:
                decision = await parts.gates.scan(f"S{number % 250}-G{number % 8}", Scan.of_text(f"key {number}"))
                if not decision["opens"]:
                    raise SystemExit(f"shopper {number} was not let in: {decision['cause']}")
                trip = await parts.trips.find(decision["shoppingTripId"])
                for line in range(4):
                    parts.trips.take(trip, Line("SKU", f"SKU-{number % 500 + line}", PIECES), Decimal(1))

        started = time.perf_counter()
        for first in range(0, people, 1000):
            await asyncio.gather(*(enter(number) for number in range(first, first + 1000)))
        took, inside = time.perf_counter() - started, len(parts.trips.inside())
        await parts.ledger.settled()
        most_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        await parts.close()
    return [
        Figure("shoppers inside at once, four things in hand", inside, "", least=people),
        Figure("largest memory of the process", most_mib, "MiB", most=1024),
        Figure("time to let them in", took, "s"),
    ]


# ---- uploads: answered within 150 ms of the last byte, ingested within 1 s -------------------------------------------


def items(first: int, count: int, store: str = "S1") -> bytes:
    """Make the body of an upload; every item has its own SKU and a right UPC-A."""
    rows = []
    for number in range(first, first + count):
        digits = f"{number:011d}"
        odd, even = sum(map(int, digits[::2])), sum(map(int, digits[1::2]))
        rows.append(
            {
                "item_sku": f"SKU-{number:08d}",
                "external_product_id": f"{digits}{-(3 * odd + even) % 10}",
                "external_product_id_type": "UPC",
                "item_name": f"Product number {number}",
                "store_id": store,
                "standard_price": "9.99",
                "brand_name": "Brand",
                "product_category": "Category",
            }
        )
    return orjson.dumps({"catalogItems": rows})


def post_timed(url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes, float]:
    """Send a POST over a plain socket; returns status, body, and seconds from last byte to whole answer."""
    parts = urlsplit(url)
    lines = [
        f"POST {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items())]) + "\r\n\r\n"
    with socket.create_connection((parts.hostname or "", parts.port or 80)) as connection:
        connection.sendall(head.encode() + body)
        sent = time.perf_counter()
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        took = time.perf_counter() - sent
    status_line, _, rest = answer.partition(b"\r\n")
    return int(status_line.split()[1]), rest.partition(b"\r\n\r\n")[2], took


def signed(url: str, body: bytes) -> dict[str, str]:
    """Sign a call as a retailer's account does."""
    plain = {"Content-Type": "application/json", "Accept": "application/json"}
    return sign("POST", url, plain, body, KEY, region="us-east-1", now=datetime.now(UTC))


@contextmanager
def platform_process(folder: str, queue_s: float = 0.0) -> Iterator[str]:
    """Run moto and the platform as processes, with one store and one account that no rate holds up."""
    with Processes(Path(folder)) as processes:
        aws = processes.start("aws", ["aws"]).url
        quick = {"RATE_PER_S": "1000000", "BURST": "1000000", "QUEUE_S": str(queue_s), "PROCESS_S": "0"}
        settings = {f"JWO_PLATFORM_CATALOG__{name}": value for name, value in quick.items()}
        url = processes.start("platform", ["platform"], {**settings, "JWO_PLATFORM_AWS_ENDPOINT_URL": aws}).url
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as portal:
            sqs_url = httpx.post(
                aws,
                data={"Action": "CreateQueue", "QueueName": "results", "Version": "2012-11-05"},
                headers={"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/sqs/aws4_request"},
                trust_env=False,
            )
            sqs_url.raise_for_status()
            portal.put("/portal/stores/S1", json={"retailer": "r", "gates": ["G1"]}).raise_for_status()
            account = {"retailer": "r", "accessKeyId": KEY.access_key_id, "secretAccessKey": KEY.secret_access_key}
            queue = "arn:aws:sqs:us-east-1:123456789012:results"
            portal.put("/portal/accounts/123456789012", json={**account, "queueArn": queue}).raise_for_status()
        yield url


def upload(url: str, body: bytes) -> tuple[float, float]:
    """Upload and follow; returns seconds to the answer and from there to DONE."""
    status, answer, answered_s = post_timed(url + UPLOAD, signed(url + UPLOAD, body), body)
    if status != 201:
        raise SystemExit(f"the upload was answered {status}: {answer[:200]!r}")
    started = time.perf_counter()
    while True:
        _, told, _ = post_timed(url + STATUS, signed(url + STATUS, answer), answer)
        if orjson.loads(told)["processingStatus"] == "DONE":
            return answered_s, time.perf_counter() - started
        time.sleep(0.01)


def _uploads(rows: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, platform_process(folder) as url:
        first = [upload(url, items(number * 10_000, 10_000)) for number in range(10)]
        started = time.perf_counter()
        for number in range(10, rows // 10_000 - 10):
            upload(url, items(number * 10_000, 10_000))
        filled = time.perf_counter() - started
        last = [upload(url, items(number * 10_000, 10_000)) for number in range(rows // 10_000 - 10, rows // 10_000)]
        again = [upload(url, items(number * 10_000, 10_000)) for number in range(5)]
        count = httpx.get(f"{url}/stores/S1/catalog", trust_env=False).json()["items"]
    figures = []
    for name, times in (("empty catalog", first), (f"{count:,} rows", last), ("the same rows again", again)):
        figures += [
            Figure(f"{name}: answered after the last byte, median", _median(times, 0), "ms", most=150),
            Figure(f"{name}: answered after the last byte, worst", max(one[0] for one in times) * 1000, "ms"),
            Figure(f"{name}: ingested, median", _median(times, 1), "ms", most=1000),
            Figure(f"{name}: ingested, worst", max(one[1] for one in times) * 1000, "ms"),
        ]
    return [Figure("rows in the catalog", count, "", least=rows), Figure("time to fill", filled, "s"), *figures]


def _median(times: list[tuple[float, float]], which: int) -> float:
    return statistics.median(one[which] for one in times) * 1000


# ---- prism: the same OpenAPI, with validation ------------------------------------------------------------------------


def uploads_a_second(url: str, body: bytes, headers: dict[str, str], seconds: float) -> float:
    """Upload over one kept connection for a while; returns accepted uploads a second."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    count, started = 0, time.perf_counter()
    while time.perf_counter() < started + seconds:
        connection.request("POST", UPLOAD, body, headers)
        answer = connection.getresponse()
        told = answer.read()
        if answer.status != 201:
            raise SystemExit(f"{url} answered {answer.status}: {told[:300]!r}")
        count += 1
    took = time.perf_counter() - started
    connection.close()
    return count / took


@contextmanager
def prism_process(command: str, folder: str) -> Iterator[str]:
    """Run Prism on the platform's OpenAPI document."""
    document = Path(folder) / "platform.json"
    document.write_text(json.dumps(openapi.load("platform")), "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [command, "mock", "--errors", "--port", str(port), "--host", "127.0.0.1", str(document)]
    with (Path(folder) / "prism.log").open("w") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log)  # noqa: S603 - the command that was asked for
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError as error:
            if time.monotonic() > deadline:
                raise SystemExit("prism did not start") from error
            time.sleep(0.1)
        else:
            return


def _prism(command: str, seconds: float) -> list[Figure]:
    """Compare what is accepted a second. Prism ingests nothing, so the platform's ingestions wait until the end."""
    figures = []
    with (
        tempfile.TemporaryDirectory() as folder,
        platform_process(folder, queue_s=600) as ours,
        prism_process(command, folder) as its,
    ):
        for count in (10, 1_000, 10_000):
            body = items(0, count)
            plain = {"Content-Type": "application/json", "Accept": "application/json", "Authorization": "none"}
            pairs = [
                (
                    uploads_a_second(its, body, plain, seconds),
                    uploads_a_second(ours, body, signed(ours + UPLOAD, body), seconds),
                )
                for _ in range(3)
            ]
            least = 5 if count == _WHOLE else None
            ratio = statistics.median(mine / other for other, mine in pairs)
            figures += [
                Figure(f"Prism, uploads of {count:,} items", statistics.median(one for one, _ in pairs), "/s"),
                Figure(f"platform, uploads of {count:,} items", statistics.median(one for _, one in pairs), "/s"),
                Figure(f"ratio of uploads of {count:,} items, median of pairs", ratio, "x", least=least),
            ]
    return figures


# ---- day: 100,000 trips ----------------------------------------------------------------------------------------------


async def _day(trips: int) -> list[Figure]:
    keys = People(tuple(base64.b64encode(f"shopper-{number:04d}".encode()).decode() for number in range(2000)))
    skus = tuple(f"SKU-{number:03d}" for number in range(200))
    shops = tuple(Shop(f"S{number}", tuple(f"S{number}-G{gate}" for gate in range(8)), skus) for number in range(250))
    with instant_server("instant_store.py") as url, tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.ndjson"
        settings = PlatformSettings(
            base_url=NOWHERE,
            aws_endpoint_url=NOWHERE,
            seed=7,
            journal_path=journal,
            database_path=f"{folder}/platform.sqlite3",
        )
        cpu = time.process_time()
        pace = Pace(window_s=10)
        outcome = await run_day(settings, shops, keys, Connector(url), day="busy_saturday", trips=trips, pace=pace)
        cpu = time.process_time() - cpu
        entries = journal.read_bytes().count(b"\n")
    most_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    results = outcome.results
    return [
        Figure("visits", results.decisions, "", least=trips),
        Figure("carts delivered", outcome.standing["delivered"], "", least=results.carts),
        Figure("entries in the journal", entries, ""),
        Figure("wall time", outcome.title.wall_s, "s", most=600),
        Figure("processor time of the platform", cpu, "s"),
        Figure("trips a second", results.carts / outcome.title.wall_s, "/s"),
        Figure("largest memory of the process", most_mib, "MiB"),
    ]


SECTIONS = ("gates", "inside", "uploads", "prism", "day")


def _section(name: str, given: argparse.Namespace) -> list[Figure]:
    if name == "gates":
        return uvloop.run(_gates(500, given.seconds))
    if name == "inside":
        return uvloop.run(_inside(100_000))
    if name == "uploads":
        return _uploads(given.rows)
    if name == "prism":
        command = given.prism or shutil.which("prism")
        return _prism(command, 3) if command else []
    return uvloop.run(_day(given.trips))


def _in_a_process(section: str, more: list[str]) -> int:
    return subprocess.run([sys.executable, __file__, section, *more], check=False).returncode  # noqa: S603 - this script


def main() -> int:
    """Run the sections, each in a process of its own so that its memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", default=list(SECTIONS), help=", ".join(SECTIONS))
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--trips", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--prism", default="")
    given = parser.parse_args()
    if len(given.sections) > 1:
        more = [
            f"--rows={given.rows}",
            f"--trips={given.trips}",
            f"--seconds={given.seconds}",
            f"--prism={given.prism}",
        ]
        return max(_in_a_process(one, more) for one in given.sections)
    random.seed(7)
    (name,) = given.sections
    load = os.getloadavg()[0]
    figures = _section(name, given)
    print(f"{name}  (load of the machine before: {load:.1f})")
    print("\n".join(figure.line() for figure in figures) or "  not run: there is no prism on the path")
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
