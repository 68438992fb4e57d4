"""The option `--store-kind` of `jwo shop` and `jwo play`: who charges the shoppers of the stores."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import typer

from jwo.errors import Usage

StoreKind = Literal["retailer", "card", "mixed", "checkout"]
"""retailer: the retailer charges all shoppers. card: entry by card, and Amazon charges. mixed: Amazon charges cards,
and the retailer charges app users. checkout: as card, and Amazon charges by the totals of Checkout Cart."""
StoreKindOption = Annotated[
    str,
    typer.Option(
        "--store-kind",
        metavar="KIND",
        help="Kind of the stores by the side that charges: retailer; card (entry by card, Amazon charges); "
        "mixed (Amazon charges cards, the retailer app users); checkout (as card, by the totals of Checkout Cart).",
    ),
]


def checked_kind(name: str) -> StoreKind:
    """Return a kind of store. Raises Usage, with all kinds, if there is no such kind."""
    kinds: tuple[StoreKind, ...] = get_args(StoreKind)
    for kind in kinds:
        if kind == name:
            return kind
    raise Usage(f"there is no kind of store {name[:40]}; take one of {', '.join(kinds)}")
