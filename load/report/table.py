"""Prints the table and the verdict of a run on the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jwo_toolkit.figures import significant
from load.report.html import meaning

_STYLE = {"pass": "bold green", "fail": "bold red", "invalid": "bold magenta"}
_COLUMNS = ("count", "p50", "p90", "p99", "p99.9", "max")


def show(document: dict[str, Any], console: Console, paths: list[str]) -> None:
    """Print the figures, the problems, and then the verdict."""
    scenario, counts, rate = document["scenario"], document["counts"], document["rate"]
    console.print(f"\n{scenario['name']}: {scenario['title']}", highlight=False, soft_wrap=True)
    console.print(_latencies(document))
    console.print(
        f"scheduled {counts['scheduled']}, started {counts['started']}, missed {counts['missed']}; "
        f"busiest second: {rate['reached_busiest']} of {rate['wanted_busiest']} planned",
        highlight=False,
    )
    console.print(
        f"late {counts['late']} ({counts['late_commits']} of them committed carts), "
        f"unanswered {counts['unanswered']}, wrong {counts['findings']}, "
        f"connections: {counts['cold']} new, {counts['warm']} kept, {counts['resent']} found closed",
        highlight=False,
    )
    for cause, count in document["causes"].items():
        console.print(f"  {count} x {cause}", highlight=False, markup=False)
    for finding, examples in document["examples"].items():
        console.print(f"    {finding}: {examples[0]}", highlight=False, markup=False, soft_wrap=True)
    _show_baseline(document["baseline"], console)
    _show_verdict(document, console, paths)


def _latencies(document: dict[str, Any]) -> Table:
    table = Table("ms from the intended start", *_COLUMNS, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for view, values in document["latency_ms"].items():
        if values["count"]:
            table.add_row(view, *(significant(values[name]) for name in _COLUMNS))
    for name, values in (("from the actual start", document["from_actual_start_ms"]), ("lag", document["lag_ms"])):
        table.add_row(Text(name, style="dim"), *(significant(values[column]) for column in _COLUMNS))
    return table


def _show_baseline(baseline: dict[str, Any] | None, console: Console) -> None:
    if not baseline:
        return
    console.print(f"compared with {baseline['file']}:", highlight=False)
    for name, row in baseline["latency_ms"].items():
        factor = "" if row["factor"] is None else f"  x {row['factor']}"
        console.print(f"  {name} {significant(row['then'])} → {significant(row['now'])} ms{factor}", highlight=False)
    if "knee_per_s" in baseline:
        then, now = baseline["knee_per_s"]
        console.print(f"  saturation point {then:g}/s → {now:g}/s", highlight=False)
    if baseline["differs_in"]:
        console.print(f"  different runs: {', '.join(baseline['differs_in'])} differ", highlight=False)


def _show_verdict(document: dict[str, Any], console: Console, paths: list[str]) -> None:
    verdict = document["verdict"]
    for reason in verdict["reasons"]:
        console.print(f"- {reason}", highlight=False, markup=False, soft_wrap=True)
    console.print(Text(" ".join(meaning(document)), style="dim"), soft_wrap=True)
    console.print(Text(verdict["word"].upper(), style=_STYLE[verdict["word"]]))
    if paths:
        console.print(f"reports: {', '.join(paths)}", highlight=False, soft_wrap=True)
