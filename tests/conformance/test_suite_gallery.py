"""The gate over the faulty connectors works. All of them are run by `make mutants`, which CI calls as well."""

from __future__ import annotations

import subprocess
import sys

import pytest

from conformance.mutants.clients import CLIENTS
from conformance.mutants.gallery import GALLERY


@pytest.mark.alone
@pytest.mark.timeout(280)
def test_each_twentieth_fault_is_found_and_the_correct_connector_passes() -> None:
    command = [sys.executable, "-m", "conformance.mutants", "--every", "20"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=270, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "SURVIVES" not in done.stdout
    met = len(GALLERY[::20]) + len(CLIENTS[::20])
    assert f"{met} of {met} faults found" in done.stdout
