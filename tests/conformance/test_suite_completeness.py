"""How much of its tiers a run judged, and what the profile says that the retailer does not offer."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.catalogue import scenario_entries
from conformance.completeness import completeness, not_offered
from conformance.run.configuration import Selection
from conformance.verdicts import CaseResult, Verdict
from jwo_contract.errors import BadProfile
from jwo_contract.not_offered import ENTRIES, OFFERS
from jwo_contract.profile import Profile, load
from jwo_contract.register import register

BASE = '[connector]\nurl = "http://127.0.0.1:9"\n'


def profile_with(tmp_path: Path, text: str) -> Profile:
    path = tmp_path / "jwo.toml"
    path.write_text(BASE + text, encoding="utf-8")
    return load(path)


def all_passed() -> dict[str, CaseResult]:
    proven = {each for entry in scenario_entries() for each in entry.ids}
    return {each: CaseResult(each, Verdict.PASS) for each in proven if register()[each].tier == "core"}


def test_run_of_every_must_is_complete(tmp_path: Path) -> None:
    part = completeness(all_passed(), Selection(), profile_with(tmp_path, ""))

    assert part.complete
    assert part.judged == part.total > 100


@pytest.mark.parametrize("verdict", [Verdict.NOT_APPLICABLE, Verdict.BLOCKED, Verdict.ERROR])
def test_rule_without_a_judgement_is_missing_with_its_reason(tmp_path: Path, verdict: Verdict) -> None:
    results = all_passed() | {"VIK-4": CaseResult("VIK-4", verdict, reason="the reason")}
    part = completeness(results, Selection(), profile_with(tmp_path, ""))

    assert not part.complete
    assert [(rule.id, rule.reason) for rule in part.not_judged] == [("VIK-4", "the reason")]


def test_rules_that_were_not_selected_are_missing(tmp_path: Path) -> None:
    part = completeness({"VIK-6": CaseResult("VIK-6", Verdict.PASS)}, Selection(), profile_with(tmp_path, ""))

    assert (part.judged, part.complete) == (1, False)
    assert all("without --only" in rule.reason for rule in part.not_judged)


def test_house_rules_are_never_missing(tmp_path: Path) -> None:
    results = all_passed()
    del results["CP-X.9"]

    assert completeness(results, Selection(), profile_with(tmp_path, "")).complete


def test_what_is_not_offered_is_not_missing(tmp_path: Path) -> None:
    reason = "[keys] associate is not declared in the profile"
    results = all_passed() | {"VIK-1.2": CaseResult("VIK-1.2", Verdict.NOT_APPLICABLE, reason=reason)}
    profile = profile_with(tmp_path, '[suite]\nnot_offered = ["associate"]\n')

    assert not completeness(results, Selection(), profile_with(tmp_path, "")).complete
    part = completeness(results, Selection(), profile)
    assert (part.complete, part.not_offered) == (True, ("associate",))
    assert not_offered(results["VIK-1.2"], profile) == "associate"


def test_what_is_not_offered_does_not_excuse_a_block(tmp_path: Path) -> None:
    result = CaseResult("VIK-1.2", Verdict.BLOCKED, reason="[keys] associate")

    assert not_offered(result, profile_with(tmp_path, '[suite]\nnot_offered = ["associate"]\n')) == ""


@pytest.mark.parametrize(
    ("name", "declaration"),
    [
        ("associate", '[keys]\nassociate = "YQ=="'),
        ("associate", '[keys]\nurl = "http://127.0.0.1:9/{type}"'),
        ("scancodes", '[catalog]\nscancodes = ["1"]'),
        ("rate_limit", "[limits]\nrate_limit_per_second = 5"),
        ("resolve_scan", "[tiers]\nresolve_scan = true"),
    ],
)
def test_declaring_what_is_not_offered_is_an_error(tmp_path: Path, name: str, declaration: str) -> None:
    with pytest.raises(BadProfile, match=f"not_offered lists {name}.*remove one of the two"):
        profile_with(tmp_path, f'{declaration}\n[suite]\nnot_offered = ["{name}"]\n')


def test_misspelt_offer_names_the_one_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(BadProfile, match="did you mean cash_shopper"):
        profile_with(tmp_path, '[suite]\nnot_offered = ["cash_shoper"]\n')


@pytest.mark.parametrize("name", sorted(set(OFFERS) - {"catalog_queue"}))
def test_each_offer_names_an_entry_of_the_profile(name: str) -> None:
    entry = next(entry for offer, entry in ENTRIES.items() if offer == name)
    table = Profile.model_fields[entry.table].annotation

    assert entry.key in getattr(table, "model_fields", {})
