"""The suite judges catalog clients by their calls: correct clients, and clients that fail, hang or do nothing."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.catalog_client import rows
from conformance.catalog_client.calls import calls_of
from conformance.catalog_client.jobs import API, CatalogInput, Job, Plan
from conformance.catalog_client.matches import waited_before_retry
from conformance.catalog_client.mentions import mentions_of
from conformance.errors import HarnessBroke, NotDeclared
from conformance.mutants.catalog_client_faults import __file__ as faulty_client
from conformance.mutants.gallery import CLIENTS
from conformance.mutants.gate import platform_for_clients, profile_of
from conformance.mutants.small_catalog_client import __file__ as small_client
from conformance.retailer_clients.addresses import Account, Addresses
from conformance.retailer_clients.clients import clients_for
from conformance.retailer_clients.command import ClientRun, Runner, build_environment, redact
from conformance.run.configuration import RunConfiguration, Selection, utc_now
from conformance.run.session import FinishedRun, run
from conformance.summary import summarise
from conformance.verdicts import CaseResult, Verdict
from jwo_contract.errors import BadProfile
from jwo_contract.operations import UPLOAD_CATALOG
from jwo_contract.profile import CatalogClientTable, Profile, load
from jwo_contract.profile_connector import ConnectorTable
from jwo_contract.register import register
from jwo_contract.sigv4 import Key

FOREIGN = Path(__file__).resolve().parents[1] / "foreign" / "boto3_uploader" / "upload.py"
IDS = tuple(row.id for row in register().values() if row.api == API)


@pytest.fixture(scope="module")
def addresses() -> Iterator[Addresses]:
    with platform_for_clients() as found:
        yield found


def words(*command: object) -> str:
    return shlex.join(map(str, command))


def certified(addresses: Addresses | None, only: tuple[str, ...] = IDS, **table: Any) -> FinishedRun:
    declared = CatalogClientTable.model_validate({"limit_s": 20, **table})
    profile = Profile(connector=ConnectorTable(url="http://127.0.0.1:9"), catalog_client=declared)
    return run(RunConfiguration(profile, Selection(("core",), only), catalog_platform=addresses))


def only_result(finished: FinishedRun) -> CaseResult:
    (result,) = finished.results.values()
    return result


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "table",
    [
        {"command": words(sys.executable, small_client), "tells_rejected": "output"},
        pytest.param(
            {"command": words(sys.executable, small_client), "tells_rejected": "exit_code"}, marks=pytest.mark.slow
        ),
        pytest.param(
            {"command": f"{words(sys.executable, FOREIGN)} {{endpoint}}", "tells_rejected": "output"},
            marks=pytest.mark.slow,
        ),
    ],
    ids=["small by output", "small by exit code", "foreign"],
)
def test_a_correct_client_gets_no_finding(addresses: Addresses, table: dict[str, Any]) -> None:
    results = certified(addresses, **{"limit_s": 60, **table}).results

    details = {each: (result.expected, result.got, result.reason) for each, result in results.items()}
    assert {each: result.verdict for each, result in results.items()} == dict.fromkeys(IDS, Verdict.PASS), details


def test_the_foreign_client_shares_no_code_with_us() -> None:
    packages = {"jwo_contract", "reference_connector", "simulator", "conformance", "load", "jwo", "tests"}
    imported = re.findall(r"^\s*(?:from|import)\s+([\w.]+)", FOREIGN.read_text("utf-8"), re.MULTILINE)

    assert imported
    assert not {name.partition(".")[0] for name in imported} & packages


def test_without_a_declared_client_every_case_names_the_setting() -> None:
    results = certified(None).results

    with clients_for(RunConfiguration(profile_of("http://127.0.0.1:9"))) as clients:
        assert clients.catalog is None
    assert {result.verdict for result in results.values()} == {Verdict.NOT_APPLICABLE}
    assert set(results) == set(IDS)
    assert all("[catalog_client] command" in result.reason for result in results.values())


@pytest.mark.parametrize("hangs", [True, False])
def test_a_client_is_ended_with_its_children(hangs: bool, addresses: Addresses, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter of the test
    script = tmp_path / "hangs.py"
    script.write_text(
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "print('waiting for nothing', flush=True)\n"
        f"time.sleep({60 if hangs else 0})\n",
        "utf-8",
    )

    result = only_result(certified(addresses, ("CAT-X.3",), command=words(sys.executable, script), limit_s=1.5))

    assert result.verdict is Verdict.FAIL
    assert ("was stopped at its time limit after" if hangs else "exited with 0") in result.got
    assert "waiting for nothing" in result.got
    pid = int((tmp_path / "pid").read_text("utf-8"))
    assert until_gone(pid)


def until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text("utf-8").rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_client_that_never_calls_is_no_pass(addresses: Addresses) -> None:
    only = ("CAT-X.1", "CAT-X.2", "CAT-X.3", "CAT-X.4", "CAT-X.5", "CAT-X.12", "CAT-X.22")
    results = certified(addresses, only, command="true").results

    assert results["CAT-X.3"].verdict is Verdict.FAIL
    others = {each: result.verdict for each, result in results.items() if each != "CAT-X.3"}
    assert set(others.values()) == {Verdict.NOT_APPLICABLE}


def test_a_command_that_does_not_exist_is_not_a_finding(addresses: Addresses) -> None:
    result = only_result(certified(addresses, ("CAT-X.3",), command="no-such-uploader {csv}"))

    assert result.verdict is Verdict.ERROR
    assert "[catalog_client] command cannot be started" in result.reason


def test_the_report_of_rejected_rows_is_judged_only_if_declared(addresses: Addresses) -> None:
    result = only_result(certified(addresses, ("CAT-X.20",), command=words(sys.executable, small_client)))

    assert result.verdict is Verdict.NOT_APPLICABLE
    assert "tells_rejected" in result.reason


SKUS = ("SKU-1", "SKU-2", "SKU-3", "SKU-4", "SKU-5")
_JSON = [{"status": "REJECTED" if each == "SKU-3" else "STORED", "item_sku": each, "errors": []} for each in SKUS]


@pytest.mark.parametrize(
    ("output", "is_told_apart"),
    [
        ("rejected: SKU-3", True),
        ("\n".join(f"07:46:0{i} {each} {'REJECTED' if i == 2 else 'STORED'}" for i, each in enumerate(SKUS)), True),
        ("stored:\nSKU-1\nSKU-2\nSKU-4\nSKU-5\nrejected:\nSKU-3\n", True),
        (json.dumps(_JSON), True),
        (json.dumps(_JSON, indent=2), True),
        (f"sent {', '.join(SKUS)}\nrejected 1 row: SKU-3 (8560)", True),
        ("\n".join(f"07:46:0{i}.{i}57 sent row {i}: {each}, 4.{i}0" for i, each in enumerate(SKUS)), False),
        (f"sent {SKUS}; some rows were rejected", False),
        (f"rejected: {', '.join(SKUS)}", False),
        ("rejected: SKU-33", False),
        ("", False),
    ],
)
def test_an_output_that_names_all_rows_alike_reports_none(output: str, *, is_told_apart: bool) -> None:
    found = mentions_of(output, SKUS)

    others = [found[each] for each in SKUS if each != "SKU-3"]
    assert bool(found["SKU-3"] and found["SKU-3"] not in others) is is_told_apart


def test_reports_show_the_calls_and_no_credentials(addresses: Addresses, tmp_path: Path) -> None:
    script = tmp_path / "tells_all.py"
    script.write_text("import os\nprint(dict(os.environ))\n", "utf-8")
    finished = certified(
        addresses, ("CAT-X.3",), command=words(sys.executable, script), environment={"SHOP_PASSWORD": "hunter-and-2"}
    )
    uploaded = certified(addresses, ("CAT-X.1",), command=words(sys.executable, small_client))

    report = summarise(finished, started_at=utc_now(), duration_s=1, strict=False)
    shown = summarise(uploaded, started_at=utc_now(), duration_s=1, strict=False)

    assert "hunter-and-2" not in str(report)
    assert report.cases[0].api == "Catalog client"
    exchanges = shown.cases[0].exchanges
    assert exchanges[0].operation == "Upload Catalog"
    assert exchanges[0].response
    assert exchanges[0].response.status == 201
    assert not re.search("Signature=[0-9a-f]{8}", str(exchanges))
    assert not re.search("Token=[0-9a-f]{8}", str(exchanges))


def job_input(tmp_path: Path) -> CatalogInput:
    key = Key("ASIAEXAMPLE", "example-secret", "example-token")
    account = Account("1", "retailer-1", key, ("STORE-1", "STORE-2"), "http://aws/1/queue", "arn:aws:sqs:r:1:queue")
    return CatalogInput(
        Addresses("http://platform", "http://aws", "eu-west-1"), account, tmp_path / "a.csv", tmp_path / "a.json"
    )


def test_the_environment_has_the_addresses_and_no_real_credentials(tmp_path: Path) -> None:
    inherited = {"PATH": "/bin", "AWS_PROFILE": "production", "https_proxy": "http://proxy", "JWO_PLATFORM_SEED": "1"}

    variables = build_environment(job_input(tmp_path), {"SHOP_URL": "{endpoint}/x", "AWS_REGION": "mine"}, inherited)

    assert variables["PATH"] == "/bin"
    assert not {"AWS_PROFILE", "https_proxy", "JWO_PLATFORM_SEED"} & set(variables)
    assert variables["CATALOG_ENDPOINT"] == "http://platform"
    assert (variables["AWS_SESSION_TOKEN"], variables["AWS_ENDPOINT_URL"]) == ("example-token", "http://aws")
    assert variables["CATALOG_STORES"] == "STORE-1,STORE-2"
    assert variables["SHOP_URL"] == "http://platform/x"
    assert variables["AWS_REGION"] == "mine"


def test_output_is_shown_without_the_values_of_secret_variables() -> None:
    text = redact("key s3cret-value, path /usr/bin", {"DB_PASSWORD": "s3cret-value", "PATH": "/usr/bin", "KEY": "ab"})

    assert "s3cret-value" not in text
    assert "/usr/bin" in text


def test_a_closed_runner_starts_no_command(tmp_path: Path) -> None:
    runner = Runner(CatalogClientTable(command=words(sys.executable, "-c", "open('ran', 'w')")), "catalog_client")
    runner.end()

    with pytest.raises(HarnessBroke):
        runner.run(job_input(tmp_path))


def test_the_catalog_of_a_job_has_rows_that_careless_clients_corrupt(tmp_path: Path) -> None:
    catalog = rows.catalog(10, ("A", "B"), wrong=9)

    assert all(row["external_product_id"].startswith("0") for row in catalog)
    assert len({row["item_sku"] for row in catalog}) == 5
    assert len({rows.key_of(row) for row in catalog}) == 10
    as_csv, as_json = rows.write(catalog, tmp_path)
    assert as_csv.read_text("utf-8").count("\n") == 11
    assert as_json.read_text("utf-8").startswith('[{"item_sku"')


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, ""),
        ({"brand_name": "added"}, ""),
        ({"standard_price": "1"}, ""),
        ({"external_product_id": "17"}, "1 changed"),
        ({"item_name": "other"}, "1 changed"),
        ({"standard_price": "100"}, "1 changed"),
        ({"item_sku": "other"}, "1 missing: SKU-00001 of A"),
    ],
)
def test_the_platforms_catalog_is_compared_with_the_file(change: dict[str, str], problem: str) -> None:
    (row,) = rows.catalog(1, ("A",))

    mismatch = rows.compare_catalogs([{**row, "standard_price": "1.00"}], [{**row, "standard_price": "1.00", **change}])

    assert (mismatch.got if mismatch else "").startswith(problem)
    assert bool(mismatch) is bool(problem)


@pytest.mark.parametrize("command", ["   ", "upload 'catalog"])
def test_an_empty_or_unparsable_command_is_refused_with_the_profile(command: str, tmp_path: Path) -> None:
    path = tmp_path / "jwo.toml"
    path.write_text(f'[connector]\nurl = "http://127.0.0.1:9"\n[catalog_client]\ncommand = "{command}"\n', "utf-8")

    with pytest.raises(BadProfile, match=r"catalog_client\.command"):
        load(path, os.environ)


def test_every_case_of_the_catalog_client_has_a_fault_and_each_fault_a_case() -> None:
    assert {each for fault in CLIENTS for each in fault.found_by if each.startswith("CAT-")} == set(IDS)


def test_without_a_retry_after_no_pause_is_judged(tmp_path: Path) -> None:
    account, at = job_input(tmp_path).account, "2026-02-05T12:00:00Z"
    request = {"method": "POST", "url": f"http://platform{UPLOAD_CATALOG.path}", "headers": {}, "body": {}}
    call = {"account": account.id, "at": at, "elapsedMs": 1, "request": request}
    refused = {**call, "startedMs": 0, "response": {"status": 500, "headers": {}, "body": {}}}
    accepted = {**call, "startedMs": 9, "ingestionId": "i-1", "response": {"status": 201, "headers": {}, "body": {}}}
    calls = calls_of([refused, accepted], account)

    with pytest.raises(NotDeclared, match="retry_after_s"):
        waited_before_retry(
            Job(Plan(), account, [], ClientRun(0, "", 1.0), calls, {}, [], "", frozenset(), frozenset())
        )


def test_a_wrongly_signed_call_is_identified_by_its_ingestion(tmp_path: Path) -> None:
    account, at = job_input(tmp_path).account, "2026-02-05T12:00:00Z"

    def call(status: int, body: dict[str, str], **more: object) -> dict[str, Any]:
        request = {"method": "POST", "url": "http://platform/v1/catalog/x", "headers": {}, "body": body}
        response = {"status": status, "headers": {}, "body": {}}
        return {"at": at, "startedMs": 0, "elapsedMs": 1, "request": request, "response": response, **more}

    accepted = call(201, {}, account=account.id, ingestionId="ingestion-1")
    no_id = call(200, {}, account=account.id, ingestionId=None)
    own, other = call(403, {"ingestionId": "ingestion-1"}), call(403, {"ingestionId": "None"})

    assert len(calls_of([accepted, no_id, own, other], account)) == 3


@pytest.mark.slow
def test_a_client_that_uploads_many_small_parts_is_judged_as_well(addresses: Addresses) -> None:
    command = words(sys.executable, faulty_client, "uploads_small_parts_all_at_once")
    results = certified(addresses, ("CAT-X.3", "CAT-X.4", "CAT-X.5"), command=command, limit_s=60).results

    reasons = {each: result.reason for each, result in results.items()}
    assert Verdict.ERROR not in {result.verdict for result in results.values()}, reasons
    assert results["CAT-X.5"].verdict is Verdict.FAIL
