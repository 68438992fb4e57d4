"""The page about metrics and traces works as it is written: its servers start, and show what it shows."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from docs.generator.pages import DOCS
from tests.docs.page_steps import assert_shown, blocks, run

ROOT = DOCS.parent
PORTS = ("8080", "9464", "4318")


def test_metrics_and_spans_are_as_the_page_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = dict(zip(PORTS, _free_ports(), strict=True))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free['4318']}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    shown, output = 0, ""
    try:
        for block in blocks(DOCS / "how_to" / "observe.md", "json", "sh", "text"):
            if block.language == "json":
                (tmp_path / block.title).write_text(block.text, "utf-8")
            elif block.language == "text":
                assert_shown(block, output, free)
                shown += 1
            elif not block.note.startswith("not run"):
                output = run(block, tmp_path, free)
    finally:
        for name in ("connector.pid", "spans.pid"):
            with suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int((tmp_path / name).read_text()), signal.SIGKILL)
    assert shown == 4


def _free_ports() -> list[str]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    ports = [str(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
