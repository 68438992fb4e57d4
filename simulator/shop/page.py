"""The page of a day: one self-contained HTML file with tables and plots, without scripts."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from simulator.shop.plots import bars, horizontal_bars, steps
from simulator.shop.results import Latency, Results, latency

_BUDGET_MS = 2_000
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
h1{font-size:1.5rem;margin:0 0 .2rem} p.sub{color:#5a6675;margin:0 0 1.5rem}
table{border-collapse:collapse;margin:0 0 1.5rem}
td,th{padding:.25rem .8rem;text-align:right;border-bottom:1px solid #e3e7ec}
td:first-child,th:first-child{text-align:left;padding-left:0}
figure{margin:0 0 1.5rem} figcaption{font-weight:600;margin-bottom:.3rem} svg{width:100%;height:auto}
svg text{font:12px system-ui,sans-serif;fill:#5a6675} .bar{fill:#2f6fde} .bar.closed{fill:#c8473d}
.grid{stroke:#e3e7ec} .line{fill:none;stroke:#2f6fde;stroke-width:2} .limit{stroke:#c8473d;stroke-dasharray:4 3}
@media (prefers-color-scheme:dark){body{background:#12161c;color:#dfe5ec}td,th{border-color:#2a323d}
.grid{stroke:#2a323d}svg text,p.sub{color:#93a0b0;fill:#93a0b0}}
"""


class Title(NamedTuple):
    """The facts in the heading: the kind of day, its size, its seed and its real time."""

    day: str
    stores: int
    gates: int
    seed: int | None
    wall_s: float
    most_inside: int


def page(title: Title, results: Results, deliveries: dict[str, int]) -> str:
    """Return the page; `deliveries` counts deliveries by state."""
    gate, order = latency(results.gate_ms), latency(results.order_ms)
    hours = [(f"{hour:02d}", float(results.arrivals.get(hour, 0))) for hour in range(24)]
    causes = [
        (f"{method} {cause}", float(count), "" if opens else "closed")
        for (method, cause, opens), count in results.causes.most_common()
    ]
    outcomes = [
        (name, float(count), "" if name == "delivered" else "closed") for name, count in results.outcomes.items()
    ]
    heading = f"{title.day.replace('_', ' ').capitalize()}, {title.stores} stores with {title.gates} gates"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            f"<title>{escape(heading)}</title><style>{_STYLE}</style>",
            f"<h1>{escape(heading)}</h1>",
            f'<p class="sub">{escape(_sub(title))}</p>',
            _counts(results, deliveries),
            _latencies(gate, order),
            bars(hours, "Arrivals by hour", "people"),
            horizontal_bars(causes, "Gate decisions by cause (red: the gate stayed closed)", ""),
            steps(sorted(results.gate_ms.items()), "Share of gate decisions answered in time", _BUDGET_MS),
            steps(sorted(results.order_ms.items()), "Share of carts answered in time", _BUDGET_MS),
            horizontal_bars(outcomes, "Delivery attempts by outcome", ""),
            "</html>",
        ]
    )


def _sub(title: Title) -> str:
    return f"seed {title.seed}, {title.wall_s:.1f} s of real time, at most {title.most_inside} inside"


def _counts(results: Results, deliveries: dict[str, int]) -> str:
    rows = [
        ("Gate decisions", results.decisions),
        ("Gates opened", results.opened),
        ("Carts", results.carts),
        ("of them empty", results.empty_carts),
        ("Cart lines", results.lines),
        ("Carts delivered", deliveries["delivered"]),
        ("Carts pending", deliveries["pending"]),
        ("Dead letters", deliveries["dead_letter"]),
        ("Delivery attempts", deliveries["attempts"]),
    ]
    return "<table>" + "".join(f"<tr><td>{name}<td>{count:,}" for name, count in rows) + "</table>"


def _latencies(gate: Latency, order: Latency) -> str:
    head = "<tr><th>Milliseconds<th>calls<th>p50<th>p95<th>p99<th>worst<th>over 2 s"
    rows = "".join(
        f"<tr><td>{name}<td>{one.calls:,}<td>{one.p50}<td>{one.p95}<td>{one.p99}<td>{one.worst}<td>{one.over_budget}"
        for name, one in (("At the gate", gate), ("Create Purchases", order))
    )
    return f"<table>{head}{rows}</table>"
