from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.report import write_all
from conformance.report.clean import clean
from jwo_toolkit.json_types import JsonObject
from jwo_toolkit.texts import printable
from tests.conformance.report.reading import model

Build = Callable[..., JsonObject]
KEY = "dmFsaWRfc2hvcHBlcl9rZXk="


def _written(report: JsonObject, out: Path) -> str:
    return "".join(path.read_text("utf-8") for path in write_all(model(report), out).values())


@pytest.mark.parametrize(
    "header", ["Authorization", "X-Amz-Security-Token", "x-api-key", "Cookie", "Proxy-Authorization", "X-Shop-Key"]
)
@pytest.mark.parametrize("secret", ["hunter2-hunter2", "pw1"])
def test_no_file_holds_a_credential(
    a_report: Build, a_case: Build, an_exchange: Build, tmp_path: Path, header: str, secret: str
) -> None:
    exchange = an_exchange(curl=f"curl -H '{header}: {secret}' http://127.0.0.1:8080/")
    exchange["request"]["headers"][header] = secret
    written = _written(a_report([a_case(verdict="fail", exchanges=[exchange])]), tmp_path)
    assert secret not in written
    assert f"redacted, {len(secret)} characters" in written


def test_no_file_holds_a_key_that_could_open_a_gate(
    a_report: Build, a_case: Build, an_exchange: Build, tmp_path: Path
) -> None:
    exchange = an_exchange(request={"identityKey": KEY}, curl=f'curl --data-binary \'{{"identityKey":"{KEY}"}}\'')
    case = a_case(verdict="fail", got=f"401 for {KEY}", exchanges=[exchange])
    assert KEY not in _written(a_report([case]), tmp_path)


def test_a_key_malformed_on_purpose_stays_as_evidence(a_report: Build, a_case: Build, an_exchange: Build) -> None:
    report = a_report([a_case(exchanges=[an_exchange(request={"identityKey": "not base64!"})])])
    assert clean(report) == report


def test_a_masked_value_stays_unchanged(a_report: Build, a_case: Build, an_exchange: Build) -> None:
    exchange = an_exchange(request={"identityKey": "<28 characters, #1f2e3d4c>"})
    exchange["request"]["headers"]["authorization"] = "<redacted>"
    report = a_report([a_case(exchanges=[exchange])])
    assert clean(report) == report


def test_an_answer_with_unwritable_values_is_written(
    a_report: Build, a_case: Build, an_exchange: Build, tmp_path: Path
) -> None:
    deep: Any = "bottom"
    for _ in range(500):
        deep = [deep]
    body = {"lone": "\ud800", "endless": float("inf"), "huge": 10**400, "deep": deep, "\udfff": "name"}
    report = a_report([a_case(verdict="fail", exchanges=[an_exchange(body=body)])])
    stored = json.loads(write_all(model(report), tmp_path)["json"].read_text("utf-8"))
    answer = stored["cases"][0]["exchanges"][0]["response"]["body"]
    assert answer["lone"] == "\\ud800"
    assert answer["endless"] == "inf"
    assert answer["huge"] == 10**400
    assert "left out" in json.dumps(answer["deep"])


def test_control_and_direction_characters_show_as_escapes() -> None:
    assert printable("a\x1b[2J\u202eb\tc\n\x9b\ud800") == "a\\x1b[2J\\u202eb\tc\n\\x9b\\ud800"
