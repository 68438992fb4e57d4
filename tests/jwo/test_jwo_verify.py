"""The certificate: its content, and that it reveals a change of any byte of it or of its report files."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from conformance.attestation import SUBJECTS, render, statement
from conformance.dsse import key_id, open_envelope
from jwo.certify import Options, publish
from jwo.verify import verify
from tests.conformance.report.conftest import _case as a_case
from tests.conformance.report.conftest import _report as a_report
from tests.conformance.report.reading import model
from tests.jwo.conftest import Jwo

Mutant = Callable[[str], str]
WriteProfile = Callable[[str], Path]
FILES = (*SUBJECTS, "attestation.json")
KEY = Ed25519PrivateKey.from_private_bytes(b"a key of thirty-two bytes, ours.")


def published(folder: Path, key: Ed25519PrivateKey | None = None, **changes: Any) -> Path:
    cases = [a_case("VIK-1.1"), a_case("VIK-3.4", "warn", level="house", provenance="house")]
    return publish(model(a_report(cases, **changes)), Options(out=folder, sign_key=key))["certificate"]


def changed(path: Path, at: int) -> bytes:
    """Change one byte of a file, and return the file as it was."""
    before = path.read_bytes()
    path.write_bytes(before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :])
    return before


def test_certificate_is_an_in_toto_test_result_over_the_files(tmp_path: Path) -> None:
    content = json.loads(published(tmp_path / "out").read_text("utf-8"))

    assert content["_type"] == "https://in-toto.io/Statement/v1"
    assert content["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert [entry["name"] for entry in content["subject"]] == list(SUBJECTS)
    predicate = content["predicate"]
    assert predicate["result"] == "WARNED"
    assert (predicate["passedTests"], predicate["warnedTests"], predicate["failedTests"]) == (
        ["VIK-1.1"],
        ["VIK-3.4"],
        [],
    )
    assert [each["name"] for each in predicate["configuration"]] == ["suite", "requirements", "profile"]


@pytest.mark.parametrize(
    ("verdicts", "strict", "result"),
    [
        (["pass"], False, "PASSED"),
        (["pass", "warn"], False, "WARNED"),
        (["pass", "warn"], True, "FAILED"),
        (["pass", "fail"], False, "FAILED"),
        (["pass", "error"], False, "FAILED"),
        (["not_applicable"], False, "FAILED"),
    ],
)
def test_result_is_never_better_than_the_cases(verdicts: list[str], *, strict: bool, result: str) -> None:
    report = a_report([a_case(f"VIK-3.{at}", verdict) for at, verdict in enumerate(verdicts, 1)], strict=strict)

    assert statement(model(report), dict.fromkeys(SUBJECTS, b""))["predicate"]["result"] == result


def test_an_expected_failure_is_certified_as_a_failure() -> None:
    report = a_report([a_case(), a_case("VIK-3.5", "fail", expectedFailure="known")], verdict="pass")
    report["expectedFailures"] = {"source": "known.toml", "stale": []}

    predicate = statement(model(report), dict.fromkeys(SUBJECTS, b""))["predicate"]

    assert predicate["result"] == "FAILED"
    assert predicate["failedTests"] == ["VIK-3.5"]
    assert predicate["configuration"][-1]["annotations"] == {"file": "known.toml"}


@pytest.mark.parametrize(("signed", "given"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_is_found_in_every_file(tmp_path: Path, name: str, *, signed: bool, given: bool) -> None:
    key = KEY if signed else None
    certificate = published(tmp_path, key)
    path, public = tmp_path / name, KEY.public_key() if given else None
    assert verify(certificate, public).faults == []

    for at in range(0, path.stat().st_size, max(1, path.stat().st_size // 60)):
        before = changed(path, at)
        assert verify(certificate, public).faults, f"byte {at} of {name}"
        path.write_bytes(before)


def test_a_changed_signature_byte_is_found_without_a_user_key(tmp_path: Path) -> None:
    certificate = published(tmp_path, KEY)
    content = certificate.read_bytes()

    for at in range(content.index(b'"signatures"'), len(content)):
        before = changed(certificate, at)
        assert verify(certificate).faults, f"byte {at}: {before[at : at + 1]!r}"
        certificate.write_bytes(before)


@pytest.mark.parametrize("member", ["sig", "publicKey", "keyid"])
def test_signature_with_a_missing_or_foreign_part_is_not_valid(tmp_path: Path, member: str) -> None:
    certificate = published(tmp_path / "ours", KEY)
    other = json.loads(published(tmp_path / "other", Ed25519PrivateKey.generate()).read_text("utf-8"))
    envelope = json.loads(certificate.read_text("utf-8"))

    for part in ({member: other["signatures"][0][member]}, {member: ""}):
        signature = envelope["signatures"][0] | part
        certificate.write_bytes(render(envelope | {"signatures": [signature]}))
        assert any("does not match the key" in fault for fault in verify(certificate).faults)


def test_without_a_key_it_names_what_is_not_proven(tmp_path: Path) -> None:
    certificate = published(tmp_path, Ed25519PrivateKey.generate())

    verification = verify(certificate)
    assert verification.faults == []
    assert "only --public-key FILE proves the owner of that key" in verification.notes[0]


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_missing_file_is_found(tmp_path: Path, name: str) -> None:
    certificate = published(tmp_path)
    (tmp_path / name).unlink()

    assert verify(certificate).faults == [f"{name} is missing"]


def test_signature_reveals_a_forged_report_with_correct_digests(tmp_path: Path) -> None:
    certificate = published(tmp_path / "bad", KEY)
    better = a_report([a_case("VIK-1.1")])
    forged = publish(better, Options(out=tmp_path / "forged"))["certificate"]

    assert verify(forged).faults == []
    assert "not signed" in " ".join(verify(forged).notes)
    assert verify(forged, KEY.public_key()).faults == ["it is not signed, but --public-key names a key"]
    envelope = json.loads(certificate.read_text("utf-8"))
    envelope["payload"] = base64.b64encode(forged.read_bytes()).decode()
    forged.write_bytes(render(envelope))
    assert "was signed by another key" in verify(forged, KEY.public_key()).faults[0]


def test_another_key_is_refused(tmp_path: Path) -> None:
    certificate = published(tmp_path, KEY)

    assert "was signed by another key" in verify(certificate, Ed25519PrivateKey.generate().public_key()).faults[0]


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b'{"payload": 1}', b'{"subject": 3}', b"\xff"])
def test_file_that_is_not_a_certificate_is_a_fault(tmp_path: Path, content: bytes) -> None:
    certificate = published(tmp_path)
    certificate.write_bytes(content)

    assert verify(certificate).faults


def test_signature_covers_the_dsse_encoding(tmp_path: Path) -> None:
    payload, signatures = open_envelope(published(tmp_path, KEY).read_bytes())
    signed = b"DSSEv1 28 application/vnd.in-toto+json %d " % len(payload) + payload

    KEY.public_key().verify(base64.b64decode(signatures[0]["sig"]), signed)
    assert signatures[0]["keyid"] == key_id(KEY.public_key())


def test_certify_signs_and_verify_checks(jwo: Jwo, mutant: Mutant, profile: WriteProfile, tmp_path: Path) -> None:
    profile(mutant(""))
    secret = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(secret)
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "public.pem").write_bytes(public)

    made = jwo("certify", "--profile", "jwo.toml", "--out", "out", "--only", "CP-1.1", "--sign-key", "key.pem")
    good = jwo("verify", "out", "--public-key", "public.pem")
    (tmp_path / "out" / "junit.xml").write_text("<testsuites/>", encoding="utf-8")
    bad = jwo("verify", "out/attestation.json", "--public-key", "public.pem")
    wrong_key = jwo("verify", "out/attestation.json", "--public-key", "jwo.toml")

    assert made.returncode == 0, made.stdout + made.stderr
    assert good.returncode == 0, good.stdout + good.stderr
    assert "result WARNED: 1 passed" in good.stdout
    assert "PARTIAL: 1 of" in good.stdout
    assert "made by this version of the suite" in good.stdout
    assert (bad.returncode, "junit.xml was changed" in bad.stdout) == (1, True)
    assert (wrong_key.returncode, "no public key" in wrong_key.stderr) == (2, True)
