"""Minted keys under load: right answers are no cross-talk, for any number of shoppers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.load.minting_store import MINTED, Store, run


@pytest.mark.parametrize("shoppers", [0, 1, 3])
def test_minted_keys_may_belong_to_any_number_of_shoppers(serve: Any, tmp_path: Path, shoppers: int) -> None:
    report = run(serve(Store(shoppers=shoppers)), tmp_path, MINTED, "steady_store")  # scans and carts

    assert report.document["verdict"]["word"] == "pass", report.document["verdict"]
    assert report.document["generator"]["asked_alone"] > 50
