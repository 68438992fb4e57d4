"""The cases of a profile: what a profile may say, what the suite sends, how it judges, and how reports show them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from conformance.mutants.gallery import connector_with
from conformance.mutants.serving import served
from conformance.report import json_file
from conformance.report.html import render_html
from conformance.report.junit import render_junit
from conformance.report.model import OwnCase as ReportedCase
from conformance.report.model import to_json
from conformance.run.configuration import RunConfiguration
from conformance.run.session import run_own_case
from conformance.verdicts import CaseResult, Verdict
from jwo_contract.errors import BadProfile
from jwo_contract.own_cases import OwnCase, filled, to_toml
from jwo_contract.profile import Profile, load
from tests.conformance.report import conftest as reports
from tests.conformance.report.reading import model

SCAN = {
    "requestId": "{uuid}",
    "identityKey": "{key.shopper}",
    "storeId": "{store}",
    "authEvent": {"id": "{uuid}", "timestamp": "{now}", "location": "ENTRY"},
}
HEAD = """
[connector]
url = "http://127.0.0.1:9"
[store]
id = "STORE-001"
[keys]
shopper = "dmFsaWRfc2hvcHBlcl9rZXk="
"""
HOSTILE = "''' \"\"\" <script> \u202e \x7f \x00 \U0001f600 \\ \r\n"


def a_case(**changes: Any) -> OwnCase:
    return OwnCase(**{"name": "a case", "operation": "Verify Identity Keys", "status": 200, **changes})


def profile_with(tmp_path: Path, *tables: str) -> Profile:
    path = tmp_path / "jwo.toml"
    path.write_text(HEAD + "\n".join(tables), encoding="utf-8")
    return load(path)


def judged(profile: Profile, case: OwnCase, fault: str = "") -> CaseResult:
    with served(connector_with(fault)) as url:
        connector = profile.connector.model_copy(update={"url": url})
        return run_own_case(RunConfiguration(profile.model_copy(update={"connector": connector})), case)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ('name = "-rm"', "is not a name of a case"),
        ('name = "a\\nb"', "is not a name of a case"),
        ('operation = "Upload Catalog"', "is not a call to a connector; use one of Verify Identity Keys"),
        ("status = 42", "case.0.status"),
        ('body = "{}"\nmembers = { a = 1 }', "has body and members; remove one of the two"),
        ('body = \'{"identityKey": "{key.shoper}"}\'', "has the placeholder {key.shoper}, which does not exist"),
        ("bodies = 3", "bodies"),
    ],
)
def test_bad_case_is_refused_with_a_reason(tmp_path: Path, change: str, sentence: str) -> None:
    name = change.split(" ", maxsplit=1)[0]
    usual = {"name": '"a case"', "operation": '"Verify Identity Keys"', "status": "200"}
    lines = [f"{key} = {value}" for key, value in usual.items() if key != name]

    with pytest.raises(BadProfile) as raised:
        profile_with(tmp_path, "[[case]]", *lines, change)
    assert sentence in str(raised.value)


def test_two_cases_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadProfile, match="two cases have the name 'A Case'"):
        profile_with(tmp_path, to_toml(a_case(name="A Case")), to_toml(a_case(name="a case")))


@pytest.mark.parametrize("body", [json.dumps(SCAN, indent=2), "not JSON", "it's '''", HOSTILE, "'", "x" * 100_000])
def test_written_case_is_read_as_it_was(body: str) -> None:
    expected = {"visitorDetails": {"type": "SHOPPER", "n": [1, True, 'a"b']}, HOSTILE: "x"}
    case = a_case(body=body, expected=expected)
    (read,) = tomllib.loads(to_toml(case))["case"]

    assert read["body"].removesuffix("\n") == body.removesuffix("\n")
    assert list(read["expected"].values()) == list(expected.values())
    assert OwnCase(**read).name == case.name


def test_placeholders_become_values_and_other_braces_stay() -> None:
    text = '{"a":"{uuid}","b":{"c":"{uuid}"},"d":"{other}"}'
    numbers = iter(range(9))

    assert filled(text, lambda name: f'{name}"{next(numbers)}') == (
        '{"a":"uuid\\"0","b":{"c":"uuid\\"1"},"d":"{other}"}'
    )


def test_case_with_a_body_passes(tmp_path: Path) -> None:
    case = a_case(body=json.dumps(SCAN), expected={"visitorDetails": {"type": "SHOPPER"}})
    result = judged(profile_with(tmp_path), case)
    (sent,) = (json.loads(each.body) for each in result.exchanges)

    assert (result.id, result.verdict) == ("own:a case", Verdict.PASS)
    assert sent["storeId"] == "STORE-001"
    assert sent["requestId"] != sent["authEvent"]["id"]


def test_members_change_the_valid_request(tmp_path: Path) -> None:
    result = judged(profile_with(tmp_path), a_case(status=400, members={"authEvent": {"location": "ROOF"}}))
    (sent,) = (json.loads(each.body) for each in result.exchanges)

    assert result.verdict is Verdict.PASS
    assert sent["authEvent"]["location"] == "ROOF"
    assert sent["authEvent"]["id"]


@pytest.mark.parametrize(
    ("changes", "got"),
    [
        ({"status": 401}, "200"),
        ({"expected": {"visitorDetails": {"type": "ASSOCIATE"}}}, 'visitorDetails.type is "SHOPPER"'),
        ({"expected": {"visitorDetails": {"age": 7}}}, "visitorDetails.age is missing"),
        ({"expected": {"visitorDetails": {"id": {"deep": 1}}}}, "visitorDetails.id.deep is missing"),
    ],
)
def test_another_answer_fails_the_case(tmp_path: Path, changes: dict[str, Any], got: str) -> None:
    result = judged(profile_with(tmp_path), a_case(**changes))

    assert result.verdict is Verdict.FAIL
    assert got in result.got


def test_case_without_its_key_is_not_applicable(tmp_path: Path) -> None:
    result = judged(profile_with(tmp_path), a_case(body=json.dumps({**SCAN, "identityKey": "{key.used}"})))

    assert (result.verdict, result.reason) == (Verdict.NOT_APPLICABLE, "[keys] used is not declared in the profile")
    assert result.exchanges == []


def a_reported(verdict: Verdict) -> ReportedCase:
    return ReportedCase("a <b>", "own", "Verify Identity Keys", verdict, "200", "<script>", "", 2.0, "jwo replay X", ())


def test_reports_show_the_cases_and_a_failed_one_fails_the_run() -> None:
    report = reports.a_full_report.__wrapped__()
    own = [to_json(a_reported(Verdict.FAIL)), to_json(a_reported(Verdict.PASS))]
    failed = report | {"ownCases": own[:1], "verdict": "fail"}
    json_file.check(failed)
    page = render_html(model(failed))

    assert "Not conformant: 1 failed case of the profile" in page
    assert "a &lt;b&gt;" in page
    assert "<script>" not in page.split("own-cases")[-1].split("</section>")[0]
    assert 'classname="Cases of the profile"' in render_junit(model(failed))
    assert failed["counts"] == report["counts"]
    with pytest.raises(Exception, match="the cases make it fail"):
        json_file.check(failed | {"verdict": "pass"})
    json_file.check(report | {"ownCases": own[1:]})
