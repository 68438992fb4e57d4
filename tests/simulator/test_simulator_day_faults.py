"""Faults that take time, on a day's clock: later activities overtake a held-back message, which arrives in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from simulator.comparable import comparable
from simulator.composition import StoreServices
from simulator.connector import Connector
from simulator.faults import Where
from simulator.settings import PlatformSettings
from simulator.shop.plan import People, Shop
from simulator.shop.run import DayOptions, run_day

SHOP = Shop("S1", ("S1-G1", "S1-G2"), ("SKU-1", "SKU-2"))
PEOPLE = People(("c2hvcHBlcg==",), card_rate=0, palm_rate=0, stranger_rate=0)
CARTS, SCANS = "Create Purchases", "Verify Identity Keys"
NOWHERE = "http://127.0.0.1:9"


class Ran(NamedTuple):
    """A finished day: its journal, the trips in the order of arrival of their carts, and the undelivered carts."""

    journal: list[dict[str, Any]]
    raw: bytes
    carts: list[str]
    undelivered: int

    def at(self, trip: str, kind: str, **more: Any) -> datetime:
        """Return the time of a trip's only entry with these members."""
        (found,) = [
            entry
            for entry in self.journal
            if entry.get("tripId") == trip and entry["kind"] == kind and more.items() <= entry.items()
        ]
        return datetime.fromisoformat(found["at"])


@pytest.fixture
def a_day(connector: Any, tmp_path: Path) -> Callable[..., Ran]:
    """Run a day of 60 visits with a fault, on a connector that accepts all calls."""

    def run(*fault: Any, **where: Any) -> Ran:
        connector.seen.clear()
        journal = tmp_path / f"{len(list(tmp_path.iterdir()))}.ndjson"
        settings = PlatformSettings(base_url=NOWHERE, aws_endpoint_url=NOWHERE, seed=7, journal_path=journal)

        def arm(services: StoreServices) -> None:
            name, amount, more = fault
            services.faults.arm(name, amount=amount, where=Where(**where), **more)

        target = Connector(connector.url)
        outcome = asyncio.run(run_day(settings, (SHOP,), PEOPLE, target, DayOptions("match_day", 60), prepare=arm))
        raw = journal.read_bytes()
        carts = [body["idempotentShoppingTripId"] for body in connector.bodies("purchases")]
        left = outcome.deliveries["pending"] + outcome.deliveries["dead_letter"]
        return Ran([orjson.loads(line) for line in raw.splitlines()], raw, carts, left)

    return run


def test_delayed_cart_arrives_later_and_others_overtake_it(a_day: Callable[..., Ran]) -> None:
    ran = a_day("delay", 4 * 3600, {"times": 1}, operation=CARTS)
    held = next(entry["tripId"] for entry in ran.journal if entry["kind"] == "exit")
    assert ran.at(held, "delivery") - ran.at(held, "exit") == timedelta(seconds=4 * 3600 + 1)
    assert ran.carts.index(held) >= 3
    assert ran.at(ran.carts[ran.carts.index(held) - 1], "exit") < ran.at(held, "delivery")
    assert ran.undelivered == 0
    assert len(ran.carts) == len(set(ran.carts)) == 60


def test_delayed_scan_opens_the_gate_later_and_delays_the_exit(a_day: Callable[..., Ran]) -> None:
    ran = a_day("delay", 4 * 3600, {"times": 1}, operation=SCANS)
    late = next(entry for entry in ran.journal if entry.get("faults"))["tripId"]
    entered = ran.at(late, "gate_decision")
    assert entered < ran.at(late, "exit")
    assert sum(entry["kind"] == "exit" for entry in ran.journal[: ran.journal.index(_decision(ran, late))]) >= 3


def test_old_attempt_arrives_days_after_the_last_exit(a_day: Callable[..., Ran]) -> None:
    ran = a_day("old_attempt", 2, {"times": 1}, operation=CARTS)
    assert len(ran.carts) == 61
    twice = ran.carts[-1]
    assert ran.carts.count(twice) == 2
    first = ran.at(twice, "delivery", outcome="delivered")
    (copy,) = [entry for entry in ran.journal if entry.get("faults") == ["old_attempt"] and "outcome" not in entry]
    assert datetime.fromisoformat(copy["at"]) - first == timedelta(days=2)


def test_reordered_cart_is_overtaken_by_the_stores_next(a_day: Callable[..., Ran]) -> None:
    ran = a_day("reorder", 7200, {"times": 1}, operation=CARTS)
    left = [entry["tripId"] for entry in ran.journal if entry["kind"] == "exit"]
    assert ran.carts[:2] == [left[1], left[0]]
    assert ran.at(left[0], "delivery") - ran.at(left[1], "delivery") <= timedelta(seconds=1)


def test_cart_without_a_follower_is_held_back_for_the_faults_amount(a_day: Callable[..., Ran]) -> None:
    ran = a_day("reorder", 5, {"times": 1}, operation=CARTS)
    held = next(entry["tripId"] for entry in ran.journal if entry["kind"] == "exit")
    assert ran.at(held, "delivery") - ran.at(held, "exit") == timedelta(seconds=6)


@pytest.mark.parametrize(("name", "amount"), [("delay", 90), ("reorder", 600), ("old_attempt", 1)])
def test_day_with_held_back_messages_repeats_byte_for_byte(a_day: Callable[..., Ran], name: str, amount: float) -> None:
    often = {"times": None, "rate": 0.3}
    first, again = a_day(name, amount, often), a_day(name, amount, often)
    assert b"".join(comparable(first.raw.splitlines())) == b"".join(comparable(again.raw.splitlines()))
    assert first.raw.count(name.encode()) > 10
    assert first.undelivered == 0


def _decision(ran: Ran, trip: str) -> dict[str, Any]:
    return next(entry for entry in ran.journal if entry["kind"] == "gate_decision" and entry["tripId"] == trip)
