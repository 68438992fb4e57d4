"""Renders load.html: one file without JavaScript and without external resources."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from load.report import plots


def html(document: dict[str, Any]) -> str:
    """Return the page of a run."""
    environment = Environment(loader=PackageLoader("load.report", "."), autoescape=True, undefined=StrictUndefined)
    environment.filters["ms"] = _ms
    environment.filters["percent"] = lambda share: f"{share:.4%}"
    options, seconds = document["options"], document["seconds"]
    budget_ms = options["budget_s"] * 1000
    drawn = {
        "latency": plots.latency_over_time(seconds, budget_ms),
        "percentiles": plots.percentiles(document["percentile_curve_ms"], budget_ms),
        "rate": plots.rate(seconds),
        "lag": plots.lag(seconds, options["lag_bound_ms"]),
        "causes": plots.causes(document["causes"]),
    }
    page = environment.get_template("load.html.j2")
    return page.render(report=document, plots={name: Markup(svg) for name, svg in drawn.items()})  # noqa: S704 - this kit's SVG, with escaped texts


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if isinstance(value, int) else f"{value:,.3f}"
