"""The badges of the retailer files, checked against the accounts, the fixture keys and the app's codes."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from jwo_contract.errors import BadValue
from jwo_contract.house import ScanKeyRules
from jwo_contract.scan_key import decode
from reference_connector.files.sections import Placed, Sections
from reference_connector.retailer import BADGE_OWNERS, Account
from reference_connector.retailer_rows import BadgeRow
from reference_connector.store import Badge


def read_badges(
    read: Sections, accounts: Mapping[str, Account] | None, fixture_texts: AbstractSet[str], codes: ScanKeyRules
) -> tuple[dict[str, Badge], list[str]]:
    """Return the badges by id, and remarks about them; without known accounts, do not check their owners."""
    rows = read.unique("badge", BadgeRow, lambda row: row.id)
    for placed, row in rows:
        if accounts is not None and row.owner not in accounts:
            read.add(placed, f"no shopper {row.owner}", "Add a [[shopper]] with that id, of the type of the owner")
        elif accounts is not None and (kind := accounts[row.owner].visitor.type) not in BADGE_OWNERS:
            what = f"{row.owner} is a {kind}, and a badge belongs to a {' or '.join(BADGE_OWNERS)}"
            read.add(placed, what, "Correct the owner, or remove the badge")
        if row.id in fixture_texts:
            read.add(placed, "its id is also the text of a [[fixture_key]]", "Remove one of them")
        if _is_code(row.id, codes):
            read.add(placed, "its id has the form of the app's Scan Key Codes", "Give the badge another key")
    return {row.id: row.badge() for _, row in rows}, list(_alike(rows))


def _alike(rows: Sequence[tuple[Placed, BadgeRow]]) -> Iterator[str]:
    """Yield a remark for badges with ids that people cannot tell apart. It does not repeat the ids, which are keys."""
    groups: dict[str, list[Placed]] = defaultdict(list)
    for placed, row in rows:
        groups[unicodedata.normalize("NFKC", row.id).casefold()].append(placed)
    for group in groups.values():
        if len(group) > 1:
            places = " and ".join(f"{placed.file}, {placed.place}" for placed in group)
            yield f"badges differ only in capitals or in the form of their letters, so each opens by itself: {places}"


def _is_code(text: str, codes: ScanKeyRules) -> bool:
    try:
        decode(text, codes)
    except BadValue:
        return False
    return True
