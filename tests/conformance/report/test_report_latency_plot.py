from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.report.html import render_html
from conformance.report.latency_plot import strip
from tests.conformance.report.reading import latency_model, model

Build = Callable[..., dict[str, Any]]


def _xs(path: str) -> list[float]:
    return [float(dot.split(" ")[0]) for dot in path.split("M") if dot]


def test_late_answers_are_dots_beyond_the_budget(a_latency: Build) -> None:
    plot = strip(latency_model(a_latency(samples=[3.0, 5.0, 1999.0, 2001.0, 9000.0])))
    assert len(_xs(plot.on_time)) == 3
    assert len(_xs(plot.late)) == 2
    assert max(_xs(plot.on_time)) <= plot.budget.x <= min(_xs(plot.late))


def test_an_answer_on_the_budget_is_not_late(a_latency: Build) -> None:
    assert strip(latency_model(a_latency(samples=[2000.0]))).late == ""


def test_slower_answers_are_further_right_and_inside_the_plot(a_latency: Build) -> None:
    plot = strip(latency_model(a_latency(samples=[0.0, 0.2, 1.0, 10.0, 100.0, 1000.0, 1_000_000.0])))
    places = _xs(plot.on_time) + _xs(plot.late)
    assert places == sorted(places)
    assert min(places) >= 0
    assert max(places) <= 100


def test_a_plot_of_ten_thousand_answers_keeps_the_slowest(a_latency: Build) -> None:
    plot = strip(latency_model(a_latency(samples=[5.0] * 10_000 + [2500.0, 3000.0])))
    assert plot.shown == 600
    assert plot.total == 10_002
    assert len(_xs(plot.late)) == 2


def test_the_page_draws_every_operation_with_its_figures(a_report: Build, a_latency: Build) -> None:
    page = render_html(model(a_report(latency=[a_latency(), a_latency("Create Purchases", [4.0, 2345.0])])))
    assert page.count('role="img"') == 2
    assert "Create Purchases: 2 answers, half within 2.35 s, slowest 2.35 s, 1 later than 2 seconds" in page
    assert "budget 2 s" in page
