"""`make mutants` tries every registered fault, and its parts work. `.ci/run` runs the whole `make mutants`."""

from __future__ import annotations

import re
import sys
from functools import partial
from pathlib import Path

import pytest

from conformance.mutants import __main__ as gate_command
from conformance.mutants import gallery, proof
from conformance.mutants.gallery import CLIENTS, CONFORMANT, GALLERY, connector_with
from conformance.mutants.gate import PROGRAMS, Outcome, certify_client
from conformance.mutants.registry import CLIENT_FAULTS, CONNECTOR_FAULTS, Fault
from conformance.retailer_clients.addresses import Addresses
from conformance.retailer_clients.feed_day import FeedDay
from conformance.verdicts import CaseResult, Verdict

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "conformance" / "mutants"
PAGE = (ROOT / "docs" / "adding_a_requirement.md").read_text("utf-8")
SOME = ("forgets_the_trip_id", "accepts_a_missing_store", "refuses_contact", "answers_202:cart")


def test_make_mutants_tries_every_registered_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[Fault, ...]] = []

    def prove(*faults: tuple[Fault, ...]) -> proof.Proof:
        tried.extend(faults)
        return proof.Proof((), (), ())

    monkeypatch.setattr(gate_command, "prove", prove)
    monkeypatch.setattr(sys, "argv", ["conformance.mutants"])

    assert gate_command.main() == 0
    assert tried == [CONNECTOR_FAULTS.faults, CLIENTS]
    assert "\nmake mutants\n" in (ROOT / ".ci" / "run").read_text("utf-8")
    assert "-m conformance.mutants\n" in (ROOT / "Makefile").read_text("utf-8")


def test_the_gallery_imports_every_module_of_faults() -> None:
    imported = {module.__name__.rpartition(".")[2] for module in gallery.MODULES}

    assert imported == {path.stem for path in FOLDER.glob("*_faults.py")}


def test_the_gallery_keeps_its_size() -> None:
    assert len(GALLERY) >= 289
    assert len(CLIENTS) >= 124


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_some_faults_are_found_in_worker_processes() -> None:
    clients = (CLIENT_FAULTS.named("signs_nothing"),)
    faults = tuple(CONNECTOR_FAULTS.named(name) for name in SOME)

    def correct(addresses: Addresses, day: FeedDay) -> dict[str, proof.Run[proof.Results]]:
        only = partial(certify_client, "", addresses, ("CAT-X.1",), day=day)
        return {"the correct client": only}

    found = proof.prove(faults, clients, correct)

    assert [outcome.fault for outcome in found.outcomes] == [*faults, *clients]
    assert found.holds, found


def test_the_proof_runs_every_correct_program() -> None:
    runs = proof.correct_runs(Addresses("http://platform", "http://aws"))

    assert len(runs) == 2 + len(PROGRAMS) + len(CONFORMANT)
    assert {fault.name for fault in CONFORMANT} < set(runs)


def test_a_finding_on_a_correct_program_is_an_alarm() -> None:
    results = {"the correct connector": {"CP-2": CaseResult("CP-2", Verdict.WARN), "CP-1.1": CaseResult("CP-1.1")}}
    results["the correct connector"]["CP-1.1"].verdict = Verdict.PASS

    assert proof.alarms(results) == ("CP-2 on the correct connector",)


def test_the_odd_connectors_can_be_served() -> None:
    assert {fault.name for fault in CONFORMANT} == {
        *("answers_after_1900_ms:scan", "answers_after_1900_ms:cart"),
        *("answers_after_1700_ms:scan", "answers_after_1700_ms:cart"),
        *("checks_headers", "checks_signatures"),
    }
    assert {type(connector_with(fault.name)).__name__ for fault in CONFORMANT} == {fault.name for fault in CONFORMANT}


def test_the_page_on_adding_a_requirement_names_every_module_of_faults() -> None:
    named = set(re.findall(r"`(\w+_faults)\.py`", PAGE))

    assert named == {path.stem for path in FOLDER.glob("*_faults.py")}


def test_the_pages_example_of_a_fault_is_in_the_tree() -> None:
    examples = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
    sources = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.py"))

    assert examples
    assert all(example in sources for example in examples)


def test_an_outcome_names_its_fault() -> None:
    fault = GALLERY[0]

    assert Outcome(fault, dict.fromkeys(fault.found_by, Verdict.FAIL)).killed
