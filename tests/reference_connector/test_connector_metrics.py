"""The metrics that need more than a counter: the age of the outbox, and the catalog client's file."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from jwo_contract.errors import BadSettings
from reference_connector.accelerated.metrics import TurnWatch
from reference_connector.catalog_client.app import create_client
from reference_connector.catalog_client.metrics import CatalogMetrics, MetricsFile
from reference_connector.settings import ConnectorSettings
from reference_connector.store import PaymentBacklog, Purchase, RecordSale
from reference_connector.telemetry import CallWatch, EventLog, Telemetry, system_clock
from reference_connector.tracing import send_spans
from tests.reference_connector.payment_bench import NOW, PaymentBench
from tests.reference_connector.small_platform import SmallPlatform, settings_for, some_rows

FORMS = pytest.mark.parametrize("form", [CallWatch, TurnWatch])


def shown(telemetry: Telemetry) -> dict[str, str]:
    """Return the values of the metrics, by name with labels."""
    lines = generate_latest(telemetry.registry).decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


@FORMS
def test_answer_after_two_seconds_is_late(form: type[CallWatch]) -> None:
    telemetry = Telemetry(EventLog(system_clock))
    watch = telemetry.call("Verify Identity Keys", form)

    async def answered() -> None:
        for seconds in (0.001, 1.999, 2.0, 2.001, 9.0):
            watch._note(seconds, 200, "")  # noqa: SLF001 - the time of an answer cannot be given from outside
        await asyncio.sleep(0)

    asyncio.run(answered())
    found = shown(telemetry)
    assert found['jwo_connector_late_answers_total{call="Verify Identity Keys"}'] == "2.0"
    assert found['jwo_connector_answer_seconds_bucket{call="Verify Identity Keys",le="2.0"}'] == "3.0"


def test_backlog_shows_how_long_payments_wait(bench: PaymentBench) -> None:
    def backlog() -> PaymentBacklog:
        return bench.run(bench.store.transact(lambda records: records.payment_backlog()))

    assert backlog() == PaymentBacklog(0, 0, None, None)
    bought_at = NOW - timedelta(minutes=5)
    purchase = Purchase("trip-1", "p-1", "STORE-001", "ada", "priced", "shopper", b"{}", b"[]", b"", bought_at)
    bench.run(bench.store.insert_sale_if_absent(RecordSale(purchase, None)))
    bench.leave("57.66", "tok_down")
    assert backlog() == PaymentBacklog(1, 0, NOW, bought_at)
    bench.run(bench.outbox.settle_due())
    bench.run(bench.outbox.settle_due())
    waiting = backlog()
    assert waiting.due_at is not None
    assert (waiting[:2], waiting.due_at > NOW, waiting.purchased_at) == ((1, 0), True, bought_at)
    bench.wait_and_work(10, hours=1)
    assert backlog() == PaymentBacklog(0, 1, None, bought_at), "an operator must see how old a stuck payment is"


@pytest.mark.parametrize(
    ("backlog", "ages"),
    [
        (PaymentBacklog(0, 0, None, None), ("0.0", "0.0")),
        (PaymentBacklog(2, 1, NOW - timedelta(seconds=90), NOW - timedelta(hours=1)), ("90.0", "3600.0")),
        (PaymentBacklog(1, 0, NOW + timedelta(seconds=5), NOW), ("0.0", "0.0")),
    ],
    ids=["nothing to do", "late", "due later"],
)
def test_ages_are_seconds_until_now(backlog: PaymentBacklog, ages: tuple[str, str]) -> None:
    telemetry = Telemetry(EventLog(lambda: NOW))
    telemetry.show(backlog, 7)
    found = shown(telemetry)
    names = ("jwo_connector_outbox_overdue_seconds", "jwo_connector_oldest_unpaid_seconds")
    assert tuple(found[name] for name in names) == ages
    assert [found[f"jwo_connector_{name}"] for name in ("outbox_depth", "payments_stuck", "store_waiting")] == [
        f"{float(number)}" for number in (*backlog[:2], 7)
    ]


def test_troubles_of_the_log_are_counted() -> None:
    log = EventLog(system_clock, io.StringIO())
    telemetry = Telemetry(log)
    log.event("provider_failed", id="trip-1", reason="ValueError")
    log.event("identity_answered")
    found = shown(telemetry)
    assert found['jwo_connector_troubles_total{event="provider_failed"}'] == "1.0"
    assert found['jwo_connector_troubles_total{event="outbox_waits"}'] == "0.0"


def test_runs_of_the_catalog_client_count_in_one_file(platform: SmallPlatform, tmp_path: Path) -> None:
    file = tmp_path / "catalog.prom"
    settings = settings_for(platform.url, metrics_file=file, backoff_first_s=0.001, retry_wait_max_s=0.001)
    for _ in range(2):
        platform.answers.append((429, {"message": "later"}, {"Retry-After": "0"}))
        with create_client(settings, log=EventLog(system_clock, io.StringIO())) as client:
            [ingestion] = client.upload(some_rows(1))
            platform.done(ingestion)
            client.wait_for_results([ingestion], 5)
    samples = {
        sample.name + str(sample.labels): sample.value
        for each in MetricsFile(file).collect()
        for sample in each.samples
    }
    assert samples["jwo_catalog_uploads_total{}"] == 2
    assert samples["jwo_catalog_failed_calls_total{'status': '429'}"] == 2
    accepted, rejected = (samples[f"jwo_catalog_rows_total{{'result': '{name}'}}"] for name in ("accepted", "rejected"))
    assert accepted + rejected > 0
    assert samples["jwo_catalog_last_result_timestamp_seconds{}"] == pytest.approx(system_clock().timestamp(), abs=60)


def test_a_folder_that_is_missing_is_an_error_before_the_first_call(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="JWO_CATALOG_METRICS_FILE"):
        CatalogMetrics(tmp_path / "none" / "catalog.prom", EventLog(system_clock)).write()


@pytest.mark.parametrize("content", [None, "", "not { metrics", "\x00"])
def test_scrape_works_without_a_readable_catalog_file(
    start: Callable[..., Any], tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "catalog.prom"
    if content is not None:
        file.write_text(content)
    answer = start(catalog_metrics=file).operator_get("/metrics")
    assert (answer.status_code, "jwo_connector_outbox_depth 0.0" in answer.text) == (200, True)


def test_traces_without_their_extra_name_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(BadSettings, match=r"pip install 'jwo-conformance-kit\[tracing\]'"):
        send_spans()


def test_traces_with_a_wrong_variable_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "99999")
    with pytest.raises(BadSettings, match="OTEL_"):
        send_spans()


def test_traces_are_off_unless_they_are_set() -> None:
    assert not ConnectorSettings.model_fields["traces"].default
