from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from jwo_contract import register as register_module
from jwo_contract.errors import BrokenContractFile
from jwo_contract.operations import OPERATIONS
from jwo_contract.register import Requirement, contents, register

ROWS = list(register().values())
JUDGED = [row for row in ROWS if not row.not_tested and not row.proven_by]
SHOWN = [row for row in ROWS if row.id.startswith(("VIK-", "CP-"))]

PUBLISHED_COUNTS = {
    "VIK": 26,
    "CP": 51,
    "UC": 10,
    "PRICE": 13,
    "RS": 3,
    "SA": 16,
    "ADJ": 14,
    "CAP": 19,
    "CAN": 15,
    "REF": 15,
    "CHK": 11,
    "SID": 19,
    "FB": 21,
    "CPV": 3,
    "PLAN": 74,
}


def an_entry(row_id: str = "VIK-1.1", **changes: object) -> dict[str, object]:
    return {
        "id": row_id,
        "title": "A title",
        "api": "Verify Identity Keys",
        "tier": "core",
        "kind": "case",
        "side": "connector",
        "provenance": "published",
        "page": "verify_identity_keys",
        "text": "A text.",
    } | changes


def test_every_published_case_has_its_row() -> None:
    published = [row for row in ROWS if row.kind != "own"]
    assert Counter(row.id.split("-")[0] for row in published) == PUBLISHED_COUNTS
    assert len(published) == 310


def test_numbered_cases_have_no_gap() -> None:
    wanted = [f"VIK-3.{n}" for n in range(1, 18)] + [f"CP-1.{n}" for n in range(1, 16)]
    wanted += [f"CP-3.{n}" for n in range(1, 36)] + [f"VIK-{n}" for n in (2, 4, 5, 6, 7, 8, 9)]
    wanted += [f"{call}-X.{n}" for call in ("VIK", "CP") for n in range(1, 35)]
    assert set(wanted) <= register().keys()


def test_a_row_has_at_most_one_of_proof_and_reason() -> None:
    assert [row.id for row in ROWS if row.not_tested and row.proven_by] == []


def test_only_rows_of_a_connector_wait_for_a_scenario() -> None:
    assert {(row.tier, row.side) for row in JUDGED} == {("core", "connector"), ("entry", "connector")}
    assert not [row.id for row in SHOWN if row.kind == "case" and row not in JUDGED]


def test_proven_by_and_covers_name_rows() -> None:
    for row in ROWS:
        assert set(row.proven_by) | set(row.covers) <= register().keys(), row.id
        assert all(register()[other] in JUDGED for other in row.proven_by), row.id
        assert all(register()[other].kind == "section" for other in row.covers), row.id
        assert row.id not in {*row.proven_by, *row.covers}


def test_rows_named_in_reasons_exist() -> None:
    for row in ROWS:
        for mentioned in re.findall(r"\b(?:VIK|CP|PLAN)-[A-Z0-9.-]*\d", row.not_tested):
            assert mentioned in register(), f"{row.id} mentions {mentioned}"


@pytest.mark.parametrize("row", SHOWN, ids=lambda row: row.id)
def test_row_in_reports_has_a_rule_and_a_usual_cause(row: Requirement) -> None:
    assert row.text.endswith(".")
    assert row.usually.endswith(".")
    assert row.kind != "case" or re.search(r"with (200|201|400)\b", row.text)


def test_every_text_is_one_sentence_without_filler() -> None:
    for row in ROWS:
        assert re.fullmatch(r"[A-Z`].{20,}\.", row.text), row.id
        assert ". " not in row.text, row.id
        assert not row.not_tested or row.not_tested.endswith("."), row.id


def test_similar_rules_have_different_texts() -> None:
    texts = Counter((row.api, row.text) for row in JUDGED)
    assert [text for text, count in texts.items() if count > 1] == []


def test_the_level_follows_the_provenance() -> None:
    assert register()["VIK-1.1"].level == "must"
    assert register()["VIK-3.1"].level == "must"
    assert register()["RS-2"].level == "should"
    assert register()["VIK-X.3"].level == "house"


def test_own_rows_and_core_rows_are_consistent() -> None:
    calls = {operation.name for operation in OPERATIONS}
    for row in ROWS:
        assert (row.kind == "own") == ("-X." in row.id), row.id
        if row.id.startswith(("VIK-", "CP-", "UC-")):
            assert row.api in calls, row.id
        if row.kind != "own":
            assert row.page, row.id
            assert row.provenance != "house", row.id


def use_files(monkeypatch: pytest.MonkeyPatch, folder: Path, **files: str) -> None:
    for name, text in {"editions": 'editions = ["2026-02", "2027-01"]', **files}.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    monkeypatch.setattr(register_module, "FOLDER", folder)
    contents.cache_clear()


def written(**entry: object) -> str:
    return "[[requirement]]\n" + "".join(f'{key} = "{value}"\n' for key, value in entry.items())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (written(**an_entry()) + written(**an_entry()), "never reused"),
        (written(**an_entry(setting="ordering.nothing")), "ordering.nothing"),
        (written(**an_entry(provenance="rumour")), "provenance"),
        (written(**an_entry(colour="red")), "colour"),
        (written(**an_entry(since="2026-08")), "does not list the edition 2026-08"),
        (written(**an_entry(since="2027-01", until="2026-02")), "before its first one"),
        ("[[requirement", "not a list of requirements"),
        ("title = 'no rows'", "not a list of requirements"),
    ],
)
def test_a_broken_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, complaint: str) -> None:
    use_files(monkeypatch, tmp_path, broken=text)
    try:
        with pytest.raises(BrokenContractFile, match=rf"broken\.toml(?s:.*){re.escape(complaint)}"):
            register()
    finally:
        monkeypatch.undo()
        contents.cache_clear()


def test_inferred_row_names_a_row_that_is_published() -> None:
    for row in ROWS:
        if row.inferred_from:
            assert register()[row.inferred_from].provenance in {"published", "title"}, row.id


@pytest.mark.parametrize(
    "text", ["editions = []", 'editions = ["2027-01", "2026-02"]', "editions = 3", 'editions = ["new"]', "["]
)
def test_a_wrong_list_of_editions_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    use_files(monkeypatch, tmp_path, editions=text)
    try:
        with pytest.raises(BrokenContractFile, match=r"editions\.toml"):
            register()
    finally:
        monkeypatch.undo()
        contents.cache_clear()
