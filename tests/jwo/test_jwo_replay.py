"""`jwo replay`: one case with its requests and answers, or one story."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conformance.drivers.exchange import Answer, Exchange
from conformance.mutants.catalog_client_faults import __file__ as uploader
from conformance.verdicts import CaseResult, Verdict
from jwo.replay import guilty_index
from jwo_contract.operations import VERIFY_IDENTITY_KEYS
from tests.jwo.conftest import Jwo

Mutant = Callable[[str], str]
WriteProfile = Callable[[str], Path]


@pytest.mark.slow
def test_catalog_client_case_replays_without_a_connector(jwo: Jwo, profile: WriteProfile) -> None:
    path = profile("http://127.0.0.1:9")
    command = f"{sys.executable} {uploader} {{fault}} {{csv}}"
    table = f"\n[catalog_client]\ncommand = {json.dumps(command)}\n"
    faulty = table.replace("{fault}", "takes_429_for_final")
    template = path.read_text("utf-8")

    path.write_text(template + faulty, encoding="utf-8")
    found = jwo("replay", "CAT-X.6")
    path.write_text(template + table.replace("{fault}", "''"), encoding="utf-8")
    fine = jwo("certify", "--profile", "jwo.toml", "--only", "CAT-X.6", "--only", "CAT-X.7")

    assert found.returncode == 1, found.stdout + found.stderr
    assert "< 429 after" in found.stdout
    assert "expected  Upload Catalog again after 429" in found.stdout
    assert fine.returncode == 0, fine.stdout + fine.stderr
    assert "2 cases: 2 pass" in fine.stdout


def test_replay_prints_exchanges_and_verdict(jwo: Jwo, mutant: Mutant, profile: WriteProfile) -> None:
    profile(mutant("accepts_a_missing_store"))

    done = jwo("replay", "VIK-3.6")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "> POST http://127.0.0.1:" in done.stdout
    assert "< 200 after" in done.stdout
    assert "FAIL" in done.stdout
    assert "dmFsaWRfc2hvcHBlcl9rZXk=" not in done.stdout
    assert "export IDENTITY_KEY=...   # [keys] shopper of the profile" in done.stdout
    assert '"identityKey":"\'"$IDENTITY_KEY"\'"' in done.stdout.replace(" ", "")


@pytest.mark.slow
def test_exchange_of_the_finding_comes_first_and_the_others_in_a_line(
    jwo: Jwo, mutant: Mutant, profile: WriteProfile
) -> None:
    profile(mutant("forgets_on_an_empty_cart"))

    short = jwo("replay", "CP-X.46")
    full = jwo("replay", "CP-X.46", "--all")

    assert short.stdout.count(">>> the exchange of the finding") == 1
    assert short.stdout.count("> POST") == 1
    assert short.stdout.index(">>>") < short.stdout.index("The other exchanges")
    assert len(short.stdout.splitlines()) <= 60
    assert full.stdout.count("> POST") > 1
    assert full.stdout.count(">>> the exchange of the finding") == 1


def test_named_exchange_is_the_guilty_one() -> None:
    at = datetime(2026, 2, 5, tzinfo=UTC)
    exchanges = [
        Exchange(
            VERIFY_IDENTITY_KEYS, "POST", "http://127.0.0.1:1", {}, b"{}", at, 0.1, Answer(200, {}, b""), label=each
        )
        for each in ("first", "second (odd)", "third")
    ]
    result = CaseResult("VIK-3.6", Verdict.FAIL, got="second: 200", exchanges=exchanges)

    assert guilty_index(result) == 1
    assert guilty_index(replace(result, got="404")) == 2
    assert guilty_index(replace(result, verdict=Verdict.PASS)) is None


def test_unmasked_output_needs_a_terminal(jwo: Jwo, profile: WriteProfile) -> None:
    profile("http://127.0.0.1:9")

    done = jwo("replay", "VIK-3.6", "--unmasked")

    assert done.returncode == 2, done.stdout + done.stderr
    assert "standard output must be a terminal" in done.stderr


@pytest.mark.slow
def test_failing_story_is_written_and_replays(jwo: Jwo, mutant: Mutant, profile: WriteProfile, tmp_path: Path) -> None:
    profile(mutant("forgets_on_an_empty_cart"))

    found = jwo("certify", "--profile", "jwo.toml", "--only", "CP-X.46")
    again = jwo("replay", "--all", "--story", "jwo-report/CP-X.46.story")

    assert found.returncode == 0, found.stdout + found.stderr
    assert "jwo replay --story jwo-report/CP-X.46.story --profile jwo.toml" in found.stdout
    acts = (tmp_path / "jwo-report" / "CP-X.46.story").read_text("utf-8").splitlines()[1:]
    assert "buy nothing" in acts
    assert again.returncode == 1, again.stdout + again.stderr
    assert again.stdout.count("> POST") == len(acts)
    assert "WARN" in again.stdout


@pytest.mark.slow
def test_old_story_is_deleted_if_no_story_fails(
    jwo: Jwo, mutant: Mutant, profile: WriteProfile, tmp_path: Path
) -> None:
    profile(mutant(""))
    (tmp_path / "jwo-report").mkdir()
    (tmp_path / "jwo-report" / "CP-X.46.story").write_text("buy nothing\n", encoding="utf-8")

    jwo("certify", "--profile", "jwo.toml", "--only", "CP-X.46")

    assert (tmp_path / "jwo-report" / "report.json").is_file()
    assert not (tmp_path / "jwo-report" / "CP-X.46.story").exists()


def test_unplayable_story_is_a_usage_error(jwo: Jwo, profile: WriteProfile, tmp_path: Path) -> None:
    profile("http://127.0.0.1:9")
    (tmp_path / "odd.story").write_text("buy one line\nsell it\n", encoding="utf-8")

    odd = jwo("replay", "--story", "odd.story")
    missing = jwo("replay", "--story", "nowhere.story")
    nothing = jwo("replay")

    assert (odd.returncode, missing.returncode, nothing.returncode) == (2, 2, 2)
    assert "line 2 of the story is not an act: 'sell it'" in odd.stderr
    assert "nowhere.story" in missing.stderr
    assert "--story FILE" in nothing.stderr
