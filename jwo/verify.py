"""`jwo verify FILE`: hold a certificate against the report files beside it, offline.

The statement is made again from the files, and a signature is checked with the key that travels with it: a byte that
differs is tampering. That proves no more than that the parts belong together: whoever can write the files can make them
all again, and sign with a key of their own. Whose key it is, only --public-key proves. Exit 1 when anything is wrong.
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
from conformance.digest import suite_digest
from conformance.report import ReportBreaksSchema
from conformance.report.clean import printable
from conformance.report.json_file import check
from conformance.report.model import Report, from_json
from jwo.errors import Usage


class Verification(NamedTuple):
    """What is wrong (nothing, if the certificate holds), and what else there is to say."""

    faults: list[str]
    notes: list[str]


def verify(path: Path, key: Ed25519PublicKey | None = None) -> Verification:
    """Verify a certificate. With a key, an absent signature is a fault. Raises Usage if there is no file at `path`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Usage(f"{path} cannot be read: {error.strerror}") from error
    try:
        payload, signatures = dsse.open_envelope(content)
        said = json.loads(payload)
    except ValueError as error:
        return Verification([f"{path.name} is no certificate: {error}"], [])
    faults, notes = _signature(payload, signatures, key)
    files, missing = _files(path.parent)
    faults += missing or _differences(said, payload, files)
    if signatures and attestation.render(dsse.envelope(payload, signatures)) != content:
        faults.append(f"{path.name} is not as it was written")
    return Verification(faults, notes + _notes(said))


def show(verification: Verification, path: Path, console: Console) -> int:
    """Print the outcome and return the exit code."""
    for fault in verification.faults:
        console.print(Text(printable(f"TAMPERED  {fault}"), style="bold red"), soft_wrap=True)
    for note in verification.notes:
        console.print(Text(printable(f"          {note}")), soft_wrap=True)
    if verification.faults:
        console.print(Text("The certificate does not hold."))
        return 1
    console.print(Text(f"verified  {path} and the {len(attestation.SUBJECTS)} files that it names", style="green"))
    return 0


def _signature(
    payload: bytes, signatures: list[dict[str, Any]], key: Ed25519PublicKey | None
) -> tuple[list[str], list[str]]:
    names = ", ".join(each["keyid"][:16] for each in signatures)
    if not signatures:
        unsigned = "not signed: anyone who can write the files could have made them all"
        return (["it is not signed, and a key was given"], []) if key else ([], [unsigned])
    if key and not dsse.is_signed_by(payload, signatures, key):
        return [f"it is not signed by this key ({dsse.key_id(key)[:16]}), but by {names}, or was changed since"], []
    if not all(_holds(payload, each, key) for each in signatures):
        return [f"its signature does not hold by the key that travels with it ({names})"], []
    note = f"unchanged since it was signed by key {names}"
    return [], [note if key else f"{note}; only --public-key FILE proves the owner of the key"]


def _holds(payload: bytes, signature: dict[str, Any], key: Ed25519PublicKey | None) -> bool:
    """Say whether a signature holds by itself; one that travels without a key needs the user's."""
    return dsse.matches_own_key(payload, signature) or (key is not None and "publicKey" not in signature)


def _files(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    present = {name: folder / name for name in attestation.SUBJECTS if (folder / name).is_file()}
    missing = [f"{name} is missing" for name in attestation.SUBJECTS if name not in present]
    return {name: path.read_bytes() for name, path in present.items()}, missing


def _differences(said: Any, payload: bytes, files: Mapping[str, bytes]) -> list[str]:  # noqa: ANN401 - any JSON
    """Name the files that differ; the certificate itself when it is not the one that the files lead to."""
    try:
        digests = {entry["name"]: entry["digest"]["sha256"] for entry in said["subject"]}
    except (KeyError, TypeError):
        return ["the certificate names no files"]
    changed = [f"{name} was changed" for name in files if digests.get(name) != _sha256(files[name])]
    if changed:
        return changed
    try:
        report = json.loads(files["report.json"])
        check(report)
        made = attestation.render(attestation.statement(from_json(Report, report), files))
    except (ValueError, KeyError, TypeError, ReportBreaksSchema) as error:
        return [f"report.json is no report: {error}"]
    return [] if made == payload else ["the certificate says something else than the files"]


def _notes(said: Any) -> list[str]:  # noqa: ANN401 - any JSON
    predicate = said.get("predicate") if isinstance(said, dict) else None
    if not isinstance(predicate, dict):
        return []
    described = {each.get("name"): each for each in predicate.get("configuration", ()) if isinstance(each, dict)}
    suite, profile = described.get("suite", {}), described.get("profile", {})
    own = suite.get("digest") == {"sha256": suite_digest()}
    counts = ", ".join(f"{len(predicate.get(f'{word}Tests', ()))} {word}" for word in ("passed", "warned", "failed"))
    return [
        f"result {predicate.get('result')}: {counts}",
        f"connector {profile.get('annotations', {}).get('connector')}",
        "judged by this very suite" if own else "judged by another version of the suite than this one",
    ]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
