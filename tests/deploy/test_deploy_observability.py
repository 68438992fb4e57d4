"""The files for Grafana, Prometheus and OpenTelemetry: they fit their schemas, and what they ask for exists."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import promql_parser
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft7Validator, Draft202012Validator
from prometheus_client.parser import text_string_to_metric_families

from jwo_contract.gate import ANSWER_WITHIN_S
from reference_connector.catalog_client.metrics import CatalogMetrics
from reference_connector.telemetry import EventLog, system_clock
from tests.deploy.conftest import load_script
from tests.reference_connector.conftest import a_cart, a_scan, start, storage

__all__ = ["a_cart", "a_scan", "start", "storage"]

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "observability"
GRAFANA_SCHEMA = Path(__file__).with_name("grafana_dashboard.schema.json")
"""Grafana's own, from github.com/grafana/grafana-foundation-sdk, jsonschema/dashboard.jsonschema.json (Apache-2.0)."""
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
ALERTS = yaml.safe_load((FOLDER / "alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
OF_PROMETHEUS = {"up": {"job", "instance"}}
OF_THE_SCRAPE = {"job", "instance"}
DURATION = re.compile(r"\d+[smhd]")
TRIP, EVENT = "trip-of-the-span", "11111111-2222-3333-4444-555555555555"


def queries() -> dict[str, str]:
    """Return each query, by its place, with Grafana's variables filled in."""
    found = {f"alert {rule['alert']}": rule["expr"] for rule in ALERTS}
    for panel in PANELS:
        for target in panel["targets"]:
            expr = target["expr"].replace("$__rate_interval", "1m").replace("$__range", "6h")
            found[f"panel {panel['title']} {target['refId']}"] = expr
    return found


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    """Return the series that a query reads."""
    found = []

    def note(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(expression), note)
    return found


@pytest.fixture
def scraped(
    start: Callable[..., Any], a_scan: Any, a_cart: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> dict[str, dict[str, Any]]:
    """Return the samples of a connector after some traffic: their labels and values, by name."""
    file = tmp_path / "catalog.prom"
    uploads = CatalogMetrics(file, log := EventLog(system_clock))
    log.event("catalog_uploaded", rows=2)
    log.event("catalog_call_failed", status=429)
    log.event("catalog_result", accepted=1, rejected=1)
    uploads.write()
    connector = start(catalog_metrics=file, accelerated=request.param)
    assert connector.identify(a_scan()).status_code == 200
    assert connector.identify({}).status_code == 400
    assert connector.purchase(a_cart()).status_code == 201
    assert connector.events("payment_step", 2)
    found: dict[str, dict[str, Any]] = {}
    for metric in text_string_to_metric_families(connector.operator_get("/metrics").text):
        for sample in metric.samples:
            known = found.setdefault(sample.name, {"labels": set(), "samples": []})
            known["labels"] |= set(sample.labels)
            known["samples"].append(sample)
    return found


def test_dashboard_fits_the_schema_of_grafana() -> None:
    schema = json.loads(GRAFANA_SCHEMA.read_text("utf-8"))

    assert [error.message for error in Draft7Validator(schema).iter_errors(DASHBOARD)] == []
    wrong = DASHBOARD | {"panels": [PANELS[0] | {"gridPos": {"x": "left"}}]}
    assert not Draft7Validator(schema).is_valid(wrong)


def test_panels_have_places_and_numbers_of_their_own() -> None:
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    ids = [panel["id"] for panel in DASHBOARD["panels"]]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len(ids) == len(set(ids))
    assert all(panel["description"] for panel in PANELS)


def test_dashboard_draws_the_line_of_two_seconds_and_links_to_traces() -> None:
    (line,) = (panel for panel in PANELS if panel["title"] == "Time of a gate answer")
    defaults = line["fieldConfig"]["defaults"]

    assert (defaults["custom"]["thresholdsStyle"]["mode"], defaults["unit"]) == ("line", "s")
    assert defaults["thresholds"]["steps"][-1]["value"] == ANSWER_WITHIN_S
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    urls = [link["url"] for link in [*DASHBOARD["links"], *line["links"]]]
    assert all(set(re.findall(r"\$\{([a-z]+)\}", url)) <= variables for url in urls)
    assert [url for url in urls if "jwo.shopping_trip_id" in url]


@pytest.mark.parametrize("scraped", [True, False], ids=["accelerated", "plain"], indirect=True)
def test_what_dashboard_and_alerts_ask_for_is_in_a_scrape(scraped: dict[str, dict[str, Any]]) -> None:
    for place, expression in queries().items():
        found = selectors(expression)
        assert found, place
        for selector in found:
            known = OF_PROMETHEUS.get(selector.name) or scraped[selector.name]["labels"]
            asked = {matcher.name for matcher in selector.matchers.matchers}
            assert asked <= known | OF_THE_SCRAPE, place
    grouped = {(place, label) for place, text in queries().items() for label in _grouped_by(text)}
    every_label = set[str]().union(*(each["labels"] for each in scraped.values())) | OF_THE_SCRAPE
    assert {label for _, label in grouped} <= every_label


def _grouped_by(expression: str) -> set[str]:
    return {label.strip() for names in re.findall(r"\bby \(([^)]+)\)", expression) for label in names.split(",")}


@pytest.mark.parametrize("scraped", [True, False], ids=["accelerated", "plain"], indirect=True)
def test_bucket_of_the_two_second_line_is_exact(scraped: dict[str, dict[str, Any]]) -> None:
    buckets = [each.labels for each in scraped["jwo_connector_answer_seconds_bucket"]["samples"]]
    asked = [
        matcher.value
        for selector in selectors(queries()["panel Late gate answers A"])
        for matcher in selector.matchers.matchers
        if matcher.name == "le"
    ]

    assert {bucket["le"] for bucket in buckets if re.fullmatch(asked[0], bucket["le"])} == {"2.0"}
    assert {each.value for each in scraped["jwo_connector_late_answers_total"]["samples"]} == {0}
    steps = [each.labels for each in scraped["jwo_connector_payment_steps_total"]["samples"]]
    assert {"kind": "charge", "before": "authorised", "after": "captured"} in steps


def test_queries_are_promql() -> None:
    assert all(promql_parser.parse(expression) for expression in queries().values())
    with pytest.raises(ValueError, match="unclosed"):
        promql_parser.parse("sum by (call (rate(x[5m]))")


def test_alert_rules_are_complete() -> None:
    names = [rule["alert"] for rule in ALERTS]

    assert len(names) == len(set(names)) >= 8
    for rule in ALERTS:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert DURATION.fullmatch(rule.get("for", "0s"))
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]


def test_configurations_name_the_same_addresses() -> None:
    prometheus, collector, compose = (
        yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
        for name in ("prometheus", "otel_collector", "compose")
    )
    (traces,) = collector["service"]["pipelines"].values()

    for kind in ("receivers", "processors", "exporters"):
        assert set(traces[kind]) == set(collector[kind])
    assert prometheus["rule_files"] == ["alerts.yaml"]
    assert list(Draft202012Validator(get_builtin_schema("vendor.compose-spec")).iter_errors(compose)) == []
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            assert (FOLDER / volume.split(":")[0]).is_file()
    jaeger = " ".join(compose["services"]["jaeger"]["command"])
    assert collector["exporters"]["otlp/jaeger"]["endpoint"] in jaeger


@pytest.fixture(scope="module")
def receiver() -> ModuleType:
    return load_script(FOLDER / "print_spans.py")


@pytest.fixture
def collector(receiver: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An OTLP receiver, and OpenTelemetry's variables that name it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), receiver.Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    yield
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("accelerated", [True, False], ids=["accelerated", "plain"])
@pytest.mark.usefixtures("collector")
def test_spans_of_gate_and_purchase_arrive_with_ids_and_without_shoppers_data(
    start: Callable[..., Any], a_scan: Any, a_cart: Any, capsys: pytest.CaptureFixture[str], *, accelerated: bool
) -> None:
    connector = start(traces=True, accelerated=accelerated)
    connector.identify(a_scan())
    connector.purchase(a_cart(trip=TRIP))
    connector.purchase(a_cart(trip=TRIP))
    seen, deadline = "", time.monotonic() + 10
    while seen.count("\n") < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
        seen += capsys.readouterr().out

    spans = [json.loads(line) for line in seen.splitlines()]
    assert {span["service"] for span in spans} == {"jwo-connector"}
    assert [(span["name"], span["jwo.decision"]) for span in spans] == [
        ("Verify Identity Keys", "ok"),
        ("Create Purchases", "ok"),
        ("Create Purchases", "replayed"),
    ]
    assert spans[0]["jwo.auth_event_id"] == EVENT
    assert {span["jwo.shopping_trip_id"] for span in spans[1:]} == {TRIP}
    known = {"service", "name", "seconds", "http.response.status_code", "jwo.decision"}
    assert set().union(*spans) == known | {"jwo.auth_event_id", "jwo.shopping_trip_id"}
    for secret in ("dmFsaWRfc2hvcHBlcl9rZXk=", "valid_shopper_key", "shopper-uuid-001", "ada", "SKU-001"):
        assert secret not in seen
