"""The results and exchanges of a run, and the callback that receives each result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from conformance.drivers.exchange import Exchange
from conformance.verdicts import CaseResult

OnCase = Callable[[CaseResult], None]


def ignore(_result: CaseResult) -> None:
    """Do nothing; the callback of a run without one."""


class Recorder:
    """Holds the result of each case, by id, and the exchanges of the running scenario."""

    def __init__(self, on_case: OnCase = ignore) -> None:
        self.results: dict[str, CaseResult] = {}
        self._on_case = on_case
        self._exchanges: list[Exchange] = []
        self.controls: list[Exchange] = []
        """The exchanges of control calls, which belong to no scenario."""

    def keep(self, exchange: Exchange) -> None:
        """Keep an exchange for the running scenario."""
        self._exchanges.append(exchange)

    def keep_all(self, exchanges: Iterable[Exchange]) -> None:
        """Keep exchanges that the suite did not make itself, for the running scenario."""
        self._exchanges += exchanges

    def take_exchanges(self) -> list[Exchange]:
        """Return the exchanges kept since the last call, oldest first."""
        exchanges, self._exchanges[:] = list(self._exchanges), []
        return exchanges

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Put the exchanges of the block among those of the control calls, and not into the scenario that runs."""
        before = self.take_exchanges()
        try:
            yield
        finally:
            self.controls += self.take_exchanges()
            self._exchanges[:0] = before

    def all_exchanges(self) -> list[Exchange]:
        """Return every exchange of the run so far, each once: the control calls first, then case by case."""
        recorded = [*self.controls, *(each for result in self.results.values() for each in result.exchanges)]
        return list({(each.started_at, each.elapsed_s, each.body): each for each in recorded}.values())

    def record(self, result: CaseResult) -> None:
        """Add a result to the earlier results of its case, and pass the sum to the callback."""
        if result.id in self.results:
            self.results[result.id].add(result)
        else:
            self.results[result.id] = result
        self._on_case(self.results[result.id])
