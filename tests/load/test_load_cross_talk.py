"""Cross-talk under load, over real sockets: the load test finds answers to the wrong shopper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.load.minting_store import FIXED, MINTED, Store, run


@pytest.mark.parametrize(
    ("keys", "scenario"), [(MINTED, "gate_rush"), (MINTED, "walk_out_wave"), (FIXED, "walk_out_wave")]
)
def test_swapped_answers_are_found(serve: Any, tmp_path: Path, keys: str, scenario: str) -> None:
    report = run(serve(Store(swaps=True)), tmp_path, keys, scenario)

    assert report.exit_code == 1, report.document["verdict"]
    assert report.document["findings"]["cross-talk"] > 0
