"""Worlds: a TOML file for each store day. The platform reads its stores and visits, the connector all other sections.

Each side ignores the sections of the other, so both can read the same file.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jwo_contract.gate import StoreDefault
from jwo_contract.house import DEFAULT
from jwo_contract.house_group import Pattern
from jwo_contract.invalid import describe
from simulator.carts import PIECES, checked_quantity
from simulator.errors import BadCall, BrokenWorld

VisitKind = Literal[
    "shopper",
    "associate",
    "cash_shopper",
    "flagged",
    "expired_code",
    "replayed_code",
    "unknown_key",
    "foreign_code",
]
_WORLDS = Path(__file__).parent / "worlds"
_WEIGHT = DEFAULT.simulator.weight_unit


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Pick(_Row):
    """Goods that a shopper takes or puts back; the quantity is decimal text, whole for pieces; weights have a unit."""

    sku: str
    quantity: str = "1"
    unit: str = PIECES


class WorldStore(_Row):
    """One store; missing values take the default of the house rules."""

    id: str
    retailer: str
    qr_pattern: Pattern | None = None
    store_default: StoreDefault | None = None
    gates: tuple[str, ...] = Field(min_length=1)


class Visit(_Row):
    """One person at one gate: what they do, and the expected decision and cause."""

    shopper: str
    kind: VisitKind
    gate: str
    picks: tuple[Pick, ...] = ()
    put_backs: tuple[Pick, ...] = ()
    opens: bool
    cause: str
    replays: str = ""
    """For a replayed code: the shopper who used it in an earlier visit."""


class World(_Row):
    """A store day; `products_csv` is the catalog that the retailer uploads."""

    name: str
    file: Path
    products_csv: Path
    stores: tuple[WorldStore, ...]
    visits: tuple[Visit, ...]


def shipped_world(name: str = "corner_shop") -> Path:
    """Return the file of a world that is part of the platform."""
    return _WORLDS / name / "world.toml"


def load_world(path: Path) -> World:
    """Read the file of a world, or its folder. Raises BrokenWorld if the file is not valid."""
    file = path / "world.toml" if path.is_dir() else path
    content = _content(file)
    try:
        world = World(
            name=content["world"]["name"],
            file=file,
            products_csv=file.with_name("products.csv"),
            stores=content["store"],
            visits=tuple(Visit.model_validate(_with_picks(row)) for row in content.get("visit", [])),
        )
    except KeyError as error:
        raise BrokenWorld(str(file), f"{error} is missing") from error
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, one['loc']))}: {describe(World, one)}" for one in error.errors())
        raise BrokenWorld(str(file), "; ".join(wrong)) from error
    _check(world)
    return world


def _content(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        problem = f"cannot be read: {error.strerror}; JWO_PLATFORM_WORLD names the file or its folder"
        raise BrokenWorld(str(file), problem) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BrokenWorld(str(file), str(error)) from error


def _with_picks(row: dict[str, Any]) -> dict[str, Any]:
    names = ("sku", "quantity", "unit")
    lists = {
        side: [dict(zip(names, entry, strict=False)) for entry in row.get(side, [])] for side in ("picks", "put_backs")
    }
    return {**row, **lists}


def _check(world: World) -> None:
    if not world.products_csv.is_file():
        raise BrokenWorld(str(world.file), f"{world.products_csv.name} is missing in the same folder")
    gates = {gate for store in world.stores for gate in store.gates}
    earlier: set[str] = set()
    for number, visit in enumerate(world.visits, start=1):
        problem = _problem(visit, gates, earlier)
        if problem:
            raise BrokenWorld(f"{world.file}, visit {number} of {visit.shopper!r}", problem)
        earlier.add(visit.shopper)


def _problem(visit: Visit, gates: set[str], earlier: set[str]) -> str:
    if visit.gate not in gates:
        return f"there is no gate {visit.gate}"
    if (visit.kind == "replayed_code") != bool(visit.replays) or (visit.replays and visit.replays not in earlier):
        return "`replays` must name the shopper of an earlier visit for a replayed code, and be empty for other kinds"
    if visit.opens != (visit.cause == "200"):
        return f"`opens` must be true exactly if the cause is 200, and the cause is {visit.cause}"
    if not visit.opens and (visit.picks or visit.put_backs):
        return "the gate stays closed, so remove the picks and put_backs"
    return _quantity_problem(visit)


def _quantity_problem(visit: Visit) -> str:
    held: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    try:
        for sign, entries in ((1, visit.picks), (-1, visit.put_backs)):
            for entry in entries:
                held[(entry.sku, entry.unit)] += sign * checked_quantity(entry.quantity, entry.unit, _WEIGHT)
    except BadCall as error:
        return str(error)
    short = [sku for (sku, _), amount in held.items() if amount < 0]
    return f"the shopper puts back more of {short[0]} than they picked" if short else ""
