"""A fuzzer that uses the connector's own OpenAPI document gets no 5xx, and no answer that is not in the document.

Two of its checks are left out, since the contract asks for what they object to: a store that nobody knows is 400 though
its id is well-formed, and a member that is null counts as absent.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_ASKED_FOR = "positive_data_acceptance,negative_data_rejection"


@pytest.fixture
def storage(tmp_path: Path) -> dict[str, Any]:
    """One database is enough here."""
    return {"store": {"path": tmp_path / "connector.sqlite3"}}


@pytest.mark.slow
def test_fuzzer_finds_no_answer_outside_the_contract(start: Callable[..., Any], tmp_path: Path) -> None:
    fuzzer = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    assert fuzzer, "schemathesis is one of the dev dependencies"
    document = f"{start(watch_files_s=0).url}/openapi.json"
    limits = ["--max-examples", "12", "--phases", "examples,coverage,fuzzing", "--include-path-regex", "^/v1/"]
    found = subprocess.run(
        [fuzzer, "run", document, *limits, "--exclude-checks", _ASKED_FOR, "--no-color", "--seed", "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        cwd=tmp_path,
        env=os.environ,
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-1000:]
    assert "Tested: 5" in found.stdout
