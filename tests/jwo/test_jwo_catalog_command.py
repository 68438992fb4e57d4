"""`jwo catalog` on the command line: a progress bar, a table for people, JSON for programs."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reference_connector.catalog_client.journal import held_journal
from tests.jwo.conftest import Jwo
from tests.reference_connector.small_platform import KEY, SmallPlatform, a_report, some_rows


@pytest.fixture
def platform(serve: Callable[[Any], str]) -> SmallPlatform:
    """A platform with one finished upload: it accepted one row and rejected one."""
    platform = SmallPlatform()
    platform.url = serve(platform.app)
    platform.done("ingestion-1")
    return platform


@pytest.fixture
def catalog(
    platform: SmallPlatform, jwo_here: Jwo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `jwo catalog` with arguments, and with the platform's credentials. With a terminal, it is a process."""
    settings = {
        "JWO_CATALOG_ENDPOINT": platform.url,
        "JWO_CATALOG_ACCESS_KEY_ID": KEY.access_key_id,
        "JWO_CATALOG_SECRET_ACCESS_KEY": KEY.secret_access_key,
        "JWO_CATALOG_SESSION_TOKEN": str(KEY.session_token),
        "JWO_CATALOG_STATUS_EVERY_S": "0.02",
        "COLUMNS": "40",
        "TERM": "xterm",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "rows.json").write_text(json.dumps(some_rows(2)), "utf-8")

    def run(*arguments: str, terminal: int | None = None) -> subprocess.CompletedProcess[str]:
        if terminal is None:
            return jwo_here("catalog", *arguments, columns=40)
        command = [sys.executable, "-m", "jwo", "catalog", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=terminal, text=True, timeout=60, check=False
        )

    return run


def test_upload_names_each_rejected_row_and_exits_with_1(catalog: Any) -> None:
    done = catalog("upload", "rows.json")
    assert done.returncode == 1, done.stderr
    assert "SKU-2" in done.stdout
    assert "CHECK_DIGIT_INVALID" in done.stdout
    assert "uploading" not in done.stderr, "there is no bar without a terminal"


def test_upload_prints_json_for_programs(catalog: Any) -> None:
    done = catalog("upload", "rows.json", "--json")
    assert (done.returncode, json.loads(done.stdout)["rejectedRows"][0]["code"]) == (1, "CHECK_DIGIT_INVALID")


def test_upload_without_rejections_exits_with_0(catalog: Any, platform: SmallPlatform) -> None:
    report = a_report("ingestion-1")
    accepted = [item | {"status": "ACCEPTED", "errors": []} for item in report["items"]]
    counts = {"received": 2, "accepted": 2, "rejected": 0}
    platform.reports["ingestion-1"] = (200, report | {"items": accepted, "summary": counts})
    assert catalog("upload", "rows.json").returncode == 0


@pytest.mark.parametrize(
    ("answer", "code", "shown"),
    [
        ((200, {"connectivityStatus": "Success"}, {}), 0, "Success"),
        ((200, {"connectivityStatus": "Unknown"}, {}), 1, "Unknown"),
        ((403, {"message": "not allow-listed"}, {}), 2, "not allow-listed"),
    ],
)
def test_connectivity_prints_json_and_exits_by_the_status(
    catalog: Any, platform: SmallPlatform, answer: Any, code: int, shown: str
) -> None:
    platform.answers = [answer]
    done = catalog("connectivity")
    assert (done.returncode, shown in str(json.loads(done.stdout))) == (code, True), done.stderr
    assert ("JWO_CATALOG_SESSION_TOKEN" in done.stderr) is (code == 2)


def test_terminal_shows_a_bar_of_uploaded_rows(catalog: Any) -> None:
    ours, theirs = pty.openpty()
    try:
        assert catalog("upload", "rows.json", "--json", terminal=theirs).returncode == 1
    finally:
        os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "uploading rows" in shown
    assert "100%" in shown


def test_upload_on_a_journal_that_another_one_uses_is_a_usage_error(
    catalog: Any, platform: SmallPlatform, tmp_path: Path
) -> None:
    with held_journal(tmp_path / "kept"):
        refused = catalog("upload", "rows.json", "--journal", "kept")
    assert (refused.returncode, len(platform.calls)) == (2, 0)
    assert "another upload uses the journal kept" in refused.stderr


def test_interrupted_upload_resumes_from_its_journal(catalog: Any, platform: SmallPlatform, tmp_path: Path) -> None:
    platform.answers = [(400, {"errorMsg": "no"}, {})]
    refused = catalog("upload", "rows.json", "--journal", "kept")
    assert (refused.returncode, "400" in refused.stderr) == (2, True)
    platform.done("ingestion-2")
    assert catalog("upload", "rows.json", "--journal", "kept", "--json").returncode == 1
    assert not (tmp_path / "kept").exists()


def test_archive_and_status_print_json(catalog: Any, platform: SmallPlatform) -> None:
    platform.app.post("/v1/catalog/archive")(platform.upload)
    archived = catalog("archive", "SKU-1", "--store", "STORE-001")
    assert json.loads(archived.stdout) == {"ingestions": ["ingestion-1"]}
    assert json.loads(catalog("status", "ingestion-1").stdout)["processingStatus"] == "DONE"
