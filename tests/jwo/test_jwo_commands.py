"""The short commands: init, doctor, cases, coverage, explain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from conformance.catalogue import coverage, scenario_entries
from conformance.retailer_clients.clients import TABLES
from jwo_contract.register import register
from tests.jwo.conftest import Jwo

Mutant = Callable[[str], str]
WriteProfile = Callable[[str], Path]


def test_init_writes_a_profile_that_doctor_can_try(jwo: Jwo, mutant: Mutant, tmp_path: Path) -> None:
    written = jwo("init", "--connector", mutant(""))
    tried = jwo("doctor")

    assert written.returncode == 0, written.stderr
    assert (tmp_path / "jwo.toml").is_file()
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "[keys] cash_shopper is not declared" in tried.stdout


def test_init_refuses_an_address_that_is_not_valid(jwo: Jwo, tmp_path: Path) -> None:
    done = jwo("init", "--connector", "ftp://127.0.0.1")

    assert done.returncode == 2
    assert "is not an http:// or https:// address" in done.stderr
    assert not (tmp_path / "jwo.toml").exists()


def test_unknown_names_in_a_profile_get_the_nearest_name(jwo: Jwo, tmp_path: Path) -> None:
    (tmp_path / "jwo.toml").write_text('[connector]\nurll = "http://127.0.0.1:9"\n[foo]\n', encoding="utf-8")

    done = jwo("doctor")

    assert done.returncode == 2
    assert "connector.url: missing; add it" in done.stderr
    assert "connector.urll: unknown name; did you mean url?" in done.stderr
    assert "foo: unknown name; the names here are case, catalog, " in done.stderr


def test_init_does_not_overwrite_a_file(jwo: Jwo, tmp_path: Path) -> None:
    (tmp_path / "jwo.toml").write_text("mine", encoding="utf-8")

    done = jwo("init")

    assert done.returncode == 2
    assert (tmp_path / "jwo.toml").read_text("utf-8") == "mine"


def test_doctor_says_which_declaration_is_wrong(jwo: Jwo, mutant: Mutant, profile: WriteProfile) -> None:
    path = profile(mutant(""))
    path.write_text(path.read_text("utf-8").replace("YXNzb2NpYXRlX2tleQ==", "bm9ib2R5"), encoding="utf-8")

    done = jwo("doctor")

    assert done.returncode == 1
    assert "wrong  [keys] associate: expected 200, got 401" in done.stdout


def test_doctor_looks_for_each_client_of_the_retailer(jwo: Jwo, mutant: Mutant, profile: WriteProfile) -> None:
    path = profile(mutant(""))
    undeclared = jwo("doctor")
    tables = "".join(f'\n[{table}]\ncommand = "no-such-program {{job}}"\n' for table in TABLES.values())
    path.write_text(path.read_text("utf-8") + tables, encoding="utf-8")
    missing = jwo("doctor")

    assert missing.returncode == 1
    for table in TABLES.values():
        assert f"-      [{table}] command is not declared" in undeclared.stdout
        assert f"wrong  [{table}] command: no-such-program was not found" in missing.stdout


def test_cases_lists_ids(jwo_here: Jwo) -> None:
    done = jwo_here("cases")

    assert done.returncode == 0
    assert "VIK-3.17" in done.stdout
    assert "CP-3.35" in done.stdout
    assert int(done.stdout.split()[-2]) >= 105


def test_coverage_proves_or_explains_every_row(jwo_here: Jwo) -> None:
    done = jwo_here("coverage")

    assert done.returncode == 0, done.stdout
    assert "neither proven nor explained" not in done.stdout


def test_explain_says_that_a_house_rule_is_not_published(jwo_here: Jwo) -> None:
    done = jwo_here("explain", "E2E-X.7")

    assert "End to end" in done.stdout
    assert "nothing is published" in done.stdout
    assert "developer.amazon.com" not in done.stdout


def test_explain_names_rule_source_and_usual_cause(jwo_here: Jwo) -> None:
    done = jwo_here("explain", "VIK-3.4")

    assert done.returncode == 0
    assert "1000" in done.stdout
    assert "verify_identity_keys_test_cases" in done.stdout
    assert "usually" in done.stdout


def test_piped_cases_are_one_whole_line_each(jwo: Jwo) -> None:
    done = jwo("cases", columns=80)

    proven = {each for entry in scenario_entries() for each in entry.ids}
    rows = [row for row in register().values() if row.id in proven and row.tier == "core"]
    header, *lines, total = done.stdout.splitlines()
    assert header.split() == ["id", "level", "api", "title"]
    assert [line.split()[0] for line in lines] == [row.id for row in rows]
    assert all(line.rstrip().endswith(row.title) for line, row in zip(lines, rows, strict=True))
    assert max(map(len, lines)) > 80, "this case list would not need a wide console"
    assert total == f"{len(rows)} cases"


def test_piped_coverage_is_one_whole_line_for_each_requirement(jwo: Jwo) -> None:
    done = jwo("coverage", columns=80)

    lines = done.stdout.splitlines()[1:]
    rows = [row for row in coverage() if register()[row.id].tier != "outer"]
    assert [line.split()[0] for line in lines[: len(rows)]] == [row.id for row in rows]
    for line, row in zip(lines, rows, strict=False):
        assert register()[row.id].title in line
        assert row.not_tested in line or row.scenarios or row.proven_by
