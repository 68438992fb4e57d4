"""Measures uploads of 10,000 items: answer within 150 ms of the last byte, ingestion within 1 s, at 2,000,000 rows."""

from __future__ import annotations

import socket
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import orjson

from jwo_contract.sigv4 import sign
from platform_rig.figures import Figure
from platform_rig.rig import KEY, catalog_process

WHOLE = 10_000
"""Items in a whole upload."""
FEWEST_ROWS = 2 * WHOLE
"""The rows of a first and a last upload."""
UPLOAD, STATUS = "/v1/catalog/upload", "/v1/catalog/getCatalogUploadStatus"


def measure(rows: int) -> list[Figure]:
    """Fill a catalog in a file, upload by upload, and time the first, the last and repeated uploads."""
    batches = rows // WHOLE
    few = min(10, batches // 2)
    with tempfile.TemporaryDirectory() as folder:
        at_once = {"QUEUE_S": "0", "PROCESS_S": "0"}
        settings = {f"JWO_PLATFORM_CATALOG__{name}": value for name, value in at_once.items()}
        settings["JWO_PLATFORM_DATABASE_PATH"] = f"{folder}/platform.sqlite3"
        settings["JWO_PLATFORM_JOURNAL_PATH"] = f"{folder}/journal.ndjson"
        with catalog_process(folder, settings) as url:
            first = [upload(url, items(number * WHOLE, WHOLE)) for number in range(few)]
            started = time.perf_counter()
            for number in range(few, batches - few):
                upload(url, items(number * WHOLE, WHOLE))
            filled = time.perf_counter() - started
            last = [upload(url, items(number * WHOLE, WHOLE)) for number in range(batches - few, batches)]
            again = [upload(url, items(number * WHOLE, WHOLE)) for number in range(few)]
            count = httpx.get(f"{url}/stores/S1/catalog", trust_env=False).json()["items"]
        in_journal = _count_uploads(Path(folder) / "journal.ndjson")
    figures = [Figure("rows in the catalog", count, "", least=batches * WHOLE), Figure("time to fill", filled, "s")]
    figures.append(Figure("uploads in the journal", in_journal, "", least=batches + few))
    for name, times in (("empty catalog", first), (f"{count:,} rows", last), ("the same rows again", again)):
        figures += _figures_of(name, times)
    return figures


def _figures_of(name: str, times: list[tuple[float, float]]) -> list[Figure]:
    answered, ingested = ([one[which] * 1000 for one in times] for which in (0, 1))
    worst = f"worst of {len(times)}"
    return [
        Figure(f"{name}: answered after the last byte, median", statistics.median(answered), "ms", most=150),
        Figure(f"{name}: answered after the last byte, {worst}", max(answered), "ms", most=150),
        Figure(f"{name}: ingested, median", statistics.median(ingested), "ms", most=1000),
        Figure(f"{name}: ingested, {worst}", max(ingested), "ms", most=1000),
    ]


def _count_uploads(journal: Path) -> int:
    with journal.open("rb") as lines:
        return sum(b'"operation":"Upload Catalog"' in line for line in lines)


def items(first: int, count: int, store: str = "S1") -> bytes:
    """Make the body of an upload; every item has its own SKU and a valid UPC-A."""
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
    """Send a POST over a plain socket; returns status, body, and seconds from the last byte to the whole answer."""
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


def upload(url: str, body: bytes) -> tuple[float, float]:
    """Upload and poll the status; returns the seconds to the answer, and from there to DONE."""
    status, answer, answered_s = post_timed(url + UPLOAD, signed(url + UPLOAD, body), body)
    if status != 201:
        raise SystemExit(f"the upload was answered {status}: {answer[:200]!r}")
    started = time.perf_counter()
    while True:
        _, result, _ = post_timed(url + STATUS, signed(url + STATUS, answer), answer)
        if orjson.loads(result)["processingStatus"] == "DONE":
            return answered_s, time.perf_counter() - started
        time.sleep(0.01)
