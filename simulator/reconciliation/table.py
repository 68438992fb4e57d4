"""The table of a reconciliation as texts, for the terminal and for the page of a store day."""

from __future__ import annotations

from simulator.reconciliation.comparison import Reconciliation, Sum, money_text

_NONE = "-"


def columns_of(money: Reconciliation) -> tuple[str, ...]:
    """Return the columns: what is compared, each book, and the difference."""
    return ("money", *_books(money), "difference")


def rows_of(money: Reconciliation) -> list[tuple[str, ...]]:
    """Return a row for each kind of posting, with the number and the money of each book."""
    books = _books(money)
    return [
        (row.name.lower(), *(_text(row.sums.get(book)) for book in books), money_text(row.difference))
        for row in money.rows
    ]


def remarks_of(money: Reconciliation) -> list[str]:
    """Return a sentence for each book that is not compared, and the notes of the others."""
    return [*(f"Not compared: {book}, {reason}." for book, reason in money.missing.items()), *money.notes]


def _books(money: Reconciliation) -> list[str]:
    return list(dict.fromkeys(book for row in money.rows for book in row.sums))


def _text(one: Sum | None) -> str:
    if one is None:
        return _NONE
    amounts = [f"{money_text(amount)} {code}" for code, amount in sorted(one.money.items())]
    return ": ".join([f"{one.number:,}", *([" + ".join(amounts)] if amounts else [])])
