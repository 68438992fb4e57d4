"""The features and the register agree, and nothing in either can hide."""

from __future__ import annotations

import pytest

from conformance.catalogue import coverage, feature_files, scenario_entries
from conformance.mutants.gate import unproven
from jwo_contract.register import register


def test_every_requirement_is_proven_or_says_why_not() -> None:
    unsettled = [row for row in coverage() if not row.is_settled]

    assert unsettled == []


def test_every_scenario_proves_a_requirement_of_the_register() -> None:
    without = [entry for entry in scenario_entries() if not entry.ids or not register().keys() >= set(entry.ids)]

    assert without == []


def test_a_scenarios_level_is_the_one_that_the_register_allows() -> None:
    wrong = [
        (entry.title, entry.level, each)
        for entry in scenario_entries()
        for each in entry.ids
        if entry.level != register()[each].level
    ]

    assert wrong == []


def test_every_feature_file_holds_scenarios() -> None:
    read = {entry.file for entry in scenario_entries()}

    assert {str(path).partition("features/")[2] for path in feature_files()} == read


def test_the_core_tier_has_not_shrunk() -> None:
    core = {each for entry in scenario_entries() for each in entry.ids if register()[each].tier == "core"}

    assert len(core) >= 105


def test_each_id_is_in_one_scenario_only() -> None:
    ids = [each for entry in scenario_entries() for each in entry.ids]

    assert len(ids) == len(set(ids))


def test_every_check_has_a_fault_that_proves_it() -> None:
    assert unproven({each for entry in scenario_entries() for each in entry.ids}) == set()


@pytest.mark.parametrize("case_id", ["VIK-1.1", "CP-1.7", "CP-3.34"])
def test_published_rules_have_a_text_and_a_hint(case_id: str) -> None:
    row = register()[case_id]

    assert row.text.endswith(".")
    assert row.usually
