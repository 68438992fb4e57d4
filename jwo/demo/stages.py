"""The stages of the demonstration. Each prints a summary with figures, and whether it succeeded."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console

from conformance.report.model import Stage as StageReport

OF = 6


@dataclass
class Stage:
    """A running stage. `details` go to the report; a stage with `problems` fails."""

    name: str
    summary: str = ""
    details: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def expect(self, holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as an assertion
        """Record the problem `otherwise` if `holds` is false."""
        if not holds:
            self.problems.append(otherwise)


@dataclass
class Stages:
    """The finished stages. Each is printed when it ends."""

    console: Console
    done: list[Stage] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Run one stage, and print its summary at the end."""
        stage, start = Stage(name), time.perf_counter()
        if self.console.is_terminal:
            self.console.print(f"[dim]{len(self.done) + 1}/{OF} {name} …[/]", end="\r")
        yield stage
        self.done.append(stage)
        mark = "[red]FAILED[/]" if stage.problems else "[green]ok[/]"
        took = time.perf_counter() - start
        self.console.print(
            f"{len(self.done)}/{OF} {name}: {stage.summary}  {mark} [dim]{took:.1f} s[/]", soft_wrap=True
        )
        for line in (*stage.details, *stage.problems):
            self.console.print(f"      {line}", soft_wrap=True, markup=False)

    def as_report(self) -> tuple[StageReport, ...]:
        """Return the stages in the form of report.json."""
        return tuple(
            StageReport(stage.name, stage.summary, not stage.problems, (*stage.details, *stage.problems))
            for stage in self.done
        )
