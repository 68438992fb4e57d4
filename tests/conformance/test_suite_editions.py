"""Editions of the documentation side by side: a newer one leaves the verdict and the certificate of an older one alone.

The newer edition is made up: copies of the register and of the features have it, and are loaded as in production.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conformance import attestation, catalogue
from conformance.digest import revision
from conformance.expected import Expectations, Expected
from conformance.mutants.gate import profile_of
from conformance.mutants.http_app import Reply, Request
from conformance.mutants.small_connector import SmallConnector
from conformance.report.headline import remarks
from conformance.report.model import Report
from conformance.run.configuration import RunConfiguration, Selection
from conformance.run.session import run
from conformance.summary import summarise
from conformance.verdicts import Verdict
from jwo.case_ids import check_ids
from jwo.certify import Options, publish
from jwo.compare import compare
from jwo.errors import Usage, exit_code
from jwo.listing import editions_of
from jwo.option_values import read_edition, replay_commands
from jwo.pytest_process import cases
from jwo.verify import verify
from jwo_contract import profile as profiles
from jwo_contract import register as register_module
from jwo_contract.errors import BadProfile, UnknownEdition
from jwo_contract.register import contents, editions, newest_edition, register, rules

OLD, NEW = "2026-02", "2027-01"
KEPT, WITHDRAWN, STRICTER, ADDED = "VIK-1.1", "VIK-1.2", "VIK-X.37", "VIK-X.901"
ONLY = (KEPT, WITHDRAWN, STRICTER, ADDED)
NEW_ROW = f"""
[[requirement]]
id = "{ADDED}"
title = "An answer to an associate says that it is JSON"
api = "Verify Identity Keys"
tier = "core"
kind = "own"
side = "connector"
provenance = "published"
page = "verify_identity_keys"
since = "{NEW}"
text = "An answer to an associate says that it is JSON."
"""
NEW_SCENARIO = f"""
Feature: a rule of the newer edition
  @{ADDED} @must
  Scenario: An answer to an associate says that it is JSON
    Given a scan of the declared associate key
    When it is sent
    Then the answer says that it is JSON
"""
INFERRED = 'provenance = "inferred"\ninferred_from = "VIK-1.1"\n'
PUBLISHED = (
    f'provenance = "published"\nearlier = [{{ until = "{OLD}", provenance = "inferred", inferred_from = "VIK-1.1" }}]\n'
)


class SaysText(SmallConnector):
    """Labels each answer as text: the old edition warns, the newer one requires JSON."""

    async def answer(self, request: Request) -> Reply:
        reply = await super().answer(request)
        return dataclasses.replace(reply, headers=[(b"content-type", b"text/plain")])


@pytest.fixture
def add_edition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Return the function that adds the newer edition, until the test ends."""

    def add() -> None:
        requirements, features = tmp_path / "requirements", tmp_path / "features"
        shutil.copytree(str(register_module.FOLDER), requirements)
        shutil.copytree(catalogue.FEATURES, features)
        (requirements / "editions.toml").write_text(f'editions = ["{OLD}", "{NEW}"]', "utf-8")
        rows = requirements / "verify_identity_keys.toml"
        text = rows.read_text("utf-8").replace(f'id = "{WITHDRAWN}"\n', f'id = "{WITHDRAWN}"\nuntil = "{OLD}"\n')
        before, mark, after = text.partition(f'id = "{STRICTER}"\n')
        rows.write_text(before + mark + after.replace(INFERRED, PUBLISHED, 1) + NEW_ROW, "utf-8")
        (features / "newer.feature").write_text(NEW_SCENARIO, "utf-8")
        monkeypatch.setattr(register_module, "FOLDER", requirements)
        monkeypatch.setattr(catalogue, "FEATURES", features)
        forget()

    yield add
    monkeypatch.undo()
    forget()


def forget() -> None:
    """Load the register and the features again at their next use."""
    contents.cache_clear()
    catalogue.scenario_entries.cache_clear()
    revision.cache_clear()
    sys.modules.pop("conformance.scenarios", None)


def judged(url: str, edition: str = "") -> Report:
    configuration = RunConfiguration(profile_of(url), Selection(only=ONLY, edition=edition))
    return summarise(run(configuration), started_at=datetime(2026, 11, 27, tzinfo=UTC), duration_s=1, strict=False)


def predicate(report: Report) -> Any:
    return attestation.statement(report, dict.fromkeys(attestation.SUBJECTS, b""))["predicate"]


def test_newer_edition_leaves_the_certificate_of_an_older_one_alone(
    serve: Callable[[Any], str], add_edition: Callable[[], None], tmp_path: Path
) -> None:
    url = serve(SaysText())
    before = judged(url)
    certificate = publish(before, Options(out=tmp_path / "old"))["certificate"]

    add_edition()
    after, newer = judged(url, OLD), judged(url)

    assert before.verdict is after.verdict is Verdict.PASS
    assert before.suite == after.suite
    assert before.completeness == after.completeness
    assert predicate(before) == predicate(after)
    assert [(case.id, case.verdict, case.level, case.rule) for case in before.cases] == [
        (case.id, case.verdict, case.level, case.rule) for case in after.cases
    ]
    assert {case.id: case.verdict for case in after.cases} == {
        KEPT: Verdict.PASS,
        WITHDRAWN: Verdict.PASS,
        STRICTER: Verdict.WARN,
    }

    note = f"Judged by the edition {OLD} of the documentation; the newest is {NEW}."
    assert [note in remarks(report) for report in (after, newer)] == [True, False]
    assert newer.verdict is Verdict.FAIL
    assert newer.suite.doc_set == NEW
    assert newer.suite.revision != before.suite.revision
    assert {case.id: case.verdict for case in newer.cases} == {
        KEPT: Verdict.PASS,
        STRICTER: Verdict.FAIL,
        ADDED: Verdict.FAIL,
    }

    verification = verify(certificate)
    assert verification.faults == []
    assert f"judged by the edition {OLD} of the documentation, with the same rules as" in "; ".join(verification.notes)
    assert f"the newest edition is {NEW}; it does not change this verdict" in verification.notes


def test_each_edition_has_its_own_cases(add_edition: Callable[[], None], tmp_path: Path) -> None:
    add_edition()

    assert editions() == (OLD, NEW)
    assert newest_edition() == NEW
    assert (WITHDRAWN in rules(OLD), WITHDRAWN in rules(), WITHDRAWN in register()) == (True, False, True)
    assert (rules(OLD)[STRICTER].level, rules(NEW)[STRICTER].level) == ("should", "must")
    assert [editions_of(register()[each]) for each in (KEPT, WITHDRAWN, STRICTER, ADDED)] == [
        "",
        f"until {OLD}",
        f"up to {OLD} should (inferred)",
        f"since {NEW}",
    ]
    profile = tmp_path / "jwo.toml"
    profile.write_text(f'[connector]\nurl = "http://127.0.0.1:9"\n[suite]\nedition = "{OLD}"\n', "utf-8")
    named = {edition: dict(cases("core", str(profile), edition)) for edition in ("", NEW)}
    assert (ADDED in named[""], ADDED in named[NEW]) == (False, True)
    assert read_edition(None, profiles.load(profile)) == OLD
    assert read_edition(NEW, profiles.load(profile)) == NEW
    known = Expectations("known.toml", (Expected(id=ADDED, reason="not yet"),))
    assert known.stale({}, Selection(edition=OLD)) == []
    assert [each.id for each in known.stale({}, Selection())] == [ADDED]
    for case_id, edition, span in ((ADDED, OLD, f"since {NEW}"), (WITHDRAWN, NEW, f"until {OLD}")):
        with pytest.raises(Usage, match=f"the edition {edition} has no case {case_id} .{span} only.; choose"):
            check_ids([case_id], edition)


def test_certificates_of_different_editions_are_compared_with_a_note() -> None:
    reports = [
        {"suite": {"revision": "a", "docSet": edition}, "connector": {"url": ""}, "cases": [], "verdict": "pass"}
        for edition in (OLD, NEW)
    ]

    assert f"the two runs follow different editions of the documentation: {OLD} and {NEW}" in compare(*reports).remarks


def test_unknown_edition_is_a_usage_error_that_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownEdition, match=f"no edition 2025-99 .*; it knows {OLD}") as caught:
        read_edition("2025-99")
    assert exit_code(caught.value) == 2
    with pytest.raises(Usage, match="--edition is empty"):
        read_edition(" ")

    profile = tmp_path / "jwo.toml"
    profile.write_text('[connector]\nurl = "http://127.0.0.1:9"\n[suite]\nedition = "2025-99"\n', "utf-8")
    with pytest.raises(BadProfile, match=f"suite.edition: .*it knows {OLD}; name one of these"):
        profiles.load(profile)


def test_replay_command_names_the_edition_of_the_option() -> None:
    assert replay_commands("http://127.0.0.1:9", None, Path("out"), OLD).case.endswith(f"--edition {OLD}")
