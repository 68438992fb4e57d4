"""Stories of scans, carts and repetitions, played to the connector and to a small model of what it must remember.

A story is a list of acts. Where connector and model part, the list shrinks to the few acts that it takes.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import strategies as st

from conformance.certification import Certification
from conformance.drafts import Draft
from conformance.drivers.exchange import Answer, Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import Finding
from contract.operations import CREATE_PURCHASES

_LONGEST = 12


class Act(NamedTuple):
    """What happens: a word, and which earlier visit it is about, counted round."""

    word: str
    which: int = 0

    def __str__(self) -> str:
        return f"{self.word} {self.which}" if self.word.startswith("repeat") else self.word


def stories() -> st.SearchStrategy[list[Act]]:
    """Draw stories."""
    new = st.sampled_from(["scan a known key", "scan an unknown key", "buy", "buy two lines", "buy nothing"])
    again = st.sampled_from(["repeat scan", "repeat cart", "repeat scan twice at once", "repeat cart twice at once"])
    acts = st.one_of(st.builds(Act, new), st.builds(Act, again, st.integers(0, 3)))
    return st.lists(acts, min_size=2, max_size=_LONGEST)


@dataclass
class Store:
    """The model: the drafts so far, and what was answered to each the first time."""

    run: Certification
    connector: ConnectorClient
    scans: list[tuple[Draft, object]] = field(default_factory=list)
    carts: list[tuple[Draft, object]] = field(default_factory=list)

    def play(self, story: list[Act]) -> None:
        """Play a story; Finding, with the acts up to there, when the connector parts from the model."""
        for number, act in enumerate(story, start=1):
            told = "; ".join(map(str, story[:number]))
            for expected, exchange in self._do(act):
                got = _essence(exchange, again=act.word.startswith("repeat"))
                if got != expected:
                    raise Finding(f"after: {told}: {expected}", exchange.in_short())

    def _do(self, act: Act) -> list[tuple[object, Exchange]]:
        if act.word.startswith("repeat"):
            return self._repeat(act)
        new: dict[str, Callable[[], Draft]] = {
            "scan a known key": lambda: self.run.build.scan(self.run.keys.take("shopper")),
            "scan an unknown key": lambda: self.run.build.scan(self.run.keys.unknown()),
            "buy": self.run.build.cart,
            "buy two lines": lambda: self.run.build.cart([self.run.build.line(), self.run.build.line(value="2")]),
            "buy nothing": lambda: self.run.build.cart([]),
        }
        draft = new[act.word]()
        exchange = self.connector.send(draft.operation, draft.encoded())
        got = _essence(exchange)
        remembered = self.carts if act.word.startswith("buy") else self.scans
        others = [answer for _, answer in remembered]
        remembered.append((draft, got))
        return [(self._first_answer(act.word, got, others), exchange)]

    @staticmethod
    def _first_answer(word: str, got: object, others: list[object]) -> object:
        """Say what the first answer must be; where any id will do, what it is, unless another trip has it."""
        status, content = got if isinstance(got, tuple) else (0, "")
        fixed = {"scan an unknown key": (401, ""), "buy nothing": (201, "")}
        if word in fixed:
            return fixed[word]
        if word == "scan a known key":
            return (200, content or "a visitor")
        is_new = content and got not in others
        return (201, content if is_new else "a purchase id of its own") if status else (201, "a purchase id")

    def _repeat(self, act: Act) -> list[tuple[object, Exchange]]:
        remembered = self.scans if "scan" in act.word else self.carts
        if not remembered:
            return []
        draft, first = remembered[act.which % len(remembered)]
        attempts = [draft.again() for _ in range(2 if act.word.endswith("at once") else 1)]
        with ThreadPoolExecutor(len(attempts)) as pool:
            sent = pool.map(lambda each: self.connector.send(each.operation, each.encoded()), attempts)
            return [(first, exchange) for exchange in sent]


def _essence(exchange: Exchange, *, again: bool = False) -> object:
    """Return the status and what must stay the same: the purchase id, or the visitor.

    A purchase that was made before may be answered 200 as well as 201.
    """
    answer: Answer | None = exchange.answer
    body = (answer.json() if answer else None) or {}
    status = answer.status if answer else 0
    if status >= 400:  # noqa: PLR2004 - where refusals begin; their bodies are nobody's business
        return status, ""
    if again and exchange.operation is CREATE_PURCHASES and status == 200:  # noqa: PLR2004 - as said above
        status = 201
    visitor = body.get("visitorDetails")
    return status, str(sorted(visitor.items()) if isinstance(visitor, dict) else body.get("purchaseId", ""))
