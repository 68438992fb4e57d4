"""Renders load.html: one file without JavaScript and without external resources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from jwo_toolkit.figures import percent, significant, supports, upper_bound
from jwo_toolkit.pages.rendering import Frame, Pages, Title, Verdict, utc
from jwo_toolkit.texts import no_approval
from load.report import plots

_PAGES = Pages("load.report")
_HEADLINES = {"pass": "Pass: in time and correct", "fail": "Fail", "invalid": "Invalid: no verdict"}
_PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9, 99.99)
_VIEWS = {
    "all": "all requests",
    "scan": "Verify Identity Keys",
    "cart": "Create Purchases",
    "cold": "new connections",
    "warm": "kept connections",
}
_MOST_ROWS = 30
_Rows = list[tuple[str, ...]]


def html(document: dict[str, Any]) -> str:
    """Return the page of a run."""
    options, seconds = document["options"], document["seconds"]
    budget_ms, count = options["budget_s"] * 1000, document["latency_ms"]["all"]["count"]
    drawn = {
        "latency": plots.latency_over_time(seconds, budget_ms),
        "percentiles": plots.percentiles(document["percentile_curve_ms"], count, budget_ms),
        "rate": plots.rate(seconds),
        "lag": plots.lag(seconds, options["lag_bound_ms"]),
    }
    view = {
        "report": document,
        "plots": {name: Markup(svg) for name, svg in drawn.items()},  # noqa: S704 - this kit's SVG, with escaped texts
        "counts": _counts(document),
        "environment": _environment(document),
        "columns": ("milliseconds", "count", *(f"p{each:g}" for each in _PERCENTILES), "max"),
        "latencies": list(_latencies(document)),
        "has_p99": any(plots.known_ms(second, "p99_ms") is not None for second in seconds),
        "intervals": list(_intervals(seconds)),
        "requests": _requests(document),
        "causes": _bars(document["causes"]),
    }
    return _PAGES.render("load.html.j2", _frame(document), view)


def meaning(document: dict[str, Any]) -> tuple[str, str]:
    """Return two sentences: what the result of the run means, and what it does not mean."""
    options, counts = document["options"], document["counts"]
    load = f"this load, {counts['started']:,} requests with at most {options['rate']:g} a second,"
    budget = f"correctly and within {options['budget_s']:g} s"
    means = {
        "pass": f"The result means that the connector answered {load} {budget}.",
        "fail": f"The result means that the connector did not answer {load} {budget}.",
        "invalid": "The generator did not keep its schedule, so the result proves nothing about the connector.",
    }[document["verdict"]["word"]]
    return means, no_approval("a higher load, another network, or rules that this load does not check")


def _frame(document: dict[str, Any]) -> Frame:
    options, verdict = document["options"], document["verdict"]
    suite, scenario = document["suite"], document["scenario"]
    title = Title(
        "Load test",
        options["connector"] or options["profile"],
        f"scenario {scenario['name']}",
        utc(document["ended_at"]),
        f"jwo-conformance-kit {suite['version']}, Amazon's documentation of {suite['doc_set']}",
    )
    banner = Verdict(verdict["word"], _HEADLINES[verdict["word"]], tuple(verdict["reasons"]))
    return Frame(title, banner, meaning(document))


def _counts(document: dict[str, Any]) -> _Rows:
    counts, budget = document["counts"], f"{document['options']['budget_s']:g} s"
    return [
        ("scheduled", f"{counts['scheduled']:,}"),
        ("started", f"{counts['started']:,}"),
        (f"late (over {budget})", f"{counts['late']:,}"),
        ("late at most, at 95 % confidence", upper_bound(document["verdict"]["late_at_most"])),
        ("carts committed late", f"{counts['late_commits']:,}"),
        ("unanswered", f"{counts['unanswered']:,}"),
        ("wrong answers", f"{counts['findings']:,}"),
        ("arrivals not sent", f"{counts['missed']:,}"),
    ]


def _environment(document: dict[str, Any]) -> _Rows:
    options, scenario, generator = document["options"], document["scenario"], document["generator"]
    workers = f"{generator['workers']} worker{'s' if generator['workers'] != 1 else ''}"
    lag, busiest = significant(document["lag_ms"]["p99"]), round(generator["busiest_cpu_share"], 2)
    return [
        ("Connector", options["connector"] or options["profile"]),
        ("Scenario", f"{scenario['name']}: {scenario['title']}"),
        ("Load", f"{options['rate']:g} requests/s at the peak, {options['duration_s']:g} s"),
        ("Arrivals", f"{scenario['arrivals']}, seed {options['seed']}"),
        (
            "Generator",
            f"{workers}, {generator['priority']} priority, busiest core {percent(busiest)}",
        ),
        ("Lag of starts", f"p99 {lag} ms, bound {options['lag_bound_ms']:g} ms"),
    ]


def _latencies(document: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for view, values in document["latency_ms"].items():
        if values["count"]:
            yield _latency(_VIEWS[view], values)
    yield _latency("from the actual start", document["from_actual_start_ms"])
    yield _latency("generator: lag of starts", document["lag_ms"])
    yield _latency("generator: delay of reading", document["read_delay_ms"])


def _latency(name: str, values: dict[str, Any]) -> tuple[str, ...]:
    """Return a row of the table; a percentile that the count does not support is a dash."""
    count = values["count"]
    known = (significant(values[f"p{each:g}"]) if supports(each, count) else "-" for each in _PERCENTILES)
    return (name, f"{count:,}", *known, significant(values["max"]))


def _intervals(seconds: Sequence[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Yield the text alternative of the plots over time: at most 30 intervals, each with its counts and extremes."""
    size = max(1, -(-len(seconds) // _MOST_ROWS))
    for start in range(0, len(seconds), size):
        part = seconds[start : start + size]
        first, last = part[0]["at_s"], part[-1]["at_s"] + 1
        yield (
            f"{first} to {last} s",
            *(f"{sum(second[name] for second in part):,}" for name in ("wanted", "started", "late")),
            *(significant(_highest(part, name)) for name in ("p50_ms", "p99_ms", "max_ms", "lag_ms")),
        )


def _highest(seconds: Sequence[dict[str, Any]], name: str) -> float | None:
    return max((value for second in seconds if (value := plots.known_ms(second, name)) is not None), default=None)


def _requests(document: dict[str, Any]) -> _Rows:
    counts, generator = document["counts"], document["generator"]
    mix = [(kind.replace("_", " "), percent(share)) for kind, share in document["scenario"]["mix"].items()]
    return [
        *mix,
        ("new connections", f"{counts['cold']:,}"),
        ("kept connections", f"{counts['warm']:,}"),
        ("kept connections that the connector had closed", f"{counts['resent']:,}"),
        ("sent alone before and after the load, not counted above", f"{generator['asked_alone']:,}"),
        ("identity keys", str(generator["keys"])),
    ]


def _bars(causes: dict[str, int]) -> list[tuple[str, str, str, str]]:
    top = max(causes.values(), default=1)
    return [(cause, f"{count:,}", f"{100 * count / top:.1f}", "fail") for cause, count in causes.items()]
