"""A serve command that cannot start says in one sentence what to change, and ends with exit code 2."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from jwo import cli
from jwo_toolkit.launcher import JWO, launched

ALONE = {"JWO_PLATFORM_STORES_ALONE": "true"}
AWS = "JWO_PLATFORM_AWS_ENDPOINT_URL"


class Ended(NamedTuple):
    code: int
    output: str
    errors: str


Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Run]:
    """Run `jwo` in this process, in an empty folder, with some variables."""
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.chdir(tmp_path)
    for name in [each for each in os.environ if each.startswith("JWO_")]:
        monkeypatch.delenv(name)

    def ended(*arguments: str, **variables: str) -> Ended:
        with monkeypatch.context() as patch:
            for name in ("JWO_CONNECTOR_STORE__PATH", *variables):
                patch.setenv(name, variables.get(name, ""))  # so that a variable that the command sets goes away
                if not variables.get(name):
                    patch.delenv(name)
            patch.setattr(sys, "argv", ["jwo", *arguments])
            with pytest.raises(SystemExit) as end:
                cli.main()
        return Ended(int(end.value.code or 0), *capfd.readouterr())

    yield ended
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def taken() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def one_sentence(ended: Ended) -> str:
    """Return the error, if it is all that the command printed."""
    assert (ended.code, ended.output) == (2, ""), ended
    (line,) = ended.errors.splitlines()
    assert line.startswith("jwo: ")
    assert not {"bug", "Traceback", "Errno"} & set(line.replace("[", " ").split())
    return line


@pytest.mark.parametrize("command", ["aws", "platform", "connector", "mutant"])
def test_port_in_use_is_named(run: Run, taken: str, command: str) -> None:
    ended = run(command, "--port", taken, **ALONE)
    said = f"jwo: cannot use port {taken}: Address already in use; omit --port to take a free port"
    assert (ended.code, ended.output) == (2, "")
    assert ended.errors.splitlines()[-1] == said


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        (AWS, "http://127.0.0.1:9", "SNS, SQS and S3 do not answer at http://127.0.0.1:9; "),
        (AWS, "", "missing; set the address of SNS, SQS and S3"),
        (AWS, "http://", "is not an http or https address"),
        (AWS, "http://127.0.0.1:99999", "is not an http or https address"),
        (AWS, "127.0.0.1:5000", "is not an http or https address"),
        (AWS, "https://sqs.us-east-1.amazonaws.com", "is a real Amazon host; set the address of an emulator"),
        (AWS, "http://ann:secret@127.0.0.1", "has a user name"),
        ("JWO_PLATFORM_AWS_REGION", "us east", "is no region; write it like us-east-1"),
        ("JWO_PLATFORM_AWS_ACCESS_KEY_ID", "a b", "must be one word"),
        ("JWO_PLATFORM_REPORT_BUCKET", "A_B", "must be 3 to 63 small letters"),
        ("JWO_PLATFORM_TOPIC_NAME", "a.b", "must be 1 to 256 letters"),
        ("JWO_PLATFORM_AWS_TIMEOUT_S", "0", "must be greater than 0"),
    ],
)
def test_unusable_setting_of_aws_is_named(run: Run, variable: str, value: str, reason: str) -> None:
    line = one_sentence(run("platform", **{AWS: "http://127.0.0.1:9", variable: value}))
    assert variable in line
    assert reason in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("DATABASE_PATH", "no/x.sqlite3", "No such file or directory"),
        ("DATABASE_PATH", "file/x.sqlite3", "Not a directory"),
        ("DATABASE_PATH", "folder", "Is a directory"),
        ("DATABASE_PATH", "text", "file is not a database"),
        ("JOURNAL_PATH", "no/journal", "the journal no/journal cannot be written: No such file or directory"),
        ("JOURNAL_PATH", "folder", "Is a directory"),
        ("WORLD", "no.toml", "no.toml: cannot be read: No such file or directory"),
        ("CONNECTOR_CA_FILE", "no.pem", "no.pem: No such file or directory"),
        ("CONNECTOR_CA_FILE", "text", "it holds no certificate in PEM form"),
        ("SEED", "seven", "must be a valid integer"),
        ("GATE__QR_PATTERN", "(", "is not a regular expression: missing )"),
        ("CONNECTOR_ACCESS_KEY_ID", "a/b", "must be one word"),
        ("CONNECTOR_ACCESS_KEY_ID", "a\nb", "must be one word"),
        ("CONNECTOR_SESSION_TOKEN", "a\r\nX: y", "has a character that a header cannot carry"),
        ("CLOCK_SPEED", "inf", "must be a finite number"),
        ("BASE_URL", "http://h\\x", "has a character that the name of a host cannot have"),
        ("BASE_URL", 'http://h"<x>', "has a character that the name of a host cannot have"),
        ("JOURNAL_FILE_BYTES", "-1", "greater than or equal to 0"),
        ("DATABASE_PAHT", "x", "did you mean JWO_PLATFORM_DATABASE_PATH?"),
    ],
)
def test_unusable_setting_of_the_platform_is_named(
    run: Run, tmp_path: Path, variable: str, value: str, reason: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no database and no certificate, but a text. " * 40, encoding="ascii")
    line = one_sentence(run("platform", **ALONE, **{f"JWO_PLATFORM_{variable}": value}))
    assert f"JWO_PLATFORM_{variable}" in line
    assert reason in line


def test_world_with_a_pattern_that_takes_too_many_steps_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "products.csv").touch()
    (tmp_path / "world.toml").write_text(
        '[world]\nname = "w"\n[[store]]\nid = "S"\nretailer = "r"\ngates = ["G"]\nqr_pattern = "(?:(?=a)a+)+"\n',
        "utf-8",
    )
    line = one_sentence(run("platform", **ALONE, JWO_PLATFORM_WORLD="world.toml"))
    assert "world.toml: stores.0.qr_pattern: takes more than 100,000 steps" in line


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("database", "variables", "reason"),
    [
        ("no/x.sqlite3", {}, "no/x.sqlite3: unable to open database file; check JWO_CONNECTOR_STORE__PATH"),
        ("folder", {}, "folder: unable to open database file"),
        ("text", {}, "text: file is not a database"),
        ("", {"JWO_CONNECTOR_STORE__PATH": "no/x"}, "no/x: unable to open database file"),
        ("b", {"JWO_CONNECTOR_STORE__PATH": "a"}, "--database and JWO_CONNECTOR_STORE__PATH both say"),
        ("b", {"JWO_DATABASE_URL": "postgresql://127.0.0.1:9/x"}, "--database and JWO_DATABASE_URL both say"),
        ("", {"JWO_DATABASE_URL": "postgresql://127.0.0.1:9/x"}, "cannot connect to PostgreSQL"),
        (
            "",
            {"JWO_CONNECTOR_PAYMENTS__LEDGER": "no/l"},
            "JWO_CONNECTOR_PAYMENTS__LEDGER: no/l cannot be written; name",
        ),
        ("", {"JWO_CONNECTOR_PAYMENTS__LEDGER": "folder"}, "JWO_CONNECTOR_PAYMENTS__LEDGER: folder is a folder; name"),
        ("", {"JWO_CONNECTOR_PAYMENTS__LEDGER": "text"}, "text is not usable (file is not a database); name"),
        ("r", {"JWO_CONNECTOR_PAYMENTS__LEDGER": "./r"}, "r has the records already; name another file"),
        ("", {"JWO_CONNECTOR_STORE__PATH": "."}, "JWO_CONNECTOR_STORE__PATH: is not the name of a file"),
        ("", {"JWO_CONNECTOR_PRICE_LISTS": '["a\\u0000b"]'}, "JWO_CONNECTOR_PRICE_LISTS: is not the name of a file"),
        ("", {"JWO_CONNECTOR_WATCH_FILES_S": "-1"}, "JWO_CONNECTOR_WATCH_FILES_S: must be greater than or equal to 0"),
        ("", {"JWO_CONNECTOR_STORE__BUSY_TIMEOUT_S": "nan"}, "JWO_CONNECTOR_STORE__BUSY_TIMEOUT_S: must be less than"),
        ("", {"JWO_CONNECTOR_CLAIM_LEASE_S": "inf"}, "JWO_CONNECTOR_CLAIM_LEASE_S: must be less than"),
        ("", {"JWO_CONNECTOR_CALLER__MODE": "sigv4"}, "sigv4, so set JWO_CONNECTOR_CALLER__ACCESS_KEY_ID and"),
        ("", {"JWO_CONNECTOR_CALLER__MODE": "headers"}, "headers, so set JWO_CONNECTOR_CALLER__HEADERS"),
        ("", {"JWO_CONNECTOR_STORE__BATCH_MAX": "x"}, "JWO_CONNECTOR_STORE__BATCH_MAX: must be a valid integer"),
    ],
)
def test_unusable_file_of_the_connector_is_named(
    run: Run, tmp_path: Path, workers: str, database: str, variables: dict[str, str], reason: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no database, but a text. " * 40, encoding="ascii")
    option = ["--database", database] if database else []
    assert reason in one_sentence(run("connector", "--workers", workers, *option, **variables))


@pytest.mark.parametrize("refused", [["--host", ""], ["--workers", "2", "--host", "::"]])
def test_refused_connector_makes_no_file(run: Run, tmp_path: Path, refused: list[str]) -> None:
    assert "is not a loopback address" in one_sentence(run("connector", *refused))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "variable"),
    [("platform", "JWO_PLATFORM_DATABASE_PATH"), ("connector", "JWO_CONNECTOR_STORE__PATH")],
)
def test_full_disk_is_named(tmp_path: Path, command: str, variable: str) -> None:
    variables = {**os.environ, **ALONE, variable: "records.sqlite3"}
    limited = ["sh", "-c", 'ulimit -f 20; exec "$@"', "sh", *JWO, command]
    done = subprocess.run(limited, capture_output=True, text=True, env=variables, cwd=tmp_path, check=False, timeout=30)
    line = one_sentence(Ended(done.returncode, done.stdout, done.stderr))
    assert variable in line
    assert "room" in line


def test_connector_says_where_its_records_are_and_aws_takes_a_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        launched("connector", (*JWO, "connector", "--database", "shop.sqlite3"), tmp_path, cwd=tmp_path) as connector,
        launched("aws", (*JWO, "aws", "--port", str(port)), tmp_path) as aws,
    ):
        with urllib.request.urlopen(f"{connector.url()}/healthz") as answer:  # noqa: S310 - an address of this machine
            assert answer.status == 200
        assert aws.url() == f"http://127.0.0.1:{port}"
    said = connector.announcement.log.read_text("utf-8")
    assert f"records are in {tmp_path / 'shop.sqlite3'} (JWO_CONNECTOR_STORE__PATH)" in said
    assert f"payments in {tmp_path / 'shop-payments.sqlite3'}" in said
    with sqlite3.connect(tmp_path / "shop.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 3
    database.close()
    assert not (tmp_path / "connector.sqlite3").exists()
