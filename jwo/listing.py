"""Prints the contents of the suite, without running a case: `jwo cases`, `jwo coverage` and `jwo explain`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from conformance.catalogue import Coverage, coverage, scenario_entries
from conformance.report.headline import NOT_TESTED
from jwo.case_ids import row_of
from jwo_contract.operations import OPERATIONS
from jwo_contract.register import Requirement, Tier, newest_edition, rules

_PAGES = "https://developer.amazon.com/docs/physicalstores/{page}.html"


def show_cases(console: Console, tiers: Iterable[Tier], edition: str = "") -> None:
    """Print every case of an edition that a scenario proves."""
    table = _table("id", "level", "api", "title")
    proven = {each for entry in scenario_entries() for each in entry.ids}
    rows = [row for row in rules(edition).values() if row.id in proven and row.tier in tiers]
    for row in rows:
        table.add_row(row.id, row.level, row.api, row.title)
    console.print(table)
    console.print(f"{len(rows)} cases")


def show_coverage(console: Console, tiers: Iterable[Tier], edition: str = "") -> int:
    """Print how each requirement is proven, or why it is not tested. Returns 1 if a requirement has neither, else 0."""
    requirements = rules(edition)
    rows = [row for row in coverage(edition) if requirements[row.id].tier in tiers]
    table = _table("id", "title", "proven by")
    for row in rows:
        table.add_row(row.id, requirements[row.id].title, _proof(row, requirements[row.id]))
    console.print(table)
    counts = Counter(_kind(row, requirements[row.id]) for row in rows)
    console.print(", ".join(f"{number} {kind}" for kind, number in counts.items()))
    open_rows = [row.id for row in rows if not row.is_settled]
    if open_rows:
        console.print(f"neither proven nor explained: {', '.join(open_rows)}", soft_wrap=True)
    return 1 if open_rows else 0


def explain(console: Console, case_id: str, edition: str = "") -> None:
    """Print a requirement's rule, its source, and what usually breaks it. Raises Usage if there is no such case."""
    row = row_of(case_id, edition)
    console.print(f"[bold]{row.id}[/]  {row.title}", soft_wrap=True)
    for label, text in _facts(row, edition or newest_edition()):
        if text:
            console.print(f"  [dim]{label:<10}[/] {text}", soft_wrap=True)


def _facts(row: Requirement, edition: str) -> list[tuple[str, str]]:
    files = [entry.file for entry in scenario_entries() if row.id in entry.ids]
    paths = [operation.path for operation in OPERATIONS if operation.name == row.api]
    return [
        ("rule", row.text),
        ("level", f"{row.level} ({row.provenance})"),
        ("call", " ".join([row.api, *paths])),
        ("usually", row.usually),
        ("setting", row.setting),
        ("covers", ", ".join(row.covers)),
        ("source", source_of(row, edition)),
        ("editions", editions_of(row)),
        ("scenario", ", ".join(f"features/{file}" for file in files)),
        ("proven by", ", ".join(row.proven_by)),
        ("not tested", row.not_tested),
        ("run it", f"jwo replay {row.id}" if files else ""),
    ]


def source_of(row: Requirement, edition: str) -> str:
    """Return the published page of a rule in an edition, or that nothing is published."""
    if not row.page:
        return "a decision of this kit; nothing is published"
    return f"{_PAGES.format(page=row.page)} (edition {edition})"


def editions_of(row: Requirement) -> str:
    """Return which editions have a rule, and which had it otherwise; empty for a rule that all have alike."""
    spans = [f"since {row.since}"] if row.since else []
    spans += [f"until {row.until}"] if row.until else []
    forms = [f"up to {each.until} {_earlier(row, each.until)}" for each in row.earlier]
    return "; ".join([*spans, *forms])


def _earlier(row: Requirement, edition: str) -> str:
    form = row.in_edition(edition) or row
    return f"{form.level} ({form.provenance})"


def _proof(row: Coverage, requirement: Requirement) -> str:
    if row.scenarios:
        return "; ".join(sorted({scenario.split(":")[0] for scenario in row.scenarios}))
    if row.proven_by:
        return f"by {', '.join(row.proven_by)}"
    kind = requirement.not_tested_because
    return f"{NOT_TESTED[kind]}: {row.not_tested}" if kind == "outside" else row.not_tested


def _kind(row: Coverage, requirement: Requirement) -> str:
    if row.scenarios:
        return "by a scenario"
    kind = requirement.not_tested_because
    return NOT_TESTED[kind] if kind else "by other cases' scenarios"


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=name == "id", overflow="fold")
    return table
