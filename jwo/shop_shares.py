"""Reads the shares of a store day from the command line: NAME=SHARE."""

from __future__ import annotations

from pydantic import ValidationError

from jwo.errors import Usage
from jwo.store_kind_option import StoreKind
from jwo_contract.invalid import describe
from simulator.shop.shares import Shares

_FIXED: dict[StoreKind, frozenset[str]] = {
    "retailer": frozenset(),
    "mixed": frozenset({"loyalty"}),
    **dict.fromkeys(("card", "checkout"), frozenset({"card", "badge", "loyalty", "associate", "cash", "stranger"})),
}
"""The shares that a kind of store decides itself."""


def read_shares(given: list[str]) -> tuple[Shares, frozenset[str]]:
    """Read shares such as `palm=0.05`; returns all shares and the names given. Raises Usage if one is not valid."""
    found: dict[str, str] = {}
    for text in given:
        name, _, share = text.partition("=")
        if name not in Shares.model_fields:
            raise Usage(f"a store day has no share {name[:40]!r}; write NAME=SHARE with one of {_listed()}")
        if name in found:
            raise Usage(f"--share {name} is given twice; give each share once")
        found[name] = share
    try:
        return Shares.model_validate(found), frozenset(found)
    except ValidationError as error:
        wrong = "; ".join(": ".join((*map(str, each["loc"]), describe(Shares, each))) for each in error.errors())
        raise Usage(f"--share {wrong}; write a number from 0 to 1, as in palm=0.05") from error


def check_shares(given: frozenset[str], kind: StoreKind) -> None:
    """Raise Usage for a share of a way in that this kind of store does not have, or has for all visits."""
    if wrong := sorted(given & _FIXED[kind]):
        ways = "cards and palms alone" if kind in {"card", "checkout"} else "no loyalty cards at its gates"
        raise Usage(f"--share {wrong[0]}: a store of the kind {kind} has {ways}; leave this share out")


def _listed() -> str:
    return ", ".join(f"{name} ({field.default:g})" for name, field in Shares.model_fields.items())
