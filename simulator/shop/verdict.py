"""The verdict on a connector after a store day: the findings, a sentence each."""

from __future__ import annotations

from collections import Counter

from jwo_contract.operations import CREATE_PURCHASES
from simulator.reconciliation.comparison import Reconciliation, money_text
from simulator.shop.results import CALLS, Judged, Results

_ENOUGH_UNKNOWN = 10
"""Refusals of visitors without an expectation are a finding from this number on, if no such visitor was let in."""
_NAMED_TRIPS = 20
_PEOPLE = {
    ("app", "shopper"): "shoppers with the app",
    ("app", "associate"): "associates with the app",
    ("app", "cash_shopper"): "cash shoppers with the app",
    ("badge", "associate"): "associates with a badge",
    ("badge", "shopper"): "shoppers with a badge",
    ("card", "shopper"): "shoppers with a card",
    ("palm", "shopper"): "shoppers with a palm",
    ("loyalty", "shopper"): "shoppers with a loyalty card",
}


def findings(results: Results, deliveries: dict[str, int]) -> list[str]:
    """Return the findings of a day; a connector without one passes. `deliveries` counts deliveries by state."""
    return [*_refused(results), *_late(results), *_undelivered(results, deliveries)]


def money_findings(money: Reconciliation, *, needs_all_books: bool) -> list[str]:
    """Return a finding for each trip of which the books do not agree, up to a limit.

    With `needs_all_books`, a book that could not be read is a finding too.
    """
    found = [f"Not compared: {book}, {why}." for book, why in money.missing.items()] if needs_all_books else []
    found += [f"Trip {one.trip_id}: {one.says}." for one in money.disagreements[:_NAMED_TRIPS]]
    if (more := len(money.disagreements) - _NAMED_TRIPS) > 0:
        found.append(f"{more:,} more disagreements of the books; the difference is {money_text(money.difference)}.")
    return found


def _refused(results: Results) -> list[str]:
    if results.decisions and not results.opened:
        causes = ", ".join(f"{cause} x {count:,}" for (_, cause, _), count in results.causes.most_common(3))
        advice = "check that the connector runs, and that it knows the shopper's key and the store"
        return [f"No gate opened: all {results.decisions:,} visits were refused ({causes}); {advice}."]
    let_in: Counter[Judged] = Counter()
    causes_of: dict[Judged, Counter[str]] = {}
    for (judged, accepted, cause), count in results.answered.items():
        causes_of.setdefault(judged, Counter())[cause] += count
        let_in[judged] += count * accepted
    return [
        _refusal(judged, causes)
        for judged, causes in causes_of.items()
        if not let_in[judged] and _must_let_in(judged, causes.total())
    ]


def _must_let_in(judged: Judged, answers: int) -> bool:
    return judged.admitted is True or (judged.admitted is None and answers >= _ENOUGH_UNKNOWN)


def _refusal(judged: Judged, causes: Counter[str]) -> str:
    answers = ", ".join(f"{cause} x {count:,}" for cause, count in causes.most_common(3))
    people, call = _PEOPLE[judged.way, judged.kind], CALLS[judged.way]
    return (
        f"The connector let none of {causes.total():,} {people} in ({call}: {answers}); "
        "check the keys and ids that the profile declares."
    )


def _late(results: Results) -> list[str]:
    return [_lateness(results, call, count) for call, count in sorted(results.late.items()) if count]


def _lateness(results: Results, call: str, count: int) -> str:
    answers = "1 answer" if count == 1 else f"{count:,} answers"
    if call == CREATE_PURCHASES.name:
        return f"{answers} to {call} took longer than {results.order_budget_s:g} s; answer carts faster."
    return f"{answers} to {call} took longer than {results.gate_budget_s:g} s; the gate does not wait longer."


def _undelivered(results: Results, deliveries: dict[str, int]) -> list[str]:
    pending, dead = deliveries["pending"], deliveries["dead_letter"]
    if not pending + dead:
        return []
    outcomes = ", ".join(f"{name} x {n:,}" for name, n in results.outcomes.most_common() if name != "delivered")
    counted = f"{dead:,} dead letters, {pending:,} pending (attempts: {outcomes})"
    one = f"{pending + dead:,} of {results.carts:,} carts were not delivered: {counted}"
    return [f"{one}; each cart needs a 201 with its purchaseId."]
