"""Every check is proven: each fault of the gallery is found by the ids that must find it, and nothing else alarms."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.timeout(280)
def test_every_fault_is_found_and_the_correct_connector_passes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "conformance.mutants"], capture_output=True, text=True, timeout=270, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "SURVIVES" not in done.stdout
