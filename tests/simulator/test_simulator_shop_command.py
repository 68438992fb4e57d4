"""The shop command: its table, page, numbers and journal repeat; its exit code shows undelivered carts."""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console, RenderableType
from rich.live import Live
from typer.testing import CliRunner

from jwo import shop_scene
from jwo.errors import Usage
from jwo.shop_command import shop
from jwo_toolkit.launcher import launched
from reference_connector.pricing.bill import bill_of
from reference_connector.retailer_files import load_retailer
from reference_connector.sales import price_list
from simulator.seed import Seed
from simulator.shop.plan import People, Shop, basket, visits

FOREIGN = Path(__file__).parents[1] / "foreign" / "plain_asgi"
COMPARABLE = "journal-comparable.ndjson"


@contextmanager
def foreign_connector() -> Iterator[str]:
    """Run another connector, which numbers its purchases; yields its address, with a new port each time."""
    command = (sys.executable, str(FOREIGN / "connector.py"))
    with tempfile.TemporaryDirectory() as folder, launched("foreign", command, Path(folder)) as started:
        yield started.url()


def run(*words: str) -> Any:
    app = typer.Typer()
    app.command()(shop)
    return CliRunner().invoke(app, words)


def test_day_against_a_running_connector_writes_table_page_numbers_and_journal(connector: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["--connector", connector.url, "--stores", "1", "--trips", "30", "--seed", "3", "--out", str(out)]
    first = run(*words)
    assert first.exit_code == 0, first.output
    assert "Create Purchases" in first.output
    assert "Not compared: connector, a connector of your own shows no books here." in first.output
    numbers = json.loads((out / "shop.json").read_text("utf-8"))
    assert numbers["decisions"] == 30
    assert numbers["deliveries"]["delivered"] == numbers["carts"] > 20
    assert (out / "shop.html").read_text("utf-8").startswith("<!doctype html>")
    lines = (out / "journal.ndjson").read_text("utf-8").splitlines()
    assert len(lines) > 60


@pytest.mark.slow
def test_two_runs_with_one_seed_leave_the_same_journal_byte_for_byte(tmp_path: Path) -> None:
    journals = []
    for number, seed in enumerate((3, 3, 4)):
        out = tmp_path / str(number)
        words = ["--stores", "2", "--trips", "60", "--seed", str(seed), "--out", str(out)]
        result = run(*words)
        assert result.exit_code == 0, result.output
        journals.append((out / COMPARABLE).read_bytes())
        assert hashlib.sha256(journals[-1]).hexdigest() in result.output
    first, again, other = journals
    assert first == again != other
    assert first.count(b'"purchaseId":"') > 30
    assert first.count(b"\n") == len((tmp_path / "0" / "journal.ndjson").read_bytes().splitlines())


def test_sequential_connector_repeats_with_calls_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journals = []
    for number in range(2):
        out = tmp_path / str(number)
        with foreign_connector() as url:
            monkeypatch.setenv("FOREIGN_URL", url)
            words = ["--profile", str(FOREIGN / "jwo.toml"), "--stores", "1", "--trips", "40", "--out", str(out)]
            result = run(*words, "--in-turn", "--day", "match_day", "--seed", "7")
        assert result.exit_code == 0, result.output
        journals.append((out / COMPARABLE).read_bytes())
    assert journals[0] == journals[1]
    assert b"R-100020" in journals[0]


class LiveWithoutPauses(Live):
    """Draws each update at once. A busy machine may let the day pass between two of the eight draws a second."""

    def update(self, renderable: RenderableType, *, refresh: bool = True) -> None:
        super().update(renderable, refresh=refresh)


def test_terminal_shows_the_progress_of_the_day(
    connector: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr("jwo.shop_day.make_console", lambda: screen)
    monkeypatch.setattr("jwo.shop_day.Live", LiveWithoutPauses)
    words = ["--connector", connector.url, "--stores", "1", "--trips", "20", "--speed", "30000", "--out", str(tmp_path)]
    assert run(*words).exit_code == 0
    shown = screen.file.getvalue()
    assert re.search(r"\d\d:\d\d:\d\d +.*\d+/20 at the gate", shown)
    assert re.search(r"[1-9]\d* inside", shown)
    assert "carts" in shown


def test_in_turn_means_one_call_at_a_time(connector: Any, tmp_path: Path) -> None:
    connector.identity = [(200, {"visitorDetails": {"id": "v", "type": "SHOPPER"}}, {"delay_s": 0.005})]
    words = [
        "--connector",
        connector.url,
        "--stores",
        "1",
        "--trips",
        "150",
        "--day",
        "match_day",
        "--seed",
        "7",
    ]  # two of them in one second
    run(*words, "--in-turn", "--out", str(tmp_path / "in turn"))
    assert connector.most_at_once == 1
    connector.identity[0][2]["delay_s"] = 0.02
    run(*words, "--out", str(tmp_path / "side by side"))
    assert connector.most_at_once > 1


def test_undelivered_carts_are_shown_by_the_exit_code(connector: Any, tmp_path: Path) -> None:
    connector.purchases = [(409, {})]
    words = ["--connector", connector.url, "--stores", "1", "--trips", "5", "--out", str(tmp_path)]
    assert run(*words).exit_code == 1


def test_day_without_an_open_gate_is_shown_by_the_exit_code(connector: Any, tmp_path: Path) -> None:
    connector.identity = [(503, {})]
    result = run("--connector", connector.url, "--trips", "5", "--out", str(tmp_path))
    assert result.exit_code == 1, result.output
    assert "No gate opened" in result.output


def test_day_without_visits_ends_well(connector: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("simulator.shop.run.visits", lambda *_: [])
    assert run("--connector", connector.url, "--out", str(tmp_path)).exit_code == 0


def test_usage_error_keeps_the_journal_of_the_last_day(connector: Any, tmp_path: Path) -> None:
    (tmp_path / "journal.ndjson").write_text("yesterday", "utf-8")
    wrong = ["--stores", "2", "--out", str(tmp_path)]
    assert isinstance(run("--connector", connector.url, *wrong).exception, Usage)
    assert (tmp_path / "journal.ndjson").read_text("utf-8") == "yesterday"


def test_connector_option_replaces_the_address_of_the_profile(connector: Any, tmp_path: Path) -> None:
    (tmp_path / "jwo.toml").write_text('[connector]\nurl = "http://127.0.0.1:9"\n', "utf-8")
    words = ["--profile", str(tmp_path / "jwo.toml"), "--connector", connector.url, "--trips", "5"]
    result = run(*words, "--out", str(tmp_path / "day"))
    assert result.exit_code == 0, result.output


def test_folder_that_is_not_writable_is_a_usage_error(connector: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    ended = run("--connector", connector.url, "--out", str(tmp_path / "file")).exception
    assert isinstance(ended, Usage)
    assert "cannot write reports" in str(ended)


def test_day_with_faults_delivers_every_cart(connector: Any, tmp_path: Path) -> None:
    words = ["--connector", connector.url, "--stores", "1", "--trips", "40", "--out", str(tmp_path)]
    result = run(*words, "--fault", "same_request_id@0.5", "--fault", "drop_after@0.2", "--fault", "delay=90@.3")
    assert result.exit_code == 0, result.output
    journal = (tmp_path / "journal.ndjson").read_text("utf-8")
    assert all(f'"{name}"' in journal for name in ("same_request_id", "drop_after", "delay"))
    assert len(connector.seen) > 80


@pytest.mark.parametrize(
    "words",
    [
        ["--day", "doomsday"],
        ["--connector", "http://127.0.0.1:9", "--stores", "2"],
        ["--fault", "duplicate@2"],
        ["--fault", "no_such_fault"],
        ["--fault", "throttle"],
    ],
)
def test_simulator_usage_error_is_reported(words: list[str], tmp_path: Path) -> None:
    assert isinstance(run(*words, "--out", str(tmp_path)).exception, Usage)


def test_goods_of_a_day_have_a_price_in_the_unit_of_the_cart(tmp_path: Path) -> None:
    _, goods = shop_scene._retailer(tmp_path, ["S"])  # noqa: SLF001 - the files that the day's connector reads
    prices = price_list(load_retailer([tmp_path / "retailer.toml"], [tmp_path / "prices.csv"]), "S")
    shop = Shop("S", ("G",), *goods)
    plan = visits((shop,), "busy_saturday", People(("a",)), Seed(1), 40)
    lines = [one for visit in plan for one in basket(visit, shop, Seed(1)) if one.quantity > 0]
    assert {one.unit for one in lines} == {"unit", "lb"}
    assert not bill_of(prices, [("SKU", one.sku, str(one.quantity), one.unit) for one in lines]).problems
