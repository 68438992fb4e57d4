"""Live progress: a bar on a terminal, plain lines elsewhere. It prints each finding immediately."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from conformance.verdicts import CaseResult, Verdict

_PLAIN_EVERY = 25
_LOUD = {Verdict.FAIL: "red", Verdict.WARN: "yellow", Verdict.ERROR: "magenta"}


class CaseProgress:
    """Shows the progress of a run. A context manager; the certification calls its methods."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task: TaskID | None = None
        self._seen: dict[str, Verdict] = {}
        self._blocked: set[str] = set()
        self._total = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def selected(self, ids: Sequence[str]) -> None:
        """Receive the ids of the cases that will run."""
        self._total = len(ids)
        self._task = self._bar.add_task("cases", total=self._total)

    def case(self, result: CaseResult) -> None:
        """Receive the result of a case, or of a further example of it."""
        is_new = result.id not in self._seen
        before = self._seen.get(result.id)
        self._seen[result.id] = result.verdict
        if result.verdict in _LOUD and before is not result.verdict:
            word = str(result.verdict).upper()
            self._console.print(f"  [{_LOUD[result.verdict]}]{word:<5}[/] {result.id}")
        self._blocked.update({result.id} if result.verdict is Verdict.BLOCKED else ())
        if self._task is not None:
            self._bar.update(self._task, completed=len(self._seen), description=f"{result.id}{self._blocked_count()}")
        if is_new and not self._console.is_terminal and len(self._seen) % _PLAIN_EVERY == 0:
            self._console.print(f"  {len(self._seen)}/{self._total} cases{self._blocked_count()}")

    def _blocked_count(self) -> str:
        return f", {len(self._blocked)} blocked" if self._blocked else ""
