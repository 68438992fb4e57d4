"""A run that passes, its reports, and later runs with these reports as the baseline."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from conformance.mutants.serving import served
from conformance.mutants.small_connector import SmallConnector
from load.errors import GeneratorBroke
from load.run import LoadReport, Progress, run_load
from load.settings import LoadOptions
from tests.load.short_runs import WIDE_MS, run, word


class First(NamedTuple):
    """A run against a correct connector, which still runs; its reports are in the folder."""

    url: str
    folder: Path
    report: LoadReport
    progress: list[Progress]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[First]:
    folder, progress = tmp_path_factory.mktemp("first"), list[Progress]()
    with served(SmallConnector()) as url:
        options = LoadOptions(connector=url, rate=60, duration_s=1.5, lag_bound_ms=WIDE_MS, out=str(folder))
        yield First(url, folder, run_load(options, progress.append), progress)


@pytest.fixture
def baseline(first: First, tmp_path: Path) -> Path:
    """A copy of the first run's load.json, in a folder for the reports of another run."""
    return Path(shutil.copytree(first.folder, tmp_path / "out")) / "load.json"


def test_correct_connector_passes_and_reports_are_written(first: First) -> None:
    assert word(first.report) == "pass", first.report.document["verdict"]
    assert first.report.exit_code == 0
    assert first.progress[-1].started > 0
    assert json.loads((first.folder / "load.json").read_text())["verdict"]["word"] == "pass"
    assert "<svg" in (first.folder / "load.html").read_text()
    assert ET.fromstring((first.folder / "junit.xml").read_bytes()).get("failures") == "0"  # noqa: S314 - our own file


def test_baseline_may_be_in_the_folder_of_the_reports(first: First, baseline: Path) -> None:
    second = run(first.url, "gate_rush", out=str(baseline.parent), baseline=str(baseline))

    compared = second.document["baseline"]
    assert (compared["file"], compared["verdict"]) == (str(baseline), word(first.report))
    assert compared["latency_ms"]["p99"]["then"] == first.report.document["latency_ms"]["all"]["p99"]


def test_invalid_scenario_is_no_finding_and_keeps_the_baseline(first: First, baseline: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("this is not Python\n")
    before = baseline.read_bytes()

    with pytest.raises(GeneratorBroke, match="without results"):
        run(first.url, str(broken), out=str(baseline.parent), baseline=str(baseline))

    assert baseline.read_bytes() == before
