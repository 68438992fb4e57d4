"""The certificate of a run: an in-toto Statement v1 with a test-result predicate v0.1, over the report files.

Every statement follows from the files beside the certificate, so a reader can make the certificate again from them and
compare the two, offline. A certificate without a signature proves that the files belong together. Only a signature
proves who made them (`conformance.dsse`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from conformance.report.model import Report, to_json
from conformance.report.verdict import is_expected
from conformance.verdicts import Verdict, failing

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
FILE = "attestation.json"
SUBJECTS = ("report.json", "report.html", "junit.xml", "badge.svg")
"""The files that a certificate is about. The first is report.json, from which the certificate is made."""


def statement(report: Report, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the statement about the written files of a report; `files` holds their bytes by name."""
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": _sha256(files[name])}} for name in SUBJECTS],
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": result(report),
            "configuration": _configuration(report),
            "passedTests": _ids(report, Verdict.PASS),
            "warnedTests": _ids(report, Verdict.WARN),
            "failedTests": _ids(report, Verdict.FAIL, Verdict.ERROR),
        },
    }


def result(report: Report) -> str:
    """Return PASSED, WARNED or FAILED. An expected failure counts as a failure: it is known, but not fixed.

    A partial run is at best WARNED: a reader who looks at the result only must not take it for a whole pass.
    """
    verdicts = {case.verdict for case in report.cases}
    if report.verdict is not Verdict.PASS or verdicts & failing(strict=report.suite.strict):
        return "FAILED"
    return "WARNED" if Verdict.WARN in verdicts or report.is_partial else "PASSED"


def render(value: Mapping[str, Any]) -> bytes:
    """Return a statement or an envelope as JSON; equal values give equal bytes."""
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def _configuration(report: Report) -> list[dict[str, Any]]:
    """Return the suite, the requirements, the profile and the expected failures of a run, each with its digest."""
    suite = report.suite
    described = [
        _descriptor("suite", suite.digest or "", product=suite.name, version=suite.version),
        _descriptor("requirements", suite.revision, docSet=suite.doc_set, strict=suite.strict),
        _descriptor("profile", _digest_of(report.settings), connector=report.connector.url),
    ]
    if part := report.completeness:
        missing = [rule.id for rule in part.not_judged]
        described.append(
            _descriptor(
                "completeness",
                _digest_of(to_json(part)),
                complete=part.complete,
                judged=part.judged,
                total=part.total,
                notJudged=missing,
                notOffered=list(part.not_offered),
            )
        )
    if report.expected_failures:
        known = {case.id: case.expected_failure for case in report.cases if is_expected(case)}
        content = {"known": known, "stale": to_json(report.expected_failures.stale)}
        described.append(_descriptor("expected failures", _digest_of(content), file=report.expected_failures.source))
    return described


def _descriptor(name: str, sha256: str, **annotations: object) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": sha256}, "annotations": annotations}


def _ids(report: Report, *verdicts: Verdict) -> list[str]:
    return [case.id for case in report.cases if case.verdict in verdicts]


def _digest_of(value: object) -> str:
    return _sha256(json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
