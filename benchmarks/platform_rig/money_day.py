"""The mixed store of the day that is reconciled: its processes, its shoppers, its refunds, and its end."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import httpx
from connector_rig.servers import free_port

from jwo import shop_stories
from jwo.connector_books import open_payments, read_books
from jwo.processes import Processes
from jwo.shop_money import Money, make_money, store_rows

STORE, RETAILER, ACCOUNT = "STORE-001", "shop", "123456789012"
GATES = tuple(f"GATE-{number}" for number in range(24))
_KEYS = shop_stories.keys()
_CARDS, _SKUS, _MOST_ITEMS = 5_000, 40, 5
_CLOCK_SPEED = 60
"""Platform seconds in a second: so the intra-day files come every 15 seconds."""
_EMPTY_RATE, _GROUP_RATE, _REFUND_EACH, _REFUNDS_LATER = 0.08, 0.1, 12, 200
_QUIET_S, _LONGEST_END_S = 40, 900
_NAMESPACE = UUID("5ad0b9d0-53c3-47a1-9d0e-7b3f5d7b9a51")
_ORDERS, _CALLS = "Create Purchases", ("Adjust Charge", "Capture Charge", "Cancel Charge", "Refund Charge")
_FAULTS: tuple[dict[str, Any], ...] = (
    *({"name": name, "where": {"operation": _ORDERS}, "rate": rate} for name, rate in (
        ("duplicate", 0.02), ("concurrent_duplicates", 0.01), ("drop_after", 0.02), ("drop_before", 0.01),
        ("error_answer", 0.01),
    )),
    *({"name": name, "where": {"operation": call}, "rate": rate} for call in _CALLS for name, rate in (
        ("throttle", 0.01), ("error_503", 0.01), ("error_500_retry", 0.01), ("answer_lost", 0.02),
    )),
    {"name": "charge_declined", "rate": 0.01},
    {"name": "charge_pending", "amount": 30, "rate": 0.02},
    {"name": "order_split", "rate": 0.02},
    {"name": "order_repeated", "rate": 0.02},
    {"name": "file_repeated", "rate": 0.2},
)  # fmt: skip


@dataclass
class Tally:
    """What the driver has done."""

    trips: int = 0
    refused: int = 0
    groups: int = 0
    """Trips that a second shopper joined, who entered in the other way."""
    refunds: int = 0
    forgotten: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    captured: list[str] = field(default_factory=list)
    """Trips by card with goods, for refunds."""


class Place(NamedTuple):
    """The running processes."""

    processes: Processes
    platform_url: str
    connector_url: str
    money: Money
    http: httpx.AsyncClient


class Day(NamedTuple):
    """The result as texts."""

    tally: Tally
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    remarks: list[str]
    disagreements: list[str]
    difference: str


def open_place(processes: Processes, folder: Path, seed: int) -> Place:
    """Start AWS, connector and platform, set up the store, and arm the faults for the whole day."""
    aws_url, port, token = processes.start("aws", ["aws"]).url, free_port(), secrets.token_urlsafe(30)
    money = make_money(f"http://127.0.0.1:{port}", aws_url, token, "mixed")
    connector = processes.start("connector", ["connector"], _connector_settings(folder, money, seed))
    settings = {
        "JWO_PLATFORM_AWS_ENDPOINT_URL": aws_url,
        "JWO_PLATFORM_DATABASE_PATH": str(folder / "platform.sqlite3"),
        "JWO_PLATFORM_JOURNAL_PATH": str(folder / "journal.ndjson"),
        "JWO_PLATFORM_CLOCK_SPEED": str(_CLOCK_SPEED),
        "JWO_PLATFORM_SEED": str(seed),
        "JWO_PLATFORM_DELIVERY__BACKOFF_FIRST_S": "30",
        "JWO_PLATFORM_DELIVERY__BACKOFF_MAX_S": "120",
        "JWO_PLATFORM_DELIVERY__WINDOW_H": "48",
        "JWO_PLATFORM_PAYMENT__RATE_PER_S": "10000",
        "JWO_PLATFORM_PAYMENT__BURST": "10000",
        "JWO_PLATFORM_PAYMENT__RETRY_AFTER_S": "1",
        "JWO_PLATFORM_CATALOG__RETRY_AFTER_S": "1",
    }
    platform = processes.start("platform", ["platform", "--port", str(port)], settings)
    with httpx.Client(base_url=platform.url, trust_env=False, timeout=20) as http:
        _set_up(http, money, connector.url)
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    client = httpx.AsyncClient(base_url=platform.url, trust_env=False, timeout=20, limits=limits)
    return Place(processes, platform.url, connector.url, money, client)


def _connector_settings(folder: Path, money: Money, seed: int) -> dict[str, str]:
    goods = [f'[[product]]\nsku = "SKU-{n:03d}"\nname = "Thing {n}"\nprice = "{1 + n / 7:.2f}"\n' for n in range(_SKUS)]
    rows = ['[retailer]\ncurrency = "USD"\nmax_debt = "9999999"\n', *store_rows("mixed", [STORE]), *goods]
    rows += [*shop_stories.retailer_rows(json.dumps([STORE])), *shop_stories.paying_accounts()]
    (folder / "retailer.toml").write_text("\n".join(rows), "utf-8")
    return {
        **money.connector_settings(),
        "JWO_CONNECTOR_ADMIN__TOKEN": money.admin_token,
        "JWO_CONNECTOR_ID_SEED": str(seed),
        "JWO_CONNECTOR_STORE__PATH": str(folder / "connector.sqlite3"),
        "JWO_CONNECTOR_RETAILER_FILES": json.dumps([str(folder / "retailer.toml")]),
        "JWO_CONNECTOR_PAYMENTS__LEDGER": str(folder / "ledger.sqlite3"),
        "JWO_CONNECTOR_PAYMENTS__LEASE_S": "5",
        "JWO_CONNECTOR_PAYMENTS__ATTEMPTS_MAX": "100000",
    }


def _set_up(http: httpx.Client, money: Money, connector_url: str) -> None:
    store = {
        "retailer": RETAILER, "gates": GATES, "connector": {"url": connector_url, "auth": "none"},
        "storeDefault": "closed", "methods": ["app", "card"], "strategy": "amazon_managed",
        "paymentProcessor": money.processor,
    }  # fmt: skip
    key = {"accessKeyId": money.key.access_key_id, "secretAccessKey": money.key.secret_access_key}
    calls: list[tuple[str, dict[str, Any]]] = [
        (f"/portal/stores/{STORE}", store),
        (f"/portal/accounts/{ACCOUNT}", {"retailer": RETAILER, **key}),
        (f"/portal/merchants/{RETAILER}/event-feed", {"queueArn": money.events.arn}),
        (f"/portal/merchants/{RETAILER}/intra-day", {"queueArn": money.files.arn}),
    ]
    for path, body in calls:
        http.put(path, json=body).raise_for_status()
    for fault in _FAULTS:
        http.post("/faults", json=fault).raise_for_status()


async def shop(place: Place, number: int, chance: random.Random, tally: Tally) -> None:
    """Make one trip, and sometimes refund an earlier one. A step without an acknowledgement is repeated."""
    by_card = chance.random() < 0.5
    while not (decision := await _show(place, chance, by_card=by_card))["opens"]:
        tally.refused += 1
        await asyncio.sleep(0.1)
    tally.trips += 1
    trip = str(decision["shoppingTripId"])
    if chance.random() < _GROUP_RATE:
        joined = await _show(place, chance, by_card=not by_card, joins=trip)
        tally.groups += bool(joined["opens"])
    count = 0 if chance.random() < _EMPTY_RATE else chance.randint(1, _MOST_ITEMS)
    for _ in range(count):
        if await _until(place, f"/trips/{trip}/pick", {"sku": f"SKU-{chance.randrange(_SKUS):03d}"}) is None:
            tally.forgotten += 1
            return
    if await _until(place, f"/trips/{trip}/leave", {}) is None:
        tally.forgotten += 1
        return
    if by_card and count:
        tally.captured.append(trip)
    if number % _REFUND_EACH == 0 and len(tally.captured) > _REFUNDS_LATER:
        await _refund(place, tally.captured.pop(0), chance, tally)


async def _show(place: Place, chance: random.Random, *, by_card: bool, joins: str = "") -> dict[str, Any]:
    """Show a card, or a code of the app, at a gate; the gate stays closed for a code while the connector is down.

    `joins` is the trip of the group that the shopper belongs to.
    """
    gate, group = f"/gates/{chance.choice(GATES)}", {"joins": joins} if joins else {}
    if by_card:
        body = {"instrument": f"card-{chance.randrange(_CARDS):04d}", **group}
        return await _until(place, f"{gate}/cards", body) or {"opens": False}
    return await _until(place, f"{gate}/scans", {"identityKey": chance.choice(_KEYS), **group}) or {"opens": False}


async def _refund(place: Place, trip: str, chance: random.Random, tally: Tally) -> None:
    """Ask the connector for a refund until it answers. It refuses one if nothing is captured, as after a decline."""
    amount = {} if chance.random() < 0.5 else {"amount": "0.37"}
    ids = {"refundRequestId": str(uuid5(_NAMESPACE, trip)), "shoppingTripId": trip}
    body = {**ids, "refundReasonCode": "OTHER", **amount}
    headers = {"Authorization": f"Bearer {place.money.admin_token}"}
    while True:
        try:
            answer = await place.http.post(f"{place.connector_url}/ops/refunds", json=body, headers=headers)
        except httpx.TransportError:
            await asyncio.sleep(0.1)
            continue
        tally.refunds += answer.status_code == httpx.codes.ACCEPTED
        if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
            return
        await asyncio.sleep(0.1)


async def _until(place: Place, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """Repeat a call until it has an answer; return None if the platform does not know the trip."""
    while True:
        try:
            answer = await place.http.post(path, json=body)
        except httpx.TransportError:
            await asyncio.sleep(0.05)
            continue
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.is_success:
            return dict(answer.json())
        await asyncio.sleep(0.05)


async def finish(place: Place, tally: Tally) -> Day:
    """Disarm the faults, let everything arrive, and reconcile until the books agree or nothing changes any more."""
    await place.http.delete("/faults")
    end, quiet_since, last = time.monotonic() + _LONGEST_END_S, time.monotonic(), ""
    while time.monotonic() < end and time.monotonic() - quiet_since < _QUIET_S:
        state = await _unfinished(place)
        if not state:
            found = await reconciled(place)
            if found["agrees"]:
                break
            state = f"{found['disagreements']} disagreements"
        if state != last:
            last, quiet_since = state, time.monotonic()
            print(state, flush=True)
        await place.http.put("/clock", json={"advanceS": 300})
        await asyncio.sleep(1)
    found = await reconciled(place)
    await place.http.aclose()
    return _day(tally, found)


async def _unfinished(place: Place) -> str:
    """Return what is still on its way; an empty text if nothing is."""
    feed = (await place.http.get(f"/portal/merchants/{RETAILER}/event-feed")).json()
    files = (await place.http.get(f"/portal/merchants/{RETAILER}/intra-day")).json()
    left = {
        "carts": (await place.http.get("/deliveries/counts")).json()["pending"],
        "payment calls": await asyncio.to_thread(open_payments, place.connector_url, place.money.admin_token),
        "events": feed["waiting"],
        "rows": files["waitingRows"],
        "messages": await asyncio.to_thread(place.money.messages),
    }
    return ", ".join(f"{count} {name}" for name, count in left.items() if count)


async def reconciled(place: Place) -> dict[str, Any]:
    """Return the platform's comparison with the books of the connector."""
    books = await asyncio.to_thread(read_books, place.connector_url, place.money.admin_token)
    answer = await place.http.post("/reconciliation?most=1000", json=books.model_dump(mode="json"), timeout=120)
    answer.raise_for_status()
    return dict(answer.json())


def _day(tally: Tally, found: dict[str, Any]) -> Day:
    books = list(dict.fromkeys(book for row in found["rows"] for book in row["books"]))
    rows = [
        (row["name"], *(_text(row["books"].get(book)) for book in books), row["difference"]) for row in found["rows"]
    ]
    trips = [f"trip {one['tripId']}: {one['code']}: {one['says']}" for one in found["trips"]]
    trips += [f"not compared: {name}, {why}" for name, why in found["notReconciled"].items()]
    return Day(tally, ("", *books, "difference"), rows, found["notes"], trips, found["difference"])


def _text(one: dict[str, Any] | None) -> str:
    if one is None:
        return "-"
    return ": ".join([f"{one['count']:,}", *(f"{amount} {code}" for code, amount in one["money"].items())])
