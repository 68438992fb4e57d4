"""Compares a certificate with the report files beside it, offline, for `jwo verify FILE`.

It computes the statement again from the files, and checks a signature with the key inside the certificate. A byte that
differs is tampering. This proves only that the parts belong together: a person who can write the files can also create
all of them again, and sign them with another key. Only --public-key proves the owner of the key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rich.console import Console
from rich.text import Text

from conformance import attestation, dsse
from conformance.digest import revision, suite_digest
from conformance.report import ReportBreaksSchema
from conformance.report.json_file import check
from conformance.report.model import Report, from_json
from jwo.errors import Usage
from jwo_contract.register import editions, newest_edition
from jwo_toolkit.texts import printable


class Verification(NamedTuple):
    """The faults of a certificate (none if it is valid), and notes about it."""

    faults: list[str]
    notes: list[str]


def verify(path: Path, key: Ed25519PublicKey | None = None) -> Verification:
    """Verify a certificate. With a key, a missing signature is a fault. Raises Usage if there is no file at `path`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Usage(f"cannot read {path}: {error.strerror}; name the attestation.json of a run") from error
    try:
        payload, signatures = dsse.open_envelope(content)
        statement = json.loads(payload)
    except ValueError as error:
        return Verification([f"{path.name} is not a certificate: {error}"], [])
    if not isinstance(statement, dict) or "subject" not in statement:
        return Verification([f"{path.name} is not a certificate: it lists no report files"], [])
    faults, notes = _signature(payload, signatures, key)
    files, missing = _files(path.parent)
    faults += missing or _differences(statement, payload, files)
    if signatures and attestation.render(dsse.envelope(payload, signatures)) != content:
        faults.append(f"{path.name} was changed after it was written")
    return Verification(faults, notes + _notes(statement))


def certificate_at(path: Path) -> Path:
    """Return the path of the certificate: for a folder, its attestation.json."""
    return path / attestation.FILE if path.is_dir() else path


def show(verification: Verification, path: Path, console: Console) -> int:
    """Print the outcome and return the exit code."""
    for fault in verification.faults:
        console.print(Text(printable(f"TAMPERED  {fault}"), style="bold red"), soft_wrap=True)
    for note in verification.notes:
        console.print(Text(printable(f"          {note}")), soft_wrap=True)
    if verification.faults:
        console.print(Text("The certificate is not valid."))
        return 1
    console.print(
        Text(f"verified  {path} and its {len(attestation.SUBJECTS)} report files", style="green"), soft_wrap=True
    )
    return 0


def _signature(
    payload: bytes, signatures: list[dict[str, Any]], key: Ed25519PublicKey | None
) -> tuple[list[str], list[str]]:
    names = ", ".join(each["keyid"][:16] for each in signatures)
    if not signatures:
        unsigned = "not signed: a person who can write these files could have created all of them"
        return (["it is not signed, but --public-key names a key"], []) if key else ([], [unsigned])
    if key and not dsse.is_signed_by(payload, signatures, key):
        return [f"it was signed by another key ({names}), not by {dsse.key_id(key)[:16]}, or it was changed later"], []
    if not all(_is_valid(payload, each, key) for each in signatures):
        return [f"its signature does not match the key inside it ({names})"], []
    note = f"unchanged since it was signed by key {names}"
    return [], [note if key else f"{note}; only --public-key FILE proves the owner of that key"]


def _is_valid(payload: bytes, signature: dict[str, Any], key: Ed25519PublicKey | None) -> bool:
    """Return whether a signature is valid. If it carries no key, the user's key checks it."""
    return dsse.matches_own_key(payload, signature) or (key is not None and "publicKey" not in signature)


def _files(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    present = {name: folder / name for name in attestation.SUBJECTS if (folder / name).is_file()}
    missing = [f"{name} is missing" for name in attestation.SUBJECTS if name not in present]
    return {name: path.read_bytes() for name, path in present.items()}, missing


def _differences(statement: Any, payload: bytes, files: Mapping[str, bytes]) -> list[str]:  # noqa: ANN401 - any JSON
    """Return a sentence for each changed file, or one if the certificate does not match unchanged files."""
    try:
        digests = {entry["name"]: entry["digest"]["sha256"] for entry in statement["subject"]}
    except (KeyError, TypeError):
        return ["the certificate names no files"]
    changed = [f"{name} was changed" for name in files if digests.get(name) != _sha256(files[name])]
    if changed:
        return changed
    try:
        report = json.loads(files["report.json"])
        check(report)
        recomputed = attestation.render(attestation.statement(from_json(Report, report), files))
    except (ValueError, KeyError, TypeError, ReportBreaksSchema) as error:
        return [f"report.json is not a report: {error}"]
    return [] if recomputed == payload else ["the certificate does not match the files"]


def _notes(statement: Any) -> list[str]:  # noqa: ANN401 - any JSON
    predicate = statement.get("predicate") if isinstance(statement, dict) else None
    if not isinstance(predicate, dict):
        return []
    described = {each.get("name"): each for each in predicate.get("configuration", ()) if isinstance(each, dict)}
    suite, profile = described.get("suite", {}), described.get("profile", {})
    own = suite.get("digest") == {"sha256": suite_digest()}
    counts = ", ".join(f"{len(predicate.get(f'{word}Tests', ()))} {word}" for word in ("passed", "warned", "failed"))
    return [
        f"result {predicate.get('result')}: {counts}",
        *_completeness(described.get("completeness")),
        f"connector {profile.get('annotations', {}).get('connector')}",
        "made by this version of the suite" if own else "made by another version of the suite",
        *_edition(described.get("requirements")),
    ]


def _edition(part: Any) -> list[str]:  # noqa: ANN401 - any JSON
    """Return notes on the edition of the documentation that judged. A newer edition is no fault of a certificate."""
    facts = part.get("annotations") if isinstance(part, dict) else None
    edition = facts.get("docSet") if isinstance(facts, dict) else None
    if not edition:
        return []
    if edition not in editions():
        return [f"judged by the edition {edition} of the documentation, which this version of the kit does not know"]
    same = part.get("digest") == {"sha256": revision(edition)}
    rules = "the same rules as" if same else "other checks than"
    notes = [f"judged by the edition {edition} of the documentation, with {rules} this version of the kit has for it"]
    if edition != newest_edition():
        notes.append(f"the newest edition is {newest_edition()}; it does not change this verdict")
    return notes


def _completeness(part: Any) -> list[str]:  # noqa: ANN401 - any JSON
    """Return a note on how much the run judged, and the rules that it did not judge."""
    facts = part.get("annotations") if isinstance(part, dict) else None
    if not isinstance(facts, dict):
        return ["made before certificates said whether the run is partial"]
    share = f"{facts.get('judged')} of {facts.get('total')} MUST rules"
    offered = [f"not offered: {', '.join(facts['notOffered'])}"] if facts.get("notOffered") else []
    if facts.get("complete") is True:
        return [f"complete: {share} judged", *offered]
    return [f"PARTIAL: {share} judged; not judged: {', '.join(facts.get('notJudged') or ())}", *offered]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
