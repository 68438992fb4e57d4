"""The demonstration: a gate that does the wrong thing fails it, and a command restarts its connector."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

from jwo.demo import gate_table
from jwo.demo.neighbourhood import STORE_DEFAULTS, Neighbourhood
from jwo.demo.restarting import restartable
from jwo.demo.stages import Stage
from jwo.errors import Broken
from jwo.price_list import write_price_list

DEFAULT_OF = {f"/gates/{store}-gate/scans": default for default, store in STORE_DEFAULTS.items()}


class Here:
    """A neighbourhood without processes."""

    platform_url = "http://platform"
    connector_url, limited_url = "http://connector", "http://limited"
    malformed_url, refusing_url = "http://malformed", "http://refusing"

    def __init__(self, folder: Path) -> None:
        self.database = folder / "connector.sqlite3"
        retailer = type("Store", (), {"retailer": "corner-retail"})
        self.world = type("World", (), {"stores": [retailer]})


def _table(folder: Path, monkeypatch: pytest.MonkeyPatch, wrong: tuple[str, str] | None) -> Stage:
    """Return the stage after a table whose gates do right, but for the one answer and the default in `wrong`."""
    causes = iter([row.cause for row in gate_table._ROWS for _ in STORE_DEFAULTS])  # noqa: SLF001 - the rows in order

    def call(method: str, url: str, _body: Any = None) -> Any:
        if method == "PUT":
            return {}
        cause, default = next(causes), DEFAULT_OF[url.removeprefix("http://platform")]
        opens = cause == "200" or (not cause.startswith(("2", "4")) and default == "open")
        action = "open" if cause == "200" else "stay_closed" if cause.startswith("4") else "store_default"
        return {"cause": cause, "opens": opens is not ((cause, default) == wrong), "action": action, "elapsedMs": 1}

    monkeypatch.setattr(gate_table, "call", call)
    stage = Stage("Shoppers")
    gate_table.show_gate_table(cast("Neighbourhood", Here(folder)), stage)
    return stage


def test_gate_table_shows_each_answer_with_both_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = _table(tmp_path, monkeypatch, None)

    assert stage.problems == []
    assert len(stage.details) == 1 + 8 * len(STORE_DEFAULTS)


@pytest.mark.parametrize("cause", ["200", "400", "401", "429", "500", "timed_out", "no_connection", "malformed_answer"])
@pytest.mark.parametrize("default", ["open", "closed"])
def test_gate_that_does_the_wrong_thing_fails_the_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: str, default: str
) -> None:
    (problem,) = _table(tmp_path, monkeypatch, (cause, default)).problems

    assert f"store default decision {default}: expected {cause} and opens" in problem


def test_command_restarts_once_and_fails_with_the_reason() -> None:
    restarts = []

    def restart() -> None:
        restarts.append(1)
        if len(restarts) > 1:
            raise Broken("the connector did not start")

    with restartable(restart) as command:
        fine, broken = (
            subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=20, check=False)
            for _ in range(2)
        )

    assert (fine.returncode, fine.stderr) == (0, "")
    assert (broken.returncode, broken.stderr.strip()) == (1, "the connector did not start")
    assert len(restarts) == 2


def test_other_store_sells_the_same_goods(tmp_path: Path) -> None:
    products = tmp_path / "products.csv"
    products.write_text("item_sku,external_product_id,store_id\nA,1,S-1\nB,1,S-1\n", "utf-8")

    assert write_price_list(products, tmp_path, ["S-2"]).read_text("utf-8").splitlines()[1:] == ["A,1,S-1", "A,1,S-2"]
