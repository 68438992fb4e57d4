"""The metrics of the catalog client, in a file: a command ends before Prometheus could ask it for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, write_to_textfile
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from jwo_contract.errors import BadSettings
from reference_connector.telemetry import EventLog


class MetricsFile(Collector):
    """Shows the metrics of a file that another process writes. It shows none while there is no readable one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def collect(self) -> Iterator[Metric]:
        """Read the file."""
        try:
            yield from list(text_string_to_metric_families(self._path.read_text("utf-8")))
        except (OSError, ValueError):
            return


class CatalogMetrics:
    """Counts what the client logs, over all runs that write the same file. The clients of a file run one at a time."""

    def __init__(self, path: Path, log: EventLog) -> None:
        self._path = path
        self._log = log
        self._registry = CollectorRegistry()
        self._uploads = Counter("jwo_catalog_uploads", "Uploads that the platform accepted.", registry=self._registry)
        self._rows = Counter("jwo_catalog_rows", "Rows by the platform's report.", ["result"], registry=self._registry)
        self._failed = Counter(
            "jwo_catalog_failed_calls",
            "Calls that failed, by status; 429 is a rate limit, and `none` is no answer.",
            ["status"],
            registry=self._registry,
        )
        self._last = Gauge(
            "jwo_catalog_last_result_timestamp_seconds", "Time of the last report.", registry=self._registry
        )
        for result in ("accepted", "rejected"):
            self._rows.labels(result)
        self._failed.labels("429")
        self._continue()
        log.listen("catalog_uploaded", lambda _: self._uploads.inc())
        log.listen("catalog_call_failed", lambda facts: self._failed.labels(str(facts["status"] or "none")).inc())
        log.listen("catalog_result", self._count_rows)

    def write(self) -> None:
        """Replace the file. Raises BadSettings if it cannot be written."""
        try:
            write_to_textfile(str(self._path), self._registry)
        except OSError as error:
            raise BadSettings(
                f"JWO_CATALOG_METRICS_FILE: {self._path} cannot be written ({error.strerror}); "
                "name a file in a folder that exists and is writable"
            ) from error

    def _continue(self) -> None:
        """Begin with the numbers of earlier runs."""
        counters = {"jwo_catalog_uploads": self._uploads, "jwo_catalog_rows": self._rows}
        counters["jwo_catalog_failed_calls"] = self._failed
        for metric in MetricsFile(self._path).collect():
            for sample in metric.samples:
                if metric.name in counters and sample.name.endswith("_total"):
                    counter = counters[metric.name]
                    (counter.labels(**sample.labels) if sample.labels else counter).inc(sample.value)
                elif sample.name == "jwo_catalog_last_result_timestamp_seconds":
                    self._last.set(sample.value)

    def _count_rows(self, facts: Mapping[str, object]) -> None:
        for result in ("accepted", "rejected"):
            self._rows.labels(result).inc(float(str(facts[result])))
        self._last.set(self._log.clock().timestamp())
