"""Changed retailer files: what is read again, what is held back, and how an operator accepts it."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
from pydantic import ValidationError

from reference_connector.errors import BadRetailerData, StoreError
from reference_connector.files import text
from reference_connector.retailer import CurrentRetailer
from reference_connector.retailer_source import RetailerSource
from reference_connector.settings import ConnectorSettings
from reference_connector.tasks import FileWatch
from reference_connector.telemetry import EventLog, system_clock

HEADER = "item_sku,item_name,store_id,standard_price\n"
STORES = '[[store]]\nid = "S"\n[[store]]\nid = "T"\n'


def prices(count: int, store: str = "S", price: str = "1.00") -> str:
    return "".join(f"{store}-{number},Thing,{store},{price}\n" for number in range(count))


class Orders:
    """The part of the orders that a reload calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.fails = False

    async def sell_bad_carts(self) -> tuple[int, int]:
        self.calls += 1
        if self.fails:
            raise StoreError("the database is down")
        return 0, 0


class Watched(NamedTuple):
    """A watch of one retailer file and one price list."""

    watch: FileWatch
    current: CurrentRetailer
    toml: Path
    prices: Path
    log: io.StringIO
    orders: Orders

    def look(self, times: int = 2) -> list[bool]:
        return [asyncio.run(self.watch.look()) for _ in range(times)]

    def write(self, content: str) -> None:
        self.prices.write_text(content, "utf-8")

    def skus(self, store: str = "S") -> int:
        return len(self.current.current.assortment.by_store().get(store, {}))

    def events(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.log.getvalue().splitlines()]


@pytest.fixture
def watched(tmp_path: Path) -> Callable[..., Watched]:
    def start(content: str, share: float = 0.2, toml: str = "") -> Watched:
        file, list_ = tmp_path / "retailer.toml", tmp_path / "prices.csv"
        file.write_text(STORES + toml, "utf-8")
        list_.write_text(content, "utf-8")
        source = RetailerSource([file], [list_], share)
        seen, orders, log = source.stamps(), Orders(), io.StringIO()
        current = CurrentRetailer(source.load())
        watch = FileWatch(source, seen, current, orders, EventLog(system_clock, log))  # type: ignore[arg-type] # a part
        return Watched(watch, current, file, list_, log, orders)

    return start


def test_file_is_read_when_it_is_the_same_in_two_looks(watched: Any) -> None:
    shop = watched(HEADER + prices(5))
    assert shop.look() == [False, False]
    shop.write(HEADER + prices(6))
    assert (shop.look(1), shop.skus()) == ([False], 5)
    shop.write(HEADER + prices(7))
    assert (shop.look(1), shop.skus()) == ([False], 5)
    assert (shop.look(1), shop.skus()) == ([True], 7)
    assert shop.look() == [False, False]
    assert [event["event"] for event in shop.events()] == ["retailer_files_loaded"]


@pytest.mark.parametrize("content", ["", HEADER, HEADER + ",,,\n"])
def test_emptied_list_changes_nothing_until_it_is_accepted(watched: Any, content: str) -> None:
    shop = watched(HEADER + prices(5))
    shop.write(content)
    assert (shop.look(4), shop.skus()) == ([False, True, False, False], 5)
    [wrong] = shop.events()
    assert wrong["event"] == "retailer_files_wrong"
    accept(shop.prices)
    shop.look()
    assert shop.skus() == (5 if not content else 0), "a file without a header is never a price list"


def accept(path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(f"{path.name}.accepted").write_text(f"{digest}  {path}\n", "utf-8")


def test_list_that_is_cut_is_held_back_with_a_warning_until_it_is_accepted(watched: Any) -> None:
    shop = watched(HEADER + prices(10))
    shop.write(HEADER + prices(7))
    assert (shop.look(4), shop.skus()) == ([False, True, False, False], 10)
    [warning] = shop.events()
    assert warning["event"] == "retailer_files_held_back"
    assert "prices.csv: 3 of 10 products of store S are missing" in warning["problem"]
    assert f"sha256sum '{shop.prices}' > '{shop.prices}.accepted'" in warning["fix"]
    shop.prices.with_name("prices.csv.accepted").write_text("0" * 64, "utf-8")
    shop.look()
    assert shop.skus() == 10, "the mark is of other content"
    accept(shop.prices)
    shop.look()
    assert (shop.skus(), shop.events()[-1]["event"]) == (7, "retailer_files_loaded")
    shop.write(HEADER + prices(4))
    shop.look()
    assert shop.skus() == 7, "an old mark accepts no new content"


def test_complete_list_replaces_one_that_was_held_back(watched: Any) -> None:
    shop = watched(HEADER + prices(10))
    shop.write(HEADER + prices(3))
    shop.look()
    shop.write(HEADER + prices(11))
    shop.look()
    assert shop.skus() == 11


@pytest.mark.parametrize(("left", "share", "kept"), [(8, 0.2, 8), (7, 0.2, 10), (7, 0.3, 7), (9, 0.0, 9), (1, 1.0, 1)])
def test_share_of_lost_rows_is_a_setting(watched: Any, left: int, share: float, kept: int) -> None:
    shop = watched(HEADER + prices(10), share)
    shop.write(HEADER + prices(left))
    shop.look()
    assert shop.skus() == kept


def test_last_store_of_a_long_list_counts_for_itself(watched: Any) -> None:
    shop = watched(HEADER + prices(50) + prices(4, "T"))
    shop.write(HEADER + prices(50))
    shop.look()
    assert (shop.skus("T"), "4 of 4 products of store T" in shop.events()[0]["problem"]) == (4, True)


def test_lost_decimal_points_are_held_back(watched: Any) -> None:
    shop = watched(HEADER + prices(5, price="1.99"))
    shop.write(HEADER + prices(5, price="199"))
    shop.look()
    assert "5 of 5 products of store S have a price that changes at least tenfold" in shop.events()[0]["problem"]
    shop.write(HEADER + prices(5, price="2.99"))
    shop.look()
    assert shop.events()[-1]["event"] == "retailer_files_loaded"


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ("upc_code,product_tax_code,sold_by", "5 of 5 products of store S have no barcode now"),
        ("external_product_id,taxes,sold_by", "5 of 5 products of store S have no tax code now"),
        ("external_product_id,product_tax_code,uom", "5 of 5 products of store S have a price for another unit"),
    ],
)
def test_column_with_another_name_is_held_back(watched: Any, columns: str, named: str) -> None:
    rows = "".join(f"S-{number},Thing,S,1.00,401{number},FOOD,kg\n" for number in range(5))
    header = HEADER.replace("\n", ",external_product_id,product_tax_code,sold_by\n")
    shop = watched(header + rows)
    shop.write(HEADER.replace("\n", f",{columns}\n") + rows)
    shop.look()
    assert named in shop.events()[0]["problem"]
    assert shop.current.current.assortment.by_barcode("S", "4014").unit.name == "kg"


def test_removed_products_may_be_all_that_have_a_barcode(watched: Any) -> None:
    header = HEADER.replace("\n", ",external_product_id\n")
    shop = watched(header + prices(20).replace("1.00\n", "1.00,\n") + "A,Thing,S,1.00,4011\nB,Thing,S,1.00,4012\n")
    shop.write(header + prices(20).replace("1.00\n", "1.00,\n"))
    shop.look()
    assert shop.events()[-1]["event"] == "retailer_files_loaded"


SHOPPERS = "".join(f'[[shopper]]\nid = "a{number}"\n' for number in range(4))
TAX = '[tax]\ndefault = "0.07"\n[tax.codes]\nA = "0.1"\nB = "0.1"\n'


@pytest.mark.parametrize(
    ("left", "named"),
    [
        ("", "4 of 4 shoppers are missing"),
        (SHOPPERS, "4 of 6 tax rates are missing"),
        (SHOPPERS.partition("\n[[")[0] + "\n" + TAX, "3 of 4 shoppers are missing"),
    ],
)
def test_retailer_file_that_is_cut_is_held_back(watched: Any, left: str, named: str) -> None:
    shop = watched(HEADER + prices(1), toml=SHOPPERS + TAX)
    shop.toml.write_text(STORES + left, "utf-8")
    shop.look()
    assert named in shop.events()[0]["problem"]
    assert len(shop.current.current.accounts) == 4


def test_file_that_is_replaced_while_it_is_read_is_read_again(watched: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = watched(HEADER + prices(5))
    shop.write(HEADER + prices(6))
    shop.look(1)
    load = RetailerSource.load

    def replaced_meanwhile(source: RetailerSource) -> Any:
        found = load(source)
        if shop.skus() == 5 and not found.assortment.by_sku("S", "S-6"):
            shop.write(HEADER + prices(7))
        return found

    monkeypatch.setattr(RetailerSource, "load", replaced_meanwhile)
    shop.look(1)
    assert shop.skus() == 5
    shop.look()
    assert shop.skus() == 7


def test_file_that_changes_during_each_read_is_an_error(
    tmp_path: Path, watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = watched(HEADER + prices(5))
    fstat = os.fstat

    def growing(descriptor: int) -> os.stat_result:
        found = fstat(descriptor)
        with shop.prices.open("a", encoding="utf-8") as file:
            file.write("x")
        return found

    monkeypatch.setattr(text, "_PAUSE_S", 0.001)
    monkeypatch.setattr(text.os, "fstat", growing)
    with pytest.raises(BadRetailerData, match="as it changes all the time"):
        RetailerSource([tmp_path / "retailer.toml"], [shop.prices], 0.2).load()


def test_removed_file_and_a_return_with_an_old_time_are_seen(watched: Any) -> None:
    shop = watched(HEADER + prices(5))
    kept = shop.prices.stat()
    shop.prices.unlink()
    shop.look()
    assert (shop.skus(), "cannot be read" in shop.events()[0]["problem"]) == (5, True)
    shop.write(HEADER + prices(5).replace("Thing", "Other"))
    os.utime(shop.prices, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    shop.look()
    product = shop.current.current.assortment.by_sku("S", "S-0")
    assert product is not None
    assert product.name == "Other"


def test_bad_carts_are_priced_after_the_database_is_back(watched: Any) -> None:
    shop = watched(HEADER + prices(5))
    shop.orders.fails = True
    shop.write(HEADER + prices(6))
    shop.look(1)
    with pytest.raises(StoreError):
        shop.look(1)
    shop.orders.fails = False
    assert (shop.look(2), shop.orders.calls) == ([True, False], 2)
    assert shop.events()[-1]["event"] == "retailer_files_loaded"


def test_doubtful_rows_are_logged(watched: Any) -> None:
    shop = watched(HEADER + prices(5))
    shop.write(HEADER + prices(5) + "X,Thing,ELSEWHERE,1.00\n")
    shop.look()
    assert [event["event"] for event in shop.events()] == ["retailer_files_doubtful", "retailer_files_loaded"]


def test_bug_in_a_read_does_not_end_the_watch(watched: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = watched(HEADER + prices(5))
    looks = iter([RuntimeError("a bug"), False])

    async def look() -> bool:
        if isinstance(found := next(looks), Exception):
            raise found
        raise asyncio.CancelledError

    monkeypatch.setattr(shop.watch, "look", look)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(shop.watch.run(0.001))
    assert [event["event"] for event in shop.events()] == ["watch_waits"]


def test_time_between_two_looks_is_not_negative() -> None:
    with pytest.raises(ValidationError, match="watch_files_s"):
        ConnectorSettings.model_validate({"watch_files_s": -1})
