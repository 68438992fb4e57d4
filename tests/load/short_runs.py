"""Short load tests against connectors on real sockets, for tests of whole runs.

The bound of the generator's lag is wide, as other tests share the machine.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jwo_toolkit.launcher import launched
from load.run import LoadReport, run_load
from load.settings import LoadOptions

ROOT = Path(__file__).parents[2]
SERVERS = ROOT / "benchmarks" / "load_servers"
SCENARIOS = ROOT / "benchmarks" / "load_scenarios"
WIDE_MS = 2000.0


def run(url: str, scenario: str, **more: Any) -> LoadReport:
    given = {"rate": 60, "duration_s": 1.2, "lag_bound_ms": WIDE_MS, "read_for_s": 4.0} | more
    return run_load(LoadOptions(connector=url, scenario=scenario, **given), lambda _: None)


def word(report: LoadReport) -> str:
    return str(report.document["verdict"]["word"])


@contextmanager
def server(script: str, *words: str) -> Iterator[str]:
    """Start one of the benchmark's servers and yield its address."""
    command = (sys.executable, str(SERVERS / script), *words)
    with tempfile.TemporaryDirectory() as folder, launched("server", command, Path(folder)) as started:
        yield started.url()
