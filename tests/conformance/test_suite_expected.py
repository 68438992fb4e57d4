"""Expected failures: an entry that applies is not a finding, a stale one fails the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.errors import BadExpectations
from conformance.expected import Expectations, Expected, load
from conformance.run.configuration import Selection
from conformance.verdicts import Verdict

CORE = Selection()


def some(*ids: str) -> Expectations:
    return Expectations("known.toml", tuple(Expected(id=each, reason="not yet") for each in ids))


def test_a_listed_case_that_fails_is_expected() -> None:
    verdicts = {"CP-1.1": Verdict.FAIL, "CP-X.9": Verdict.WARN, "CP-2": Verdict.FAIL}
    expectations = some("CP-1.1", "CP-X.9")

    assert expectations.reasons(verdicts) == {"CP-1.1": "not yet", "CP-X.9": "not yet"}
    assert expectations.stale(verdicts, CORE) == []


@pytest.mark.parametrize(
    ("case_id", "verdicts", "why"),
    [
        ("CP-1.1", {"CP-1.1": Verdict.PASS}, "passes now"),
        ("CP-1.1", {"CP-1.1": Verdict.NOT_APPLICABLE}, "not applicable"),
        ("CP-1.1", {}, "no scenario"),
        ("CP-99.1", {}, "no such case"),
    ],
)
def test_an_entry_that_no_longer_applies_is_stale(case_id: str, verdicts: dict[str, Verdict], why: str) -> None:
    stale = some(case_id).stale(verdicts, CORE)

    assert [entry.id for entry in stale] == [case_id]
    assert why in stale[0].why


@pytest.mark.parametrize("selection", [Selection(only=("CP-2",)), Selection(tiers=("entry",))])
def test_an_entry_of_a_case_that_was_left_out_is_not_stale(selection: Selection) -> None:
    assert some("CP-1.1").stale({"CP-2": Verdict.PASS}, selection) == []


def test_a_harness_error_is_neither_expected_nor_stale() -> None:
    verdicts = {"CP-1.1": Verdict.ERROR}

    assert some("CP-1.1").reasons(verdicts) == {}
    assert some("CP-1.1").stale(verdicts, CORE) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[expected]]\nid = 'CP-2'", "reason"),
        ("[[expected]]\nid = 'CP-2'\nreason = ' '", "reason"),
        ("[[expected]]\nid = 'CP-2'\nreason = 'a'\nuntil = 'b'", "until"),
        ("[[expected]]\nid = 'CP-2'\nreason = 'a'\n[[expected]]\nid = 'CP-2'\nreason = 'a'", "one entry for CP-2"),
        ("[expected", "not valid TOML"),
    ],
)
def test_an_invalid_file_is_refused_with_its_mistake(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(BadExpectations, match=sentence):
        load(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadExpectations, match=r"gone\.toml"):
        load(tmp_path / "gone.toml")
