"""The check of the gallery can fail, in each way in which a proof can break."""

from __future__ import annotations

import pytest

from conformance.mutants import __main__ as gate_command
from conformance.mutants.gate import Outcome, run_fault, unproven
from conformance.mutants.proof import Proof
from conformance.mutants.registry import BadFault, Fault, Registry
from conformance.mutants.small_connector import BreaksOneCall, SmallConnector
from conformance.verdicts import Verdict

FOUND = Outcome(Fault("forgets_the_trip_id", ("CP-2",)), {"CP-2": Verdict.FAIL})


def test_a_fault_is_killed_by_the_ids_that_it_declares() -> None:
    assert run_fault(Fault("forgets_the_trip_id", ("CP-2", "CP-X.1"))).killed


@pytest.mark.parametrize(
    ("fault", "found_by"),
    [
        ("", ("CP-2",)),
        ("forgets_the_trip_id", ("CP-1.1",)),
        ("forgets_the_trip_id", ("CP-2", "CP-1.1")),
        ("forgets_the_trip_id", ()),
    ],
    ids=["it survives", "another id finds it", "one of its ids does not find it", "it declares no id"],
)
def test_a_fault_is_not_killed_when(fault: str, found_by: tuple[str, ...]) -> None:
    outcome = run_fault(Fault(fault, found_by)) if found_by else Outcome(Fault(fault, ()), {})

    assert not outcome.killed
    assert not Proof((FOUND, outcome), (), ()).holds


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.ERROR])
def test_only_a_finding_kills(verdict: Verdict) -> None:
    assert not Outcome(FOUND.fault, {"CP-2": verdict}).killed


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_a_withheld_verdict_is_tried_again(verdict: Verdict) -> None:
    outcome = Outcome(Fault("any", ("VIK-2",)), {"VIK-2": verdict})
    assert outcome.is_withheld == (verdict is Verdict.NOT_APPLICABLE)


def test_a_proof_holds_if_only_the_faults_are_found() -> None:
    assert Proof((FOUND,), (), ()).holds
    assert not Proof((FOUND,), ("CP-9.99",), ()).holds
    assert not Proof((FOUND,), (), ("CP-1.1",)).holds


def test_a_check_that_no_fault_declares_is_named() -> None:
    assert unproven({"CP-2", "CP-9.99"}) == {"CP-9.99"}


def test_the_table_names_a_survivor(capsys: pytest.CaptureFixture[str]) -> None:
    survivor = Outcome(Fault("is_right_after_all", ("CP-2",)), {"CP-2": Verdict.PASS})

    gate_command.show(Proof((FOUND, survivor), ("CP-9.99",), ()), gate_command.Console(width=200), 1.0)

    printed = capsys.readouterr().out
    assert "is_right_after_all" in printed
    assert "SURVIVES" in printed
    assert "1 of 2 faults found" in printed
    assert "faults that survive: is_right_after_all" in printed
    assert "no fault proves: CP-9.99" in printed


class sells_nothing(BreaksOneCall):  # noqa: N801 - a fault's class is named as the fault is
    """A class to register."""


def test_a_registered_fault_has_its_class_and_its_ids() -> None:
    registry = Registry(SmallConnector)
    registry.fault("CP-2", slow=True, rate_limit_per_second=5)(sells_nothing)
    registry.fault_of_each_call(scan=("VIK-6",), cart=("CP-2", "CP-X.1"))(sells_nothing)

    assert registry.faults == (
        Fault("sells_nothing", ("CP-2",), slow=True, rate_limit_per_second=5),
        Fault("sells_nothing:scan", ("VIK-6",)),
        Fault("sells_nothing:cart", ("CP-2", "CP-X.1")),
    )
    assert registry.class_of("sells_nothing") is sells_nothing
    cart = registry.class_of("sells_nothing:cart")
    assert issubclass(cart, sells_nothing)
    assert cart.broken_call == "cart"
    assert registry.class_of("") is SmallConnector


@pytest.mark.parametrize("found_by", [("CP-2", "CP-99"), ()], ids=["an unknown id", "no id"])
def test_a_fault_needs_ids_of_the_register(found_by: tuple[str, ...]) -> None:
    with pytest.raises(BadFault, match="sells_nothing must name ids"):
        Registry(SmallConnector).fault(*found_by)(sells_nothing)


def test_a_repeated_name_is_refused() -> None:
    registry = Registry(SmallConnector)
    registry.fault("CP-2")(sells_nothing)

    with pytest.raises(BadFault, match="registered twice"):
        registry.fault("CP-X.1")(sells_nothing)


def test_an_unknown_fault_is_refused_with_similar_names() -> None:
    registry = Registry(SmallConnector)
    registry.fault("CP-2")(sells_nothing)

    with pytest.raises(BadFault, match="no fault sell_nothing; there are sells_nothing"):
        registry.class_of("sell_nothing")
