"""Usage errors of `jwo certify`: exit 2, and a sentence that says what to do."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jwo.conftest import Jwo


def test_refused_connection_is_reported_with_a_fix(jwo: Jwo) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        done = jwo("certify", "--connector", f"http://127.0.0.1:{holder.getsockname()[1]}")

    assert done.returncode == 2
    assert "cannot connect to http://127.0.0.1" in done.stderr
    assert "start the connector" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--connector", "ftp://127.0.0.1"], "is not an http:// or https:// address"),
        (["--connector", ""], "--connector is empty"),
        (["--connector", "http://127.0.0.1:99999"], "a port from 1 to 65535"),
        (["--connector", "http://ann:secret@127.0.0.1:1"], "put credentials into headers"),
        (["--out", "/dev/null/reports", "--connector", "http://127.0.0.1:1"], "cannot write reports"),
        (["--profile", "missing.toml"], "jwo init"),
        (["--only", "VIK-99"], "there is no case VIK-99"),
        (["--only", "VIK-5"], "has no test"),
        (["--tier", "cosmic"], "--tier: there is no tier cosmic; name"),
        (["--connector", "https://us-east-1.checkout.amazonphysicalstores.com"], "Amazon"),
    ],
)
def test_usage_error_exits_with_2_and_says_what_to_do(jwo_here: Jwo, arguments: list[str], sentence: str) -> None:
    done = jwo_here("certify", *arguments)

    assert done.returncode == 2, done.stdout + done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_failed_case_of_the_profile_fails_the_run_and_is_replayed(
    jwo: Jwo, mutant: Callable[[str], str], profile: Callable[[str], Path]
) -> None:
    path = profile(mutant(""))
    case = (
        '\n[[case]]\nname = "no roof"\noperation = "Verify Identity Keys"\nstatus = 200\nmembers = { storeId = "X" }\n'
    )
    path.write_text(path.read_text("utf-8") + case, "utf-8")
    done = jwo("certify", "--profile", "jwo.toml", "--tier", "entry")
    again = jwo("replay", "own:no roof")
    unknown = jwo("replay", "own:other")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAIL  own:no roof" in done.stdout
    assert "Cases of the profile: 0 of 1 passed" in done.stdout
    assert "jwo replay 'own:no roof'" in done.stdout
    assert again.returncode == 1, again.stdout + again.stderr
    assert "the answer is 200" in again.stdout
    assert unknown.returncode == 2
    assert "it has: own:no roof" in unknown.stderr
