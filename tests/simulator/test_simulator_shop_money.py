"""Store days in which Amazon charges: the books agree to the cent, and a difference is a finding with its trip."""

from __future__ import annotations

import asyncio
import json
import socket
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jwo.errors import Usage
from jwo_contract.sigv4 import Key
from simulator.connector import Connector
from simulator.payment_calls.charge_record import Charge
from simulator.reconciliation.records import ConnectorBooks
from simulator.settings import PlatformSettings
from simulator.shop.payments import Retailer
from simulator.shop.plan import Means, People, Shop
from simulator.shop.run import DayOptions, Outcome, run_day
from simulator.shop.shares import Shares
from tests.simulator.test_simulator_shop import fixed_answer
from tests.simulator.test_simulator_shop_command import run

SHOP = Shop("S1", ("S1-G1", "S1-G2"), ("SKU-001", "SKU-002"))
CARDS = People.of((), Means(cards=(("card-good", True),)), Shares(card=1.0, badge=0, loyalty=0), cards=0)
FAULTS = (
    "throttle@0.02", "error_503@0.02", "answer_lost@0.03", "charge_declined@0.05", "charge_pending=30@0.05",
    "order_split@0.1", "order_repeated@0.1", "file_repeated@0.2", "duplicate@0.05", "drop_after@0.05",
)  # fmt: skip


async def nothing_waits() -> int:
    return 0


async def no_refunds(_charges: list[Charge]) -> None:
    return None


async def no_purchases() -> ConnectorBooks:
    return ConnectorBooks(missing={"connector": "it shows none"})


def silent_day(aws_url: str, queue: Any, connector: Any) -> Outcome:
    """Run a card-entry day with a connector that makes no payment call."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        retailer = Retailer(
            listener, Key("retailer-key", "secret"), queue.arn, queue.arn,
            ask_connector=no_purchases, waiting=nothing_waits, refund=no_refunds, patience_s=0.1,
        )  # fmt: skip
        files = {"intra_day_bucket": "silent-day", "intra_day": {"empty_files": False}}
        settings = PlatformSettings.model_validate({"base_url": url, "aws_endpoint_url": aws_url, "seed": 3, **files})
        options = DayOptions("quiet_tuesday", 12, retailer=retailer)
        return asyncio.run(run_day(settings, (SHOP,), CARDS, Connector(connector.url), options))


def test_connector_that_never_captures_gets_a_finding_for_each_trip(aws_url: str, queue: Any, connector: Any) -> None:
    connector.answer = fixed_answer
    outcome = silent_day(aws_url, queue, connector)
    assert outcome.money is not None
    codes = {one.code for one in outcome.money.disagreements}
    assert codes <= {"missing_capture", "missing_cancel"}
    carts = outcome.deliveries["delivered"]
    assert len(outcome.money.disagreements) == carts > 5
    named = [one for one in outcome.findings if "no capture ends its charge" in one or "no cancel ends" in one]
    assert len(named) == carts
    assert "Not compared: connector, it shows none." in outcome.findings
    orders = outcome.money.rows[0].sums
    assert {name: one.number for name, one in orders.items()} == dict.fromkeys(("platform", "feed", "files"), carts)
    assert "no capture ends its charge" in outcome.html


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_mixed_day_with_faults_reconciles_to_the_cent(tmp_path: Path) -> None:
    words = [word for fault in FAULTS for word in ("--fault", fault)]
    result = run("--store-kind", "mixed", "--stores", "2", "--trips", "100", "--out", str(tmp_path), *words)
    assert result.exit_code == 0, result.output
    money = json.loads((tmp_path / "shop.json").read_text("utf-8"))["money"]
    assert (money["agrees"], money["difference"], money["trips"]) == (True, "0.00", [])
    rows = {row["name"]: row["books"] for row in money["rows"]}
    assert set(rows["Captured"]) == {"platform", "feed", "files", "connector", "connector's files", "connector's feed"}
    assert rows["Captured"]["platform"]["count"] > 20
    assert rows["Refunded"]["connector"]["count"] > 0
    assert Decimal(rows["Purchased"]["connector"]["money"]["USD"]) > Decimal(
        rows["Captured"]["platform"]["money"]["USD"]
    )
    assert "difference 0.00, disagreements 0" in result.output


@pytest.mark.parametrize(
    "words",
    [
        ["--store-kind", "cash"],
        ["--store-kind", "card", "--share", "badge=0.5"],
        ["--store-kind", "checkout", "--share", "card=0.3"],
        ["--store-kind", "mixed", "--share", "loyalty=0.3"],
        ["--store-kind", "card", "--connector", "http://127.0.0.1:9"],
        ["--fault", "charge_declined"],
        ["--fault", "file_repeated", "--connector", "http://127.0.0.1:9"],
    ],
)
def test_kind_and_faults_that_a_day_cannot_have_are_usage_errors(words: list[str], tmp_path: Path) -> None:
    assert isinstance(run(*words, "--out", str(tmp_path)).exception, Usage)
