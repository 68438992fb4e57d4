"""Reads the ids of cases that a user names, with an error that helps if there is no such case in the chosen edition."""

from __future__ import annotations

from difflib import get_close_matches

from jwo.errors import Usage
from jwo_contract.register import Requirement, newest_edition, register, rules


def row_of(case_id: str, edition: str = "") -> Requirement:
    """Return the rule of a case in an edition, or in the newest one. Raises Usage if that edition has no such case."""
    if row := rules(edition).get(case_id):
        return row
    if other := register().get(case_id):
        span = f"since {other.since}" if (edition or newest_edition()) < other.since else f"until {other.until}"
        chosen = edition or newest_edition()
        raise Usage(f"the edition {chosen} has no case {case_id} ({span} only); choose another edition with --edition")
    near = get_close_matches(case_id.upper(), rules(edition), n=1)
    nearest = f"did you mean {near[0]}? Or " if near else ""
    raise Usage(f"there is no case {case_id}; {nearest}list the cases with: jwo cases")


def check_ids(ids: list[str], edition: str = "") -> tuple[str, ...]:
    """Return the ids as a tuple. Raises Usage if an id is not in the edition or has no scenario of its own."""
    for each in ids:
        row = row_of(each, edition)
        if row.not_tested:
            raise Usage(f"{each} has no test: {row.not_tested}")
        if row.proven_by:
            raise Usage(f"{each} has no scenario of its own; run the cases that prove it: {', '.join(row.proven_by)}")
    return tuple(ids)
