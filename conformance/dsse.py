"""Signs a certificate: a DSSE v1 envelope around the statement, with one ed25519 signature.

The envelope also holds the public key, in a member that other readers of envelopes ignore. With this key, any reader
can check that nothing has changed since the signing. Only a public key from another source proves who signed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from conformance.errors import BadKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_MAKE_PUBLIC_KEY = "openssl pkey -in PRIVATE.pem -pubout -out PUBLIC.pem"
_MAKE_KEY = "openssl genpkey -algorithm ed25519 -out PRIVATE.pem"


def load_private_key(path: Path) -> Ed25519PrivateKey:
    """Read a private ed25519 key from PEM (PKCS#8, no password). Raises BadKey if the file does not hold one."""
    try:
        key = load_pem_private_key(_pem(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKey(f"{path} holds no private key as PEM without a password; make one with: {_MAKE_KEY}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey(f"{path} is not an ed25519 key; make one with: {_MAKE_KEY}")
    return key


def load_public_key(path: Path) -> Ed25519PublicKey:
    """Read a public ed25519 key from PEM. Raises BadKey if the file does not hold one."""
    try:
        key = load_pem_public_key(_pem(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey(f"{path} holds no public key as PEM; make it with: {_MAKE_PUBLIC_KEY}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadKey(f"{path} is not an ed25519 key; name the public key of the one that signed")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """Return the SHA-256 of the key's DER form, as hex."""
    return hashlib.sha256(_der(key)).hexdigest()


def sign(payload: bytes, key: Ed25519PrivateKey) -> dict[str, Any]:
    """Return the envelope of a payload, with one signature."""
    public, signature = key.public_key(), key.sign(_encoded(payload))
    entry = {"keyid": key_id(public), "sig": _text(signature), "publicKey": _text(_der(public))}
    return envelope(payload, [entry])


def envelope(payload: bytes, signatures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the envelope of a payload and its signatures."""
    return {
        "payload": _text(payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": signatures,
    }


def open_envelope(content: bytes) -> tuple[bytes, list[dict[str, Any]]]:
    """Return the payload and the signatures of an envelope; content without an envelope is returned with no signature.

    Raises ValueError if the content is not JSON, or if the envelope is broken.
    """
    value = json.loads(content)
    if not isinstance(value, dict) or "payload" not in value:
        return content, []
    if value.get("payloadType") != PAYLOAD_TYPE:
        raise ValueError("its payload is not an in-toto statement")
    try:
        payload = _decoded(value["payload"])
        signatures = [_entry(each) for each in value["signatures"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("it is a broken envelope") from error
    return payload, signatures


def matches_own_key(payload: bytes, signature: dict[str, Any]) -> bool:
    """Say whether the public key beside a signature verifies it for this payload; False without such a key."""
    try:
        key = load_der_public_key(_decoded(signature.get("publicKey", "")))
    except (ValueError, UnsupportedAlgorithm):
        return False
    return isinstance(key, Ed25519PublicKey) and is_signed_by(payload, [signature], key)


def is_signed_by(payload: bytes, signatures: list[dict[str, Any]], key: Ed25519PublicKey) -> bool:
    """Say whether one of the signatures names this key, and the key verifies it for this payload."""
    return any(each["keyid"] == key_id(key) and _holds(payload, each["sig"], key) for each in signatures)


def _holds(payload: bytes, signature: str, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(_decoded(signature), _encoded(payload))
    except (InvalidSignature, ValueError):
        return False
    return True


def _entry(signature: dict[str, Any]) -> dict[str, Any]:
    own_key = {"publicKey": str(signature["publicKey"])} if "publicKey" in signature else {}
    return {"keyid": str(signature["keyid"]), "sig": str(signature["sig"]), **own_key}


def _der(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _decoded(text: str) -> bytes:
    """Decode canonical Base64 only: otherwise unused bits at the end would let two texts give equal bytes.

    Raises ValueError if the text is not canonical Base64.
    """
    content = base64.b64decode(text, validate=True)
    if _text(content) != text:
        raise ValueError("it is not canonical Base64")
    return content


def _encoded(payload: bytes) -> bytes:
    """Return the bytes that DSSE signs: the type and the payload, each with its length before it."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _pem(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadKey(f"cannot read the key {path}: {error.strerror}; name a file that holds a key as PEM") from error
