"""`jwo catalog` on a bad network: each outcome prints what is known, as one document with --json, and how to resume."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jwo.catalog_command import catalog
from jwo.errors import run
from tests.conftest import served as serve
from tests.reference_connector.bad_network import BadNetwork, Fault, answers, cuts, reset
from tests.reference_connector.small_platform import KEY, ServedPlatform, SmallPlatform, a_report, some_rows

UPLOAD, STATUS = "/catalog/upload", "/getCatalogUploadStatus"


class Ended(NamedTuple):
    """A command that ended: its exit code, its output, and the document in it."""

    code: int
    output: str
    errors: str

    @property
    def document(self) -> Any:
        assert self.output.count("\n") == 1, self.output
        return json.loads(self.output)


@pytest.fixture(scope="module")
def served_platform() -> Iterator[ServedPlatform]:
    """One server for all tests of this file, since its start and its end take longer than a test."""
    served = ServedPlatform()
    with serve(served) as served.url:
        yield served


@pytest.fixture
def platform(served_platform: ServedPlatform) -> SmallPlatform:
    return served_platform.replace()


@pytest.fixture
def network(platform: SmallPlatform) -> Iterator[BadNetwork]:
    with BadNetwork(platform.url) as network:
        platform.url = network.url
        yield network


@pytest.fixture
def settings(network: BadNetwork, tmp_path: Path) -> dict[str, str]:
    """Return the settings of a client that has little patience, with two rows in each upload; write 6 rows."""
    (tmp_path / "rows.json").write_text(json.dumps(some_rows(6)), "utf-8")
    return {
        "JWO_CATALOG_ENDPOINT": network.url,
        "JWO_CATALOG_ACCESS_KEY_ID": KEY.access_key_id,
        "JWO_CATALOG_SECRET_ACCESS_KEY": KEY.secret_access_key,
        "JWO_CATALOG_SESSION_TOKEN": str(KEY.session_token),
        "JWO_CATALOG_STATUS_EVERY_S": "0.02",
        "JWO_CATALOG_BACKOFF_FIRST_S": "0.001",
        "JWO_CATALOG_RETRY_WAIT_MAX_S": "0.01",
        "JWO_CATALOG_CHUNK_ROWS": "2",
        "JWO_CATALOG_CATALOG__RATE_PER_S": "500",
    }


@pytest.fixture
def command(
    settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run `jwo catalog` in this process, with all that ends a command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(signal, "signal", lambda *_arguments: None)

    def call(*arguments: str, **other: str) -> Ended:
        for name, value in (settings | other).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            run(lambda: catalog(list(arguments)))
        shown = capsys.readouterr()
        return Ended(int(ended.value.code or 0), shown.out, shown.err)

    return call


def upload(command: Any, *arguments: str, **settings: str) -> Ended:
    return command("upload", "rows.json", "--json", "--wait", "10", *arguments, **settings)


def counts(document: dict[str, Any]) -> tuple[int, ...]:
    return tuple(document[name] for name in ("rows", "accepted", "rejected", "unknown", "notUploaded"))


def finish(platform: SmallPlatform, *numbers: int) -> None:
    for number in numbers:
        platform.done(f"ingestion-{number}")


def test_passing_faults_change_nothing_but_the_log(command: Any, network: BadNetwork, platform: SmallPlatform) -> None:
    finish(platform, *range(1, 20))
    network.faults = {UPLOAD: [reset, answers(503)], STATUS: [cuts, answers(502)], "/report": [cuts, answers(403)]}
    done = upload(command)
    assert (done.code, counts(done.document), done.document["error"]) == (1, (6, 3, 3, 0, 0), "")
    assert done.document["resume"] == ""


@pytest.mark.parametrize("fault", [answers(403), answers(400, b'{"errorMsg":"Invalid request body"}')])
def test_upload_that_fails_in_the_middle_follows_the_accepted_part(
    command: Any, network: BadNetwork, platform: SmallPlatform, tmp_path: Path, fault: Fault
) -> None:
    finish(platform, 1, 2, 3, 4, 5, 6)
    network.faults[UPLOAD] = [network_works, fault]
    done = upload(command, "--journal", "kept")
    assert (done.code, counts(done.document)) == (2, (6, 1, 1, 0, 4))
    assert done.document["ingestions"] == ["ingestion-1"]
    assert len(done.document["rejectedRows"]) == 1
    assert done.document["error"] in done.errors
    assert "--journal kept" in done.document["resume"]

    again = upload(command, "--journal", "kept")
    assert (again.code, counts(again.document), network.count(UPLOAD)) == (1, (6, 3, 3, 0, 0), 4)
    assert again.document["ingestions"][0] == "ingestion-1"
    assert not (tmp_path / "kept").exists()


def network_works(exchange: Any) -> None:
    exchange.connection.sendall(exchange.forward())


def test_report_that_cannot_be_fetched_keeps_the_others_and_the_journal(
    command: Any, network: BadNetwork, platform: SmallPlatform, tmp_path: Path
) -> None:
    finish(platform, *range(1, 20))
    network.faults["/report/ingestion-1"] = [answers(403)] * 2
    done = upload(command, "--journal", "kept")
    assert (done.code, counts(done.document)) == (2, (6, 2, 2, 2, 0))
    assert [each["ingestionId"] for each in done.document["problems"]] == ["ingestion-1"]
    assert "403" in done.document["problems"][0]["problem"]
    assert (tmp_path / "kept").read_text("utf-8").count("\n") == 3

    again = upload(command, "--journal", "kept")
    assert (again.code, counts(again.document), network.count(UPLOAD)) == (1, (6, 3, 3, 0, 0), 3)
    assert not (tmp_path / "kept").exists()


def test_remarks_about_the_file_are_warnings(command: Any, platform: SmallPlatform, tmp_path: Path) -> None:
    platform.done("ingestion-1")
    capitals = [{**row, "item_sku": sku} for row, sku in zip(some_rows(2), ("a", "A"), strict=True)]
    (tmp_path / "rows.json").write_text(json.dumps(capitals), "utf-8")
    (warning,) = upload(command).document["warnings"]
    assert "differ in capitals only" in warning


def test_results_that_are_late_keep_the_journal(command: Any, platform: SmallPlatform, tmp_path: Path) -> None:
    finish(platform, 1)
    done = command("upload", "rows.json", "--json", "--wait", "0.1", "--journal", "kept")
    assert (done.code, counts(done.document), len(done.document["unfinished"])) == (1, (6, 1, 1, 4, 0), 2)
    assert (tmp_path / "kept").exists()
    platform.status |= {name: platform.done(name) for name in done.document["unfinished"]}
    again = upload(command, "--journal", "kept")
    assert (again.code, counts(again.document)) == (1, (6, 3, 3, 0, 0))
    assert sum(call == "upload" for call, _ in platform.calls) == 3


def test_people_get_the_ids_the_reasons_and_how_to_resume(
    command: Any, network: BadNetwork, platform: SmallPlatform
) -> None:
    finish(platform, *range(1, 20))
    network.faults["/report/ingestion-1"] = [answers(404)] * 2
    done = command("upload", "rows.json", "--wait", "10")
    assert done.code == 2
    for text in ("2 accepted, 2 rejected, 2 unknown", "ingestion-1: the platform answered 404", "jwo catalog status"):
        assert text in done.output
    assert "jwo: the result of ingestion-1 is not known" in done.errors


def test_markup_in_a_report_is_shown_as_text(command: Any, platform: SmallPlatform) -> None:
    report = a_report("ingestion-1")
    report["items"][1] |= {"item_sku": "[red]SKU[/red]", "errors": []}
    platform.done("ingestion-1")
    platform.reports["ingestion-1"] = (200, report)
    done = command("upload", "rows.json", JWO_CATALOG_CHUNK_ROWS="9")
    assert "[red]SKU[/red]" in done.output
    assert "the report gives no reason" in done.output
    assert "warning: the report of ingestion-1 has 2 rows, its upload had 6" in done.output


@pytest.mark.parametrize(
    ("arguments", "other", "words"),
    [
        (["upload", "missing.csv", "--json"], {}, "missing.csv"),
        (["upload", "rows.json", "--json", "--journal", "no/such/folder"], {}, "journal"),
        (["upload", "rows.json", "--json"], {"JWO_CATALOG_ENDPOINT": "catalog.example"}, "JWO_CATALOG_ENDPOINT"),
        (["upload", "rows.json", "--json"], {"JWO_CATALOG_ENDPOINT": "http://127.0.0.1:9"}, "refused"),
        (["upload", "rows.json", "--json", "--confirm"], {}, "JWO_CATALOG_QUEUE_URL"),
        (
            ["upload", "rows.json", "--json", "--confirm"],
            {"JWO_CATALOG_QUEUE_URL": "http://127.0.0.1:9/1/q", "JWO_CATALOG_AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
            "JWO_CATALOG_AWS_ENDPOINT_URL",
        ),
        (["upload", "rows.json", "--json"], {"JWO_CATALOG_PACE_FILE": "no/such/folder"}, "JWO_CATALOG_PACE_FILE"),
        (["status", "one"], {"JWO_CATALOG_ENDPOINT": "http://127.0.0.1:9"}, "refused"),
        (["archive", "SKU-1", "--store", "S"], {"JWO_CATALOG_ENDPOINT": "http://127.0.0.1:9"}, "refused"),
    ],
)
def test_error_before_the_first_upload_is_a_document_too(
    command: Any, monkeypatch: pytest.MonkeyPatch, arguments: list[str], other: dict[str, str], words: str
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_arguments: 0)
    done = command(*arguments, **other)
    assert (done.code, words in done.document["error"], words in done.errors) == (2, True, True), done
    assert "a bug in the kit" not in done.errors


def test_bug_is_a_document_too(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jwo.catalog_calls.read_rows", lambda *_arguments: 1 / 0)
    done = upload(command)
    assert (done.code, "ZeroDivisionError" in done.document["error"]) == (3, True)


@pytest.mark.parametrize(
    ("module", "number", "code", "word"),
    [
        (["jwo", "catalog"], signal.SIGTERM, 143, "SIGTERM"),
        (["jwo.catalog_command"], signal.SIGINT, 130, "Ctrl-C"),
    ],
)
def test_signal_in_the_wait_prints_what_is_known(
    platform: SmallPlatform,
    settings: dict[str, str],
    tmp_path: Path,
    module: list[str],
    number: int,
    code: int,
    word: str,
) -> None:
    finish(platform, 1)
    arguments = [sys.executable, "-m", *module, "upload", "rows.json", "--json", "--journal", "kept"]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=os.environ | settings
    ) as process:
        try:
            deadline = time.monotonic() + 30
            while sum(call == "status" for call, _ in platform.calls) < 8:  # the first report has arrived by then
                assert time.monotonic() < deadline
                assert process.poll() is None, process.communicate()
                time.sleep(0.01)
            process.send_signal(number)
            done = Ended(process.wait(30), *process.communicate())
        finally:
            process.kill()
    assert (done.code, counts(done.document)) == (code, (6, 1, 1, 4, 0)), done
    assert (word in done.document["error"], "--journal kept" in done.document["resume"]) == (True, True)
    assert "Traceback" not in done.errors
    assert (tmp_path / "kept").read_text("utf-8").count("\n") == 3
