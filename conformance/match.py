"""Matches: each compares exchanges with an expectation and returns a Mismatch or None. They never raise."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import NamedTuple

from conformance.drivers.exchange import Exchange
from conformance.drivers.masks import masked_text
from jwo_contract.errors import MalformedBody
from jwo_contract.house import House
from jwo_contract.messages import message, parse_object

_JSON = "application/json"


class Mismatch(NamedTuple):
    """The expected and the actual answer."""

    expected: str
    got: str


def status(exchange: Exchange, expected: Collection[int]) -> Mismatch | None:
    """Match the status code against those allowed."""
    if exchange.answer is not None and exchange.answer.status in expected:
        return None
    return Mismatch(" or ".join(map(str, sorted(expected))), exchange.in_short())


def no_failure(exchange: Exchange) -> Mismatch | None:
    """Match any answer except a server error. A closed connection matches too."""
    if exchange.answer is None or exchange.answer.status < 500:  # noqa: PLR2004 - where server errors begin
        return None
    return Mismatch("no server error", exchange.in_short())


def no_success(exchange: Exchange) -> Mismatch | None:
    """Match any answer except a 2xx, or no answer."""
    if exchange.answer is None or not 200 <= exchange.answer.status < 300:  # noqa: PLR2004 - the 2xx
        return None
    return Mismatch("no success", exchange.in_short())


def well_formed(exchange: Exchange, house: House, *, by_house: bool = False) -> Mismatch | None:
    """Match the body of a success against the published part of its schema, or against the house's part."""
    schema = message(exchange.operation.response, house)
    expected = f"a body that keeps {schema.name}"
    if exchange.answer is None:
        return Mismatch(expected, exchange.in_short())
    try:
        violations = schema.violations(parse_object(exchange.answer.body))
    except MalformedBody as error:
        return None if by_house else Mismatch(expected, f"{error}: {exchange.in_short()}")
    breaches = [violation.message for violation in violations if violation.by_house is by_house]
    return Mismatch(expected, f"{'; '.join(breaches)}: {exchange.in_short()}") if breaches else None


def says_json(exchange: Exchange) -> Mismatch | None:
    """Match a content type of application/json, with any parameters, in upper or lower case."""
    if exchange.answer is None:
        return Mismatch(f"Content-Type: {_JSON}", exchange.in_short())
    types = [value for name, value in exchange.answer.headers.items() if name.lower() == "content-type"]
    if types and types[0].partition(";")[0].strip().lower() == _JSON:
        return None
    return Mismatch(f"Content-Type: {_JSON}", f"Content-Type: {types[0]}" if types else "no Content-Type")


def is_json_text(exchange: Exchange) -> Mismatch | None:
    """Match a body that is JSON by RFC 8259, in UTF-8; an empty body, and one of another content type, always match."""
    if exchange.answer is None or not exchange.answer.body.strip() or says_json(exchange):
        return None
    try:
        json.loads(exchange.answer.body.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except RecursionError:
        return None
    except ValueError as error:
        return Mismatch("a body that is JSON, as its Content-Type says", f"{error}, in: {exchange.in_short()}")
    return None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def unique_names(exchange: Exchange) -> Mismatch | None:
    """Match a body in which no object has two members of one name."""
    repeated: list[str] = []

    def note_repeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        repeated.extend(sorted({name for name in names if names.count(name) > 1}))
        return dict(pairs)

    with suppress(ValueError, RecursionError):
        json.loads(exchange.answer.body if exchange.answer else b"", object_pairs_hook=note_repeated)
    return Mismatch("members with names of their own", f"two members named {repeated[0]}") if repeated else None


def visitor_type(exchange: Exchange, expected: str) -> Mismatch | None:
    """Match `visitorDetails.type`."""
    got = _member(exchange, "visitorDetails", "type")
    return None if got == expected else Mismatch(f"visitorDetails.type {expected}", f"{got}: {exchange.in_short()}")


def purchase_id(exchange: Exchange, *, empty: bool) -> Mismatch | None:
    """Match `purchaseId`: empty for an empty cart, not empty for other carts."""
    got = _member(exchange, "purchaseId")
    if isinstance(got, str) and (got == "") is empty:
        return None
    return Mismatch(f"{'an empty' if empty else 'a non-empty'} purchaseId", exchange.in_short())


def same_member(exchanges: Sequence[Exchange], *path: str) -> Mismatch | None:
    """Match when all answers have an equal member at `path`."""
    values = [_member(exchange, *path) for exchange in exchanges]
    different = [value for index, value in enumerate(values) if value not in values[:index]]
    if len(different) == 1:
        return None
    return Mismatch(
        f"one {'.'.join(path)} in all {len(exchanges)} answers",
        f"{len(different)} different ones: {', '.join(_show(path, value) for value in different[:5])}",
    )


def same_visitor(exchanges: Sequence[Exchange]) -> Mismatch | None:
    """Match when all answers have one visitor, by id and type; other members may differ."""
    return same_member(exchanges, "visitorDetails", "id") or same_member(exchanges, "visitorDetails", "type")


def equal_answers(exchanges: Sequence[Exchange]) -> Mismatch | None:
    """Match when each member that several successes have is equal in them, except one that repeats the requestId."""
    bodies = [_success(exchange) for exchange in exchanges]
    values: dict[str, list[object]] = {}
    for body in bodies:
        for name, value in body.items():
            values.setdefault(name, []).append(value)
    differ = [name for name, found in values.items() if any(value != found[0] for value in found)]
    if not differ:
        return None
    expected = f"{len(exchanges)} answers that are equal member by member"
    return Mismatch(expected, f"different values of {', '.join(differ)}")


def same_status(exchanges: Sequence[Exchange]) -> Mismatch | None:
    """Match when all answers have one status."""
    statuses = [exchange.answer.status if exchange.answer else None for exchange in exchanges]
    if None not in statuses and len(set(statuses)) == 1:
        return None
    got = ", ".join(f"{statuses.count(value)} x {value or 'no answer'}" for value in dict.fromkeys(statuses))
    return Mismatch(f"one status for all {len(exchanges)} calls", got)


def different_members(exchanges: Sequence[Exchange], *path: str) -> Mismatch | None:
    """Match when no two answers have an equal member at `path`."""
    values = [_member(exchange, *path) for exchange in exchanges]
    if all(value not in values[:index] for index, value in enumerate(values)):
        return None
    return Mismatch(
        f"a different {'.'.join(path)} for each", f"equal ones: {', '.join(_show(path, value) for value in values)}"
    )


def in_time(exchanges: Sequence[Exchange], budget_s: float) -> Mismatch | None:
    """Match when every answer was complete within the budget, from connecting to the last byte.

    The suite's own lag does not count.
    """
    late = [exchange for exchange in exchanges if exchange.is_late(budget_s)]
    if not late:
        return None
    slowest = max(exchange.elapsed_s for exchange in exchanges)
    return Mismatch(
        f"each answer complete within {budget_s:g} s",
        f"{len(late)} of {len(exchanges)} late or missing, the slowest after {slowest:.3f} s",
    )


def late_share_bound(exchanges: Sequence[Exchange]) -> str:
    """Describe the late_share_bound when 0 of n calls are late: at most 3/n are, at 95 % confidence (rule of three)."""
    count, slowest_s = len(exchanges), max(exchange.elapsed_s for exchange in exchanges)
    return f"0 late in {count} calls, so at most {300 / count:.2g} % are (at 95 %); the slowest took {slowest_s:.3f} s"


def _member(exchange: Exchange, *path: str) -> object:
    value: object = exchange.answer.json() if exchange.answer else None
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _success(exchange: Exchange) -> dict[str, object]:
    """Return the body of a success without its nulls and without the request's own requestId; empty for others."""
    answer = exchange.answer
    if answer is None or not 200 <= answer.status < 300:  # noqa: PLR2004 - the 2xx
        return {}
    own_id = json.loads(exchange.body).get("requestId")
    return {name: value for name, value in (answer.json() or {}).items() if value != own_id}


def _show(path: tuple[str, ...], value: object) -> str:
    for name in reversed(path):  # the whole path, as masks depend on the outer name
        value = {name: value}
    return masked_text(json.dumps(value).encode())
