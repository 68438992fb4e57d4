"""Finds the known name that a name in a file means, although it is written in another way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

_SAME = (
    frozenset({"barcode", "upc", "ean", "gtin", "externalproductid"}),
    frozenset({"taxcode", "producttaxcode"}),
)
"""Names of one thing: files of other programs, price lists and retailer files name it differently."""
_BY_A_PROGRAM = re.compile(r"[\W_]+")
_ALIKE = 0.85


def plain(name: str) -> str:
    """Return what the spellings of one name have in common: `Item SKU` and `item_sku`."""
    return _BY_A_PROGRAM.sub("", name).casefold()


def meant(name: str, absent: Iterable[str]) -> str:
    """Return the name among the absent ones that a name means; empty if it means none of them."""
    known = {plain(each): each for each in absent}
    same = next((names for names in _SAME if plain(name) in names), frozenset())
    if found := next((known[each] for each in known if each in same), ""):
        return found
    return next(iter(get_close_matches(name.lower(), list(known.values()), n=1, cutoff=_ALIKE)), "")
