"""How an output mentions a SKU: what is written before and after it, without numbers and ids.

An output that repeats its input mentions the SKU of a rejected row like the SKUs of the other rows. A report mentions
it in another way: with another status, under another heading, or once more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_WITH_DIGIT = re.compile(r"[\w-]*\d[\w-]*")
"""A word with a digit, such as a number, a time, an id of an ingestion or of a store."""
_SHOWN_CHARACTERS = 200


def mentions_of(output: str, skus: Iterable[str]) -> dict[str, Counter[tuple[str, str]]]:
    """Return the mentions of each SKU: the texts before and after it, up to the next SKU or the end."""
    found: dict[str, Counter[tuple[str, str]]] = {sku: Counter() for sku in skus}
    sku_pattern = "|".join(re.escape(sku) for sku in found)
    # the capturing group keeps the SKUs: text, SKU, text, SKU, text
    parts = re.split(rf"(?<!\w)({sku_pattern})(?!\w)", output)
    for place in range(1, len(parts), 2):
        before, sku, after = parts[place - 1 : place + 2]
        found[sku][_plain(before)[-_SHOWN_CHARACTERS:], _plain(after)[:_SHOWN_CHARACTERS]] += 1
    return found


def _plain(text: str) -> str:
    return " ".join(_WITH_DIGIT.sub("#", text).split())
