"""Sets up a day of `jwo shop`: the user's connector, or the reference connector with a retailer for the day."""

from __future__ import annotations

import csv
import json
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from jwo import shop_own_connector, shop_stories
from jwo.connector_books import foreign_books, orders_of
from jwo.errors import Usage
from jwo.price_list import with_own_barcode
from jwo.processes import Processes
from jwo.shop_money import Money, make_money, means_of, store_rows
from jwo.store_kind_option import StoreKind
from jwo_contract import profile as profiles
from jwo_contract.house import House, PlatformGroups
from jwo_contract.profile import Profile
from jwo_contract.sigv4 import Key
from jwo_toolkit.announcing_server import address, listen
from jwo_toolkit.reachability import NotReachable, check_reachable
from simulator.composition import StoreServices
from simulator.connector import Connector
from simulator.entry.strategies import Strategy
from simulator.reconciliation.records import AskConnector, no_books
from simulator.settings import PlatformSettings
from simulator.shop.day import Mint
from simulator.shop.payments import Retailer
from simulator.shop.plan import People, Shop
from simulator.shop.shares import Shares
from simulator.worlds import shipped_world

_NOWHERE = "http://127.0.0.1:9"
"""An address that a day never calls, since it needs no AWS."""
_STORES = 3
_WITH_APP: tuple[StoreKind, ...] = ("retailer", "mixed")
"""The kinds of stores that let app users in."""
_POLICY = '[retailer]\ncurrency = "USD"\n'
_LENIENT = 'max_debt = "9999999"\n'
"""A debt of the day keeps no shopper of a mixed store out."""
_SAMPLE_SKU = "SKU-001"
_PRICED_IN = "lb"
"""The unit of weight of the shipped price list."""
_NO_PALMS = "No visitor shows a palm: its share is 0, since Amazon One left the stores. --share palm=0.05 adds some."
STRATEGIES: tuple[Strategy, ...] = ("amazon_managed", "amazon_recommendation", "retailer_managed")
"""The stores of the reference connector take these in turn."""


class _Goods(NamedTuple):
    """The goods of a shop, as `Shop` has them."""

    skus: tuple[str, ...]
    weighed: frozenset[str]
    weight_unit: str


class Wanted(NamedTuple):
    """The options of the scene: stores (None: the default), gates, shares with the names given, and strategies."""

    stores: int | None
    gates: int
    shares: Shares = Shares()
    given: frozenset[str] = frozenset()
    strategies: tuple[Strategy, ...] = ()
    kind: StoreKind = "retailer"


class Scene(NamedTuple):
    """The shops, people and connector of a day; `key` signs the calls if the connector expects SigV4.

    `prepare` tells the platform what it knows of the cards, `mint` makes fresh keys, `note` is for the user.
    """

    shops: tuple[Shop, ...]
    people: People
    connector: Connector
    key: Key | None = None
    house: House = House()
    ca_file: str = ""
    prepare: Callable[[StoreServices], None] = lambda _: None
    mint: Mint | None = None
    note: str = ""
    money: Money | None = None
    listener: socket.socket | None = None
    ask_connector: AskConnector = no_books

    @property
    def retailer(self) -> Retailer | None:
        """Return the retailer's side of a day with payment calls; None if the retailer charges all shoppers."""
        return self.money.retailer(self.connector.url, self.listener) if self.money and self.listener else None

    def settings(self, seed: int, journal: Path, *, in_turn: bool) -> PlatformSettings:
        """Return the settings of the day's platform; `in_turn` sends one cart at a time."""
        values: dict[str, Any] = {"base_url": _NOWHERE, "aws_endpoint_url": _NOWHERE}
        declared = self.house.model_fields_set & PlatformGroups.model_fields.keys()
        values |= {name: getattr(self.house, name) for name in declared}
        if self.key:
            names = ("connector_access_key_id", "connector_secret_access_key", "connector_session_token")
            values |= dict(zip(names, self.key, strict=True))
        if self.ca_file:
            values["connector_ca_file"] = self.ca_file
        if in_turn:
            values["delivery"] = {**self.house.delivery.model_dump(exclude_unset=True), "most_at_once": 1}
        if self.money:
            values |= self.money.platform_settings()
        return PlatformSettings(**values, seed=seed, journal_path=journal, journal_file_bytes=0)


@contextmanager
def scene_of(wanted: Wanted, url: str, profile: Path | None, seed: int) -> Iterator[Scene]:
    """Yield the scene of the user's connector with one store, or of a new reference connector with a retailer."""
    if (url or profile) and wanted.kind != "retailer":
        raise Usage("--store-kind: the day cannot configure a connector of your own; omit --store-kind")
    if url or profile:
        yield _own_scene(profiles.load(profile, url=url) if profile else profiles.for_url(url), wanted)
        return
    ids = [f"STORE-{number:03d}" for number in range(1, (wanted.stores or _STORES) + 1)]
    _check_strategies(wanted, len(ids))
    with TemporaryDirectory(prefix="jwo-shop-") as name, Processes(Path(name)) as processes:
        keys, goods = _retailer(Path(name), ids, wanted.kind)
        means, shares = means_of(wanted.kind, shop_stories.MEANS, wanted.shares, wanted.given)
        people = People.of(keys if wanted.kind in _WITH_APP else (), means, shares)
        token = secrets.token_urlsafe(30)
        listener = None if wanted.kind == "retailer" else listen("127.0.0.1", 0)
        aws_url = processes.start("aws", ["aws"]).url if listener else ""
        money = make_money(address(listener), aws_url, token, wanted.kind) if listener else None
        settings = {**_settings(Path(name), seed, token), **(money.connector_settings() if money else {})}
        started = processes.start("connector", ["connector"], settings)
        shops = _shops(ids, wanted.gates, goods, wanted.strategies or STRATEGIES)
        target, note = Connector(started.url, "none"), "" if wanted.shares.palm else _NO_PALMS
        yield Scene(
            shops,
            people,
            target,
            prepare=shop_stories.tell_platform,
            note=note,
            money=money,
            listener=listener,
            ask_connector=orders_of(started.url, token),
        )


def _own_scene(profile: Profile, wanted: Wanted) -> Scene:
    if (wanted.stores or 1) > 1:
        raise Usage("--stores: a connector of your own takes one store in a day; omit --stores")
    _check_strategies(wanted, 1)
    strategy = wanted.strategies[0] if wanted.strategies else None
    own = shop_own_connector.own_people(profile, wanted.shares, wanted.given, strategy)
    table = profile.connector
    try:
        check_reachable(table.url, table.ca_file)
    except NotReachable as error:
        raise Usage(str(error)) from error
    counted, weighed = profile.catalog.skus, profile.catalog.weighted_skus
    goods = _Goods((*counted, *weighed) or (_SAMPLE_SKU,), frozenset(weighed), profile.house.simulator.weight_unit)
    return Scene(
        _shops([profile.store.id or "STORE-001"], wanted.gates, goods, (own.strategy,)),
        own.people,
        Connector(table.url, table.auth, tuple(table.headers.items()), table.region),
        key=table.key if table.auth == "sigv4" else None,
        house=profile.house,
        ca_file=table.ca_file,
        prepare=shop_own_connector.tell_platform(profile),
        mint=own.mint,
        ask_connector=foreign_books,
        note=own.note,
    )


def _check_strategies(wanted: Wanted, stores: int) -> None:
    if len(wanted.strategies) > stores:
        raise Usage(f"--strategy is given {len(wanted.strategies)} times for {stores} stores; name one for each store")


def _shops(ids: list[str], gates: int, goods: _Goods, strategies: tuple[Strategy, ...]) -> tuple[Shop, ...]:
    return tuple(
        Shop(one, tuple(f"{one}-GATE-{gate}" for gate in range(1, gates + 1)), *goods, strategies[n % len(strategies)])
        for n, one in enumerate(ids)
    )


def _retailer(folder: Path, ids: list[str], kind: StoreKind = "retailer") -> tuple[tuple[str, ...], _Goods]:
    """Write a retailer file and a price list for the reference connector. Returns the app users' keys and the goods."""
    policy = _POLICY + _LENIENT if kind == "mixed" else _POLICY
    parts = [policy, *store_rows(kind, ids), *shop_stories.retailer_rows(json.dumps(ids))]
    if kind == "mixed":
        parts += shop_stories.paying_accounts()
    (folder / "retailer.toml").write_text("\n".join(parts), "utf-8")
    with shipped_world().with_name("products.csv").open(encoding="utf-8", newline="") as shipped:
        rows = list(with_own_barcode(csv.DictReader(shipped)))
    with (folder / "prices.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "store_id": one} for one in ids for row in rows)
    weighed = frozenset(row["item_sku"] for row in rows if row["sold_by"] == "weight")
    goods = _Goods(tuple(dict.fromkeys(row["item_sku"] for row in rows)), weighed, _PRICED_IN)
    return shop_stories.keys(), goods


def _settings(folder: Path, seed: int, admin_token: str) -> dict[str, str]:
    return {
        "JWO_CONNECTOR_ADMIN__TOKEN": admin_token,
        "JWO_CONNECTOR_ID_SEED": str(seed),
        "JWO_CONNECTOR_STORE__PATH": str(folder / "connector.sqlite3"),
        "JWO_CONNECTOR_RETAILER_FILES": json.dumps([str(folder / "retailer.toml")]),
        "JWO_CONNECTOR_PRICE_LISTS": json.dumps([str(folder / "prices.csv")]),
    }
