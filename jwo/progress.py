"""Live progress: a bar on a terminal, plain lines elsewhere. Findings are named the moment they are known."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from conformance.verdicts import CaseResult, Verdict

_PLAIN_EVERY = 25
_LOUD = {Verdict.FAIL: "red", Verdict.WARN: "yellow", Verdict.ERROR: "magenta"}


def make_console() -> Console:
    """Return the console for people: bound to the stream of now, since a run redirects the standard ones."""
    return Console(file=sys.stdout, highlight=False)


class CaseProgress:
    """Shows how far a run is. Use it as a context manager, and its methods as the certification's listeners."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task: TaskID | None = None
        self._seen: dict[str, Verdict] = {}
        self._total = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def selected(self, count: int) -> None:
        """Take in how many cases will run."""
        self._total = count
        self._task = self._bar.add_task("cases", total=count)

    def case(self, result: CaseResult) -> None:
        """Take in a case, or a further example of one."""
        is_new = result.id not in self._seen
        was = self._seen.get(result.id)
        self._seen[result.id] = result.verdict
        if result.verdict in _LOUD and was is not result.verdict:
            word = str(result.verdict).upper()
            self._console.print(f"  [{_LOUD[result.verdict]}]{word:<5}[/] {result.id}")
        if self._task is not None:
            self._bar.update(self._task, completed=len(self._seen), description=result.id)
        if is_new and not self._console.is_terminal and len(self._seen) % _PLAIN_EVERY == 0:
            self._console.print(f"  {len(self._seen)}/{self._total} cases")
