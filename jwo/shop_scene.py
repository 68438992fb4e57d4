"""Sets up a day of `jwo shop`: the user's connector, or the reference connector with a retailer for the day."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from contract import profile as profiles
from contract.profile import Profile
from contract.sigv4 import Key
from jwo.errors import Usage
from jwo.price_list import with_own_barcode
from jwo.processes import Processes
from simulator.connector import Connector
from simulator.settings import PlatformSettings
from simulator.shop.plan import People, Shop
from simulator.worlds import shipped_world

_NOWHERE = "http://127.0.0.1:9"
"""An address that a day never calls, since it needs no AWS."""
_KEYS, _STORES = 200, 3
_SAMPLE_KEY, _SAMPLE_SKU = "dmFsaWRfc2hvcHBlcl9rZXk=", "SKU-001"
_PRICED_IN = "lb"
"""The unit of weight of the shipped price list."""


class _Goods(NamedTuple):
    """The goods of a shop, as `Shop` has them."""

    skus: tuple[str, ...]
    weighed: frozenset[str]
    weight_unit: str


class Scene(NamedTuple):
    """The shops, people and connector of a day; `key` signs the calls if the connector expects SigV4."""

    shops: tuple[Shop, ...]
    people: People
    connector: Connector
    key: Key | None = None

    def settings(self, seed: int, journal: Path, *, in_turn: bool) -> PlatformSettings:
        """Return the settings of the day's platform; `in_turn` sends one cart at a time."""
        values: dict[str, Any] = {"base_url": _NOWHERE, "aws_endpoint_url": _NOWHERE}
        if self.key:
            names = ("connector_access_key_id", "connector_secret_access_key", "connector_session_token")
            values |= dict(zip(names, self.key, strict=True))
        if in_turn:
            values["delivery"] = {"most_at_once": 1}
        return PlatformSettings(**values, seed=seed, journal_path=journal, journal_file_bytes=0)


@contextmanager
def scene_of(stores: int | None, gates: int, url: str, profile: Path | None, seed: int) -> Iterator[Scene]:
    """Yield the scene of the user's connector with one store, or of a new reference connector with a retailer."""
    if url or profile:
        yield _user_scene(profiles.load(profile, url=url) if profile else profiles.for_url(url), stores or 1, gates)
        return
    ids = [f"STORE-{number:03d}" for number in range(1, (stores or _STORES) + 1)]
    with TemporaryDirectory(prefix="jwo-shop-") as name, Processes(Path(name)) as processes:
        keys, goods = _retailer(Path(name), ids)
        started = processes.start("connector", ["connector"], _settings(Path(name), seed))
        yield Scene(_shops(ids, gates, goods), People(keys), Connector(started.url, "none"))


def _user_scene(profile: Profile, stores: int, gates: int) -> Scene:
    if stores > 1:
        raise Usage("--stores: a connector of your own takes one store in a day; omit --stores")
    table = profile.connector
    target = Connector(table.url, table.auth, tuple(table.headers.items()), table.region)
    counted, weighed = profile.catalog.skus, profile.catalog.weighted_skus
    goods = _Goods((*counted, *weighed) or (_SAMPLE_SKU,), frozenset(weighed), profile.house.simulator.weight_unit)
    shops = _shops([profile.store.id or "STORE-001"], gates, goods)
    people = People((profile.keys.shopper or _SAMPLE_KEY,))
    return Scene(shops, people, target, table.key if table.auth == "sigv4" else None)


def _shops(ids: list[str], gates: int, goods: _Goods) -> tuple[Shop, ...]:
    return tuple(Shop(one, tuple(f"{one}-GATE-{number}" for number in range(1, gates + 1)), *goods) for one in ids)


def _retailer(folder: Path, ids: list[str]) -> tuple[tuple[str, ...], _Goods]:
    """Write a retailer file and a price list for the reference connector. Returns the app users' keys and the goods."""
    keys = [base64.b64encode(f"shopper-{number:04d}".encode()).decode() for number in range(_KEYS)]
    parts = ['[retailer]\ncurrency = "USD"\n', *(f'[[store]]\nid = "{one}"\n' for one in ids)]
    for number, key in enumerate(keys):
        parts.append(
            f'[[fixture_key]]\nidentity_key = "{key}"\nvisitor_id = "visitor-{number:04d}"\ntype = "SHOPPER"\n'
            f"stores = {json.dumps(ids)}\n"
        )
    (folder / "retailer.toml").write_text("\n".join(parts), "utf-8")
    with shipped_world().with_name("products.csv").open(encoding="utf-8", newline="") as shipped:
        rows = list(with_own_barcode(csv.DictReader(shipped)))
    with (folder / "prices.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "store_id": one} for one in ids for row in rows)
    weighed = frozenset(row["item_sku"] for row in rows if row["sold_by"] == "weight")
    return tuple(keys), _Goods(tuple(dict.fromkeys(row["item_sku"] for row in rows)), weighed, _PRICED_IN)


def _settings(folder: Path, seed: int) -> dict[str, str]:
    return {
        "JWO_CONNECTOR_ID_SEED": str(seed),
        "JWO_CONNECTOR_STORE__PATH": str(folder / "connector.sqlite3"),
        "JWO_CONNECTOR_RETAILER_FILES": json.dumps([str(folder / "retailer.toml")]),
        "JWO_CONNECTOR_PRICE_LISTS": json.dumps([str(folder / "prices.csv")]),
    }
