"""The page of a day: one self-contained HTML file with the verdict, tables and plots, without scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from importlib import metadata
from typing import NamedTuple

from markupsafe import Markup

from jwo_contract.register import newest_edition
from jwo_toolkit import figures
from jwo_toolkit.pages.rendering import Frame, Pages, Verdict, utc
from jwo_toolkit.pages.rendering import Title as TitleLine
from jwo_toolkit.texts import no_approval
from simulator.reconciliation.comparison import Reconciliation
from simulator.reconciliation.table import columns_of, remarks_of, rows_of
from simulator.shop.plots import bars, steps
from simulator.shop.results import BUDGET_MS, Results, latency, ranked, reason

DECISION_COLUMNS = ("strategy", "way in", "decided by", "why", "gate", "decisions")
_PAGES = Pages("simulator.shop")
_DISTRIBUTION = "jwo-conformance-kit"
_HOURS = 24
_NOTHING = "No late answer, no undelivered cart, and no kind of visitor that was refused by mistake."
_PERCENTILES = (50, 95, 99)
_Bar = tuple[str, str, str, str]
_Row = tuple[str, ...]


class Title(NamedTuple):
    """The facts of the heading: the kind of day, its size, its seed, its real times, and the connector's address."""

    day: str
    stores: int
    gates: int
    seed: int | None
    wall_s: float
    most_inside: int
    connector: str
    ended_at: datetime


def page(
    title: Title,
    results: Results,
    deliveries: dict[str, int],
    money: Reconciliation,
    findings: Sequence[str] = (),
) -> str:
    """Return the page; `deliveries` counts deliveries by state."""
    hours = [(f"{hour:02d}", results.arrivals.get(hour, 0)) for hour in range(_HOURS)]
    drawn = {
        "arrivals": bars(hours, "Arrivals by hour", "people"),
        "gate": steps(sorted(results.gate_ms.items()), "Share of gate decisions answered in time", BUDGET_MS),
        "orders": steps(sorted(results.order_ms.items()), "Share of carts answered in time", BUDGET_MS),
    }
    view = {
        "findings": findings,
        "plots": {name: Markup(svg) for name, svg in drawn.items()},  # noqa: S704 - this kit's SVG, with escaped texts
        "hours": [(hour, f"{people:,}") for hour, people in hours if people],
        "visitors": _visitors(results),
        "decision_columns": DECISION_COLUMNS,
        "decisions": decision_rows(results),
        "money_columns": columns_of(money),
        "money": rows_of(money),
        "money_remarks": remarks_of(money),
        "coverage": _coverage(results, deliveries),
        "counts": _counts(results, deliveries),
        "environment": _environment(title),
        "latencies": _latencies(results),
        "causes": _causes(results),
        "outcomes": _bars([(name, n, "" if name == "delivered" else "fail") for name, n in results.outcomes.items()]),
    }
    return _PAGES.render("shop.html.j2", _frame(title, results, findings), view)


def meaning(findings: Sequence[str], visits: int) -> tuple[str, str]:
    """Return two sentences: what the result of a day means, and what it does not mean."""
    if findings:
        means = f"The result means that this day of {visits:,} visits found faults in the connector's answers."
    else:
        means = f"The result means that the connector answered {visits:,} visits in time, and that each cart arrived."
    silent_about = "rules that this day did not try, about a higher load, or about another version of the connector"
    return means, no_approval(silent_about)


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


def _frame(title: Title, results: Results, findings: Sequence[str]) -> Frame:
    day = words(title.day).capitalize()
    heading = f"{day}, {_counted(title.stores, 'store')} with {_counted(title.gates, 'gate')}"
    edition = f"{_DISTRIBUTION} {metadata.version(_DISTRIBUTION)}, Amazon's documentation of {newest_edition()}"
    line = TitleLine("Store day", title.connector, heading, utc(title.ended_at), edition)
    counted = _counted(len(findings), "finding") if findings else "No findings"
    verdict = Verdict("fail" if findings else "pass", f"{counted} in the store day", tuple(findings) or (_NOTHING,))
    return Frame(line, verdict, meaning(findings, results.decisions))


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _environment(title: Title) -> list[_Row]:
    return [
        ("Connector", title.connector),
        ("Day", words(title.day)),
        ("Size", f"{_counted(title.stores, 'store')}, {_counted(title.gates, 'gate')}"),
        ("Seed", str(title.seed)),
        ("Real time", figures.duration(title.wall_s * 1000)),
        ("At the same time", f"{_counted(title.most_inside, 'visit')} at most"),
    ]


def _coverage(results: Results, deliveries: dict[str, int]) -> list[_Row]:
    return [
        ("Visits", f"{results.decisions:,}"),
        ("Let in", figures.share(results.opened, results.decisions) if results.decisions else "no visits"),
        ("Carts", f"{results.carts:,}"),
        ("Delivered", f"{deliveries['delivered']:,} in {_counted(deliveries['attempts'], 'attempt')}"),
        ("Pending", f"{deliveries['pending']:,}"),
        ("Dead letters", f"{deliveries['dead_letter']:,}"),
    ]


def _visitors(results: Results) -> list[_Row]:
    return [(name, f"{n:,}", f"{let_in:,}", f"{n - let_in:,}") for name, n, let_in in results.visitor_rows()]


def _counts(results: Results, deliveries: dict[str, int]) -> list[_Row]:
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


def _latencies(results: Results) -> list[_Row]:
    return [_latency(*each) for each in (("At the gate", results.gate_ms), ("Create Purchases", results.order_ms))]


def _latency(name: str, measured: Counter[int]) -> _Row:
    """Return a row of the table; a percentile that the number of calls does not support is a dash."""
    found = latency(measured)
    values = zip(_PERCENTILES, (found.p50, found.p95, found.p99), strict=True)
    known = (f"{value:,}" if figures.supports(percent, found.calls) else "-" for percent, value in values)
    return (name, f"{found.calls:,}", *known, f"{found.worst:,}", f"{found.over_budget:,}")


def _causes(results: Results) -> list[_Bar]:
    """Return a bar for each way in and cause; the label ends with `closed` if the gate did not open."""
    return _bars(
        [
            (f"{method} {words(cause)}{'' if opens else ', closed'}", count, "" if opens else "fail")
            for (method, cause, opens), count in ranked(results.causes)
        ]
    )


def _bars(values: Sequence[tuple[str, int, str]]) -> list[_Bar]:
    top = max((count for _, count, _ in values), default=1)
    return [(label, f"{count:,}", f"{100 * count / top:.1f}", kind) for label, count, kind in values]
