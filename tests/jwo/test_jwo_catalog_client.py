"""The catalog client on the command line: a signal ends it, and the report shows what the platform received."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conformance.mutants.catalog_client_faults import __file__ as uploader
from tests.jwo.conftest import Jwo

PROFILE = """[connector]
url = "http://127.0.0.1:9"
[catalog_client]
command = {command}
environment = {{ SHOP_SECRET = "env:SHOP_SECRET" }}
"""


def write_profile(folder: Path, *command: object) -> None:
    words = json.dumps(shlex.join(map(str, command)))
    (folder / "jwo.toml").write_text(PROFILE.format(command=words), encoding="utf-8")


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_sigterm_ends_the_client_without_a_verdict(tmp_path: Path) -> None:
    script = tmp_path / "hangs.py"
    script.write_text("import os, time\nopen('pid.tmp', 'w').write(str(os.getpid()))\n"
                      "os.rename('pid.tmp', 'pid')\ntime.sleep(300)\n", "utf-8")  # fmt: skip
    write_profile(tmp_path, sys.executable, script)
    command = [sys.executable, "-m", "jwo", "certify", "--profile", "jwo.toml"]
    command += [word for number in (3, 12) for word in ("--only", f"CAT-X.{number}")]
    environment = {**os.environ, "SHOP_SECRET": "x"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tmp_path, env=environment) as run:
        try:
            deadline = time.monotonic() + 100
            while not (tmp_path / "pid").exists():
                assert time.monotonic() < deadline, "the client was not started"
                time.sleep(0.05)
            run.send_signal(signal.SIGTERM)
            assert run.wait(100) == 143
        finally:
            run.kill()

    assert has_ended(int((tmp_path / "pid").read_text("utf-8")))
    assert not (tmp_path / "jwo-report" / "report.json").exists()


@pytest.mark.slow
def test_report_groups_the_client_and_shows_the_platforms_exchanges(
    jwo: Jwo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_SECRET", "tell-nobody-of-me")
    write_profile(tmp_path, sys.executable, uploader, "tries_every_500_again")

    done = jwo("certify", "--profile", "jwo.toml", "--only", "CAT-X.10", "--only", "CAT-X.8", "--out", "out")

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert {case["id"]: case["verdict"] for case in report["cases"]} == {"CAT-X.8": "pass", "CAT-X.10": "warn"}
    assert {case["api"] for case in report["cases"]} == {"Catalog client"}
    (found,) = [case for case in report["cases"] if case["id"] == "CAT-X.10"]
    assert [each["response"]["status"] for each in found["exchanges"][:2]] == [500, 201]
    assert found["replay"] == "jwo replay CAT-X.10 --profile jwo.toml"
    assert {"id": "UC-10", "by": ["CAT-X.10"]}.items() <= {row["id"]: row for row in report["trace"]}["UC-10"].items()
    written = "".join(path.read_text("utf-8") for path in (tmp_path / "out").iterdir())
    assert "Catalog client" in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "tell-nobody-of-me" not in written
