"""A profile's own rules: the load test expects the declared answers, and respects the declared limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from load.errors import BadOptions
from load.run import run_load
from load.settings import LoadOptions
from tests.foreign.running import FOREIGN, running


def test_connector_with_declared_rules_has_no_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    [odd] = (each for each in FOREIGN if each.name == "odd")
    with running(odd) as environment:
        for name in ("FOREIGN_URL", "FOREIGN_MINT"):
            monkeypatch.setenv(name, environment[name])
        options = LoadOptions(
            profile=str(odd.folder / "jwo.toml"), scenario="duplicate_storm", rate=60, duration_s=1.5, lag_bound_ms=2000
        )
        report = run_load(options, lambda _: None)

    assert report.document["findings"] == {}, report.document["examples"]
    assert report.document["verdict"]["word"] == "pass", report.document["verdict"]


def test_rate_above_the_declared_limit_is_refused(tmp_path: Path) -> None:
    profile = tmp_path / "jwo.toml"
    profile.write_text('[connector]\nurl = "http://127.0.0.1:1"\n[limits]\nrate_limit_per_second = 20\n', "utf-8")

    with pytest.raises(BadOptions, match=r"--rate 21 is above the 20/s that .*; set --rate to 20 or less"):
        run_load(LoadOptions(profile=str(profile), rate=21), lambda _: None)
    with pytest.raises(BadOptions, match="cannot connect to"):
        run_load(LoadOptions(profile=str(profile), rate=20), lambda _: None)
