"""Minting: the reason of a failed source, without the source's secrets."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from conformance.mutants.small_connector import SmallConnector
from load.minting import NoKey, source

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (f"false --token={SECRET}", "exit code 1"),
        (f"/nowhere/{SECRET}", "No such file"),
        (f"echo '{SECRET}", "not a valid command line"),
    ],
)
def test_failed_command_is_reported_without_its_text(command: str, why: str) -> None:
    with pytest.raises(NoKey, match=why) as caught:
        source(command, "")("shopper")

    assert SECRET not in str(caught.value)


def test_failed_address_is_reported_without_user_and_query(serve: Any) -> None:
    url = serve(SmallConnector()).replace("://", f"://user:{SECRET}@") + f"/nothing/{{type}}?token={SECRET}"

    [entry] = _minted({"command": "", "url": url}, 1)

    assert re.search(r"/nothing/shopper did not answer .*HTTP status 4\d\d$", entry["trouble"]), entry
    assert SECRET not in str(entry)


def test_source_is_read_from_stdin() -> None:
    entries = _minted({"command": "echo c2hvcHBlcg==", "url": ""}, 2)

    assert entries == [{"kind": "shopper", "key": "c2hvcHBlcg=="}] * 2


def _minted(source_line: dict[str, str], count: int) -> list[dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-m", "load.minting"],
        input="".join(json.dumps(line) + "\n" for line in (source_line, {"kind": "shopper", "count": count})),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]
