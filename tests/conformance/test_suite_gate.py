"""The gate over the mutants can fail: in each of the ways in which a proof can break."""

from __future__ import annotations

import pytest

from conformance.mutants import __main__ as gate_command
from conformance.mutants.gallery import GALLERY, Mutant
from conformance.mutants.gate import Outcome, Proof, run_mutant, unproven
from conformance.verdicts import Verdict

FOUND = Outcome(Mutant("forgets_the_trip_id", ("CP-2",)), {"CP-2": Verdict.FAIL})


def test_a_mutant_is_killed_by_the_ids_that_it_declares() -> None:
    assert run_mutant(Mutant("forgets_the_trip_id", ("CP-2", "CP-X.1"))).killed


@pytest.mark.parametrize(
    ("fault", "found_by"),
    [
        ("is_right_after_all", ("CP-2",)),
        ("forgets_the_trip_id", ("CP-1.1",)),
        ("forgets_the_trip_id", ("CP-2", "CP-1.1")),
        ("forgets_the_trip_id", ()),
    ],
    ids=["it survives", "another id finds it", "one of its ids does not find it", "it declares no id"],
)
def test_a_mutant_is_not_killed_when(fault: str, found_by: tuple[str, ...]) -> None:
    outcome = run_mutant(Mutant(fault, found_by)) if found_by else Outcome(Mutant(fault, ()), {})

    assert not outcome.killed
    assert not Proof((FOUND, outcome), (), ()).holds


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.ERROR])
def test_only_a_finding_kills(verdict: Verdict) -> None:
    assert not Outcome(FOUND.mutant, {"CP-2": verdict}).killed


def test_a_proof_holds_when_all_are_found_and_nothing_else_is() -> None:
    assert Proof((FOUND,), (), ()).holds
    assert not Proof((FOUND,), ("CP-X.99",), ()).holds
    assert not Proof((FOUND,), (), ("CP-1.1",)).holds


def test_a_check_that_no_mutant_declares_is_named() -> None:
    assert unproven({"CP-2", "CP-X.99"}) == {"CP-X.99"}


def test_no_mutant_stands_twice() -> None:
    assert len(GALLERY) == len(set(GALLERY))


def test_the_table_names_a_survivor(capsys: pytest.CaptureFixture[str]) -> None:
    survivor = Outcome(Mutant("is_right_after_all", ("CP-2",)), {"CP-2": Verdict.PASS})

    gate_command.show(Proof((FOUND, survivor), ("CP-X.99",), ()), gate_command.Console(width=200), 1.0)

    printed = capsys.readouterr().out
    assert "is_right_after_all" in printed
    assert "SURVIVES" in printed
    assert "1 of 2 faults found" in printed
    assert "no fault proves: CP-X.99" in printed
