"""The page of a day: one self-contained HTML file with the verdict, tables and plots, without scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from simulator.shop.plots import bars, horizontal_bars, steps
from simulator.shop.results import BUDGET_MS, Results, latency, reason

_STYLE = """
figure { margin: 0; } figcaption { font-weight: 600; margin-bottom: 6px; } figure svg { width: 100%; height: auto; }
figure svg text { font: 12px system-ui, sans-serif; fill: var(--quiet); }
.bar { fill: var(--link); } .bar.closed { fill: var(--fail); } .grid { stroke: var(--line); }
.line { fill: none; stroke: var(--link); stroke-width: 2; } .limit { stroke: var(--fail); stroke-dasharray: 4 3; }
@media (max-width: 700px) {
  thead { display: table-header-group; } tbody tr { display: table-row; }
  tbody td { display: table-cell; padding: 4px; }
  td.number { display: table-cell; }
}
"""
"""The style of the plots, in the colours of the page's style."""


class Title(NamedTuple):
    """The facts in the heading: the kind of day, its size, its seed and its real time."""

    day: str
    stores: int
    gates: int
    seed: int | None
    wall_s: float
    most_inside: int


def page(
    title: Title, results: Results, deliveries: dict[str, int], findings: Sequence[str] = (), style: str = ""
) -> str:
    """Return the page; `deliveries` counts deliveries by state, `style` is the CSS of the kit's reports."""
    hours = [(f"{hour:02d}", float(results.arrivals.get(hour, 0))) for hour in range(24)]
    causes = [
        (f"{method} {cause}", float(count), "" if opens else "closed")
        for (method, cause, opens), count in results.causes.most_common()
    ]
    outcomes = [
        (name, float(count), "" if name == "delivered" else "closed") for name, count in results.outcomes.items()
    ]
    plots = (
        bars(hours, "Arrivals by hour", "people"),
        horizontal_bars(causes, "Gate decisions by cause (red: the gate stayed closed)", ""),
        steps(sorted(results.gate_ms.items()), "Share of gate decisions answered in time", BUDGET_MS),
        steps(sorted(results.order_ms.items()), "Share of carts answered in time", BUDGET_MS),
        horizontal_bars(outcomes, "Delivery attempts by outcome", ""),
    )
    heading = f"{title.day.replace('_', ' ').capitalize()}, {title.stores} stores with {title.gates} gates"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(heading)}</title>\n<style>{style}{_STYLE}</style>\n</head>\n<body>\n<main>",
            _banner(title, heading, findings),
            '<h2 id="findings">Findings</h2>',
            *_findings(findings),
            '<h2 id="visitors">Who visited</h2>',
            _table(("Visitor", "visits", "let in", "kept out"), _visitors(results)),
            '<h2 id="decisions">Who decided, and why</h2>',
            _table(DECISION_COLUMNS, decision_rows(results), numbers=1),
            '<h2 id="carts">Carts and answers</h2>',
            _table(("Count", ""), _counts(results, deliveries), numbers=0),
            _table(("Milliseconds", "calls", "p50", "p95", "p99", "worst", "over 2 s"), _latencies(results)),
            '<h2 id="plots">Plots</h2>',
            *(f'<section class="card">{plot}</section>' for plot in plots),
            "</main>\n</body>\n</html>",
        ]
    )


DECISION_COLUMNS = ("strategy", "way in", "decided by", "why", "gate", "decisions")


def decision_rows(results: Results) -> list[tuple[str, ...]]:
    """Return the decisions by strategy, way in, decider and reason, the strategies in order."""
    shown: Counter[tuple[str, ...]] = Counter()
    for one, count in results.deciders.items():
        gate = "open" if one.opens else "closed"
        shown[words(one.strategy) or "-", one.method, words(one.decided_by), reason(one), gate] += count
    ordered = sorted(shown.items(), key=lambda row: (*row[0][:2], -row[1], row[0]))
    return [(*texts, f"{count:,}") for texts, count in ordered]


def words(name: str) -> str:
    """Return a name of the code as words."""
    return name.replace("_", " ")


def _banner(title: Title, heading: str, findings: Sequence[str]) -> str:
    verdict, sign = ("fail", "✗") if findings else ("pass", "✓")
    counted = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}" if findings else "No findings"
    facts = (
        ("Day", heading),
        ("Seed", str(title.seed)),
        ("Run", f"{title.wall_s:.1f} s of real time, at most {title.most_inside} visits at the same time"),
    )
    return "\n".join(
        [
            f'<section class="card banner {verdict}" aria-labelledby="verdict">',
            f'<div class="sign" aria-hidden="true">{sign}</div>',
            f'<h1 id="verdict">{counted} in the store day</h1>',
            '<div class="body"><dl class="facts small">',
            *(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts),
            "</dl></div></section>",
        ]
    )


def _findings(findings: Sequence[str]) -> list[str]:
    if not findings:
        return ['<section class="card"><p>None.</p></section>']
    chip = '<span class="chip"><b>✗</b> Fail</span>'
    return [
        f'<section class="card finding fail"><p class="rule">{chip} {escape(one)}</p></section>' for one in findings
    ]


def _visitors(results: Results) -> list[tuple[str, ...]]:
    return [(name, f"{n:,}", f"{let_in:,}", f"{n - let_in:,}") for name, n, let_in in results.visitor_rows()]


def _counts(results: Results, deliveries: dict[str, int]) -> list[tuple[str, ...]]:
    rows = [
        ("Visits", results.decisions),
        ("Gates opened", results.opened),
        ("Further people of groups", results.joined),
        ("Carts", results.carts),
        ("of them empty", results.empty_carts),
        ("Cart lines", results.lines),
        ("Carts delivered", deliveries["delivered"]),
        ("Carts pending", deliveries["pending"]),
        ("Dead letters", deliveries["dead_letter"]),
        ("Delivery attempts", deliveries["attempts"]),
    ]
    return [(name, f"{count:,}") for name, count in rows]


def _latencies(results: Results) -> list[tuple[str, ...]]:
    both = (("At the gate", results.gate_ms), ("Create Purchases", results.order_ms))
    return [(name, *(f"{value:,}" for value in latency(measured))) for name, measured in both]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: int | None = None) -> str:
    """Return a table; its last `numbers` columns are numbers, by default all except the first."""
    first_number = len(columns) - (len(columns) - 1 if numbers is None else numbers)

    def cell(name: str, index: int, text: str) -> str:
        style = ' class="number"' if index >= first_number else ""
        return f"<{name}{style}>{escape(text)}</{name}>"

    def row(name: str, texts: Sequence[str]) -> str:
        return "<tr>" + "".join(cell(name, index, text) for index, text in enumerate(texts)) + "</tr>"

    head, body = row("th", columns), "\n".join(row("td", texts) for texts in rows)
    return f'<section class="card"><table><thead>{head}</thead><tbody>\n{body}\n</tbody></table></section>'
