"""The catalog client fetches reports and states over a bad network, and loses no result."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.reference_connector.bad_network import (
    BadNetwork,
    Fault,
    answers,
    babbles,
    closes,
    cuts,
    cuts_without_a_length,
    drips,
    hangs,
    reset,
)
from tests.reference_connector.conftest import QUICK, WITHOUT_AN_END
from tests.reference_connector.small_platform import (
    SmallPlatform,
    a_report,
)

UPLOAD, STATUS = "/catalog/upload", "/getCatalogUploadStatus"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
EXPIRED_TOKEN = b"<Error><Code>ExpiredToken</Code></Error>"
PAST = "Thu, 01 Jan 2026 00:00:00 GMT"
FAR = "Fri, 31 Dec 2100 23:59:59 GMT"


@pytest.mark.parametrize(
    "fault",
    [
        reset, closes, cuts, cuts_without_a_length, hangs, drips, babbles,
        answers(403, DENIED), answers(400, EXPIRED_TOKEN), answers(404), answers(410), answers(503), answers(301),
        answers(200, b"<html>sign in</html>"), answers(200, b""), answers(200, b"{}"),
        answers(200, json.dumps(a_report("another")).encode()),
        answers(200, gzip.compress(b'{"ingestionId": "one"}')[:-9], Content_Encoding="gzip"),
        answers(200, b"\x1f\x8b not gzip"),
    ],
)  # fmt: skip
def test_report_is_fetched_after_a_fault(
    network: BadNetwork, platform: SmallPlatform, logged: Any, fault: Fault
) -> None:
    platform.done("one")
    network.faults["/report/"] = [fault]
    (result,) = logged(**(QUICK if fault in WITHOUT_AN_END else {}))[0].wait_for_results(["one"], 5)
    assert (result.report, result.problem) == (a_report("one"), "")


@pytest.mark.parametrize("headers", [{}, {"Content_Encoding": "gzip"}])
def test_compressed_report_is_read(
    network: BadNetwork, platform: SmallPlatform, logged: Any, headers: dict[str, str]
) -> None:
    platform.done("one")
    network.faults["/report/"] = [answers(200, gzip.compress(json.dumps(a_report("one")).encode()), **headers)]
    (result,) = logged()[0].wait_for_results(["one"], 5)
    assert (result.report, network.count("/report/")) == (a_report("one"), 1)


def shortened() -> dict[str, Any]:
    report = a_report("one")
    return report | {"items": report["items"][:1]}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (answers(403, DENIED), "403"),
        (answers(404), "404"),
        (answers(200, b"<html>sign in</html>"), "not JSON"),
        (answers(200, b"[]"), "not an object"),
        (answers(200, json.dumps(a_report("another")).encode()), "another ingestion"),
        (answers(200, json.dumps(shortened()).encode()), "summary.received is 2"),
        (answers(200, b"{" + b" " * 3000 + b"}"), "JWO_CATALOG_ANSWER_LIMIT_BYTES"),
        (answers(200, gzip.compress(b" " * 100_000)), "JWO_CATALOG_ANSWER_LIMIT_BYTES"),
    ],
)
def test_report_that_stays_unreadable_costs_no_other_result(
    network: BadNetwork, platform: SmallPlatform, logged: Any, fault: Fault, words: str
) -> None:
    platform.done("one")
    platform.done("two")
    network.faults["/report/one"] = [fault] * 20
    lost, kept = logged(answer_limit_bytes=2000)[0].wait_for_results(["one", "two"], 60)
    assert (lost.processing_status, lost.report, words in lost.problem) == ("DONE", None, True), lost
    assert kept.report == a_report("two")
    assert network.count("/report/one") <= 10


def test_link_to_a_blocked_host_costs_no_other_result(platform: SmallPlatform, logged: Any) -> None:
    platform.done("one")
    platform.status["one"]["reportDownloadLink"] = "https://reports.s3.amazonaws.com/one?X-Amz-Signature=secret"
    platform.done("two")
    lost, kept = logged()[0].wait_for_results(["one", "two"], 5)
    assert ("real Amazon host" in lost.problem, "secret" in lost.problem) == (True, False)
    assert kept.report == a_report("two")


def test_report_that_is_down_is_tried_until_the_deadline(
    network: BadNetwork, platform: SmallPlatform, logged: Any
) -> None:
    platform.done("one")
    network.faults["/report/"] = [answers(503)] * 25
    (result,) = logged()[0].wait_for_results(["one"], 30)
    assert (result.report, network.count("/report/")) == (a_report("one"), 26)
    network.faults["/report/"] = [reset] * 2000
    (result,) = logged(status_every_s=0.05)[0].wait_for_results(["one"], 0.2)
    assert (result.report, result.is_given_up, "no answer" in result.problem) == (None, False, True)


def test_platform_that_is_down_for_a_while_costs_no_result(
    network: BadNetwork, platform: SmallPlatform, logged: Any
) -> None:
    for name in ("one", "two"):
        platform.done(name)
    network.faults[STATUS] = [reset, cuts, answers(503)] * 5
    results = logged()[0].wait_for_results(["one", "two"], 30)
    assert [result.report for result in results] == [a_report("one"), a_report("two")]


def test_unknown_ingestion_costs_no_other_result(network: BadNetwork, platform: SmallPlatform, logged: Any) -> None:
    platform.done("two")
    network.faults[STATUS] = [answers(400, b'{"errorMsg":"InvalidRequestException"}')]
    lost, kept = logged()[0].wait_for_results(["one", "two"], 30)
    assert (lost.is_given_up, "InvalidRequestException" in lost.problem, kept.report) == (True, True, a_report("two"))
    assert network.count(STATUS) == 2


def test_no_time_to_wait_still_asks_once(platform: SmallPlatform, logged: Any) -> None:
    platform.done("one")
    one, two = logged()[0].wait_for_results(["one", "two"], 0)
    assert (one.report, two.processing_status, len(platform.calls)) == (a_report("one"), "INQUEUE", 2)
