"""Masks for values that a report must not show: credentials, identity keys and shopper data, wherever they appear.

A mask shows a digest of the hidden value, so that a reader still sees whether two values are equal.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

REDACTED = "<redacted>"
"""The mask of a credential in a header."""
MASK = re.compile(r"<\d+ characters, #[0-9a-f]{8}>")
NO_SOURCES: Mapping[str, str] = MappingProxyType({})
_MASKED_KEY = re.compile(rf'"identityKey"\s*:\s*"({MASK.pattern})"')
_SECRET_HEADERS = {"authorization", "x-amz-security-token", "cookie", "set-cookie"}
_MEMBERS = re.compile(
    r'("(?:identityKey|shopperDeviceId)"\s*:\s*")((?:[^"\\]|\\.)*)(")'
    r'|("(?:visitorDetails|scanResult|shopperIdentity|paymentSource)"\s*:\s*\{[^{}]*?"id"\s*:\s*")((?:[^"\\]|\\.)*)(")'
)
_QUOTE = r"""\\*["']"""
_MEMBERS_IN_OTHER_TEXTS = re.compile(
    rf"({_QUOTE}(?:identityKey|shopperDeviceId){_QUOTE}\s*:\s*(?P<quote>{_QUOTE}))(.*?)((?P=quote)|\Z)"
    rf"|({_QUOTE}(?:visitorDetails|scanResult|shopperIdentity|paymentSource){_QUOTE}\s*:\s*\[?\s*\{{[^{{}}]*?"
    rf"{_QUOTE}id{_QUOTE}\s*:\s*(?P<quote_of_id>{_QUOTE}))(.*?)((?P=quote_of_id)|\Z)",
    re.DOTALL,
)
"""The same members in a text that is nearly JSON: in single quotes, in a list, or as JSON within a text."""
_IDENTITY_KEY = re.compile(r'"identityKey"\s*:\s*("(?:[^"\\]|\\.)*")')
_ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+|\\.")
_SHORTEST = 6
"""Shorter values also occur in ordinary words, and would mask those."""


class Blank(NamedTuple):
    """A variable of the shell that holds a masked value, and where a reader finds that value."""

    name: str
    source: str


def mask(value: str) -> str:
    """Return the mask of a value: its length and the first digits of its digest; an empty value has no mask."""
    if not value:
        return value
    return f"<{len(value)} characters, #{hashlib.sha256(value.encode()).hexdigest()[:8]}>"


def masked_text(body: bytes, secrets: Iterable[str] = ()) -> str:
    """Return a body as text without identity keys, shopper ids and the given secrets, plain or escaped as in JSON."""
    text = body.decode("utf-8", "replace")
    is_escaped = "\\" in text
    for secret in secrets:
        text = text.replace(secret, mask(secret))
        if is_escaped and secret:
            text = re.sub("".join(map(_in_any_form, secret)), mask(secret), text)
    return _MEMBERS_IN_OTHER_TEXTS.sub(_masked_in_other_text, _MEMBERS.sub(_masked_member, text))


def unescaped(text: str) -> str:
    """Return a text with its JSON escapes replaced by their characters, whether it is JSON or not."""
    return _ESCAPE.sub(lambda found: _plain(found[0]), text)


def masked_headers(
    headers: Mapping[str, str], secret: frozenset[str] = frozenset(), secrets: Iterable[str] = ()
) -> dict[str, str]:
    """Return headers with credentials masked; `secret` holds names of other secret headers, `secrets` secret values."""
    hidden = _SECRET_HEADERS | {name.lower() for name in secret}
    return {
        name: REDACTED if name.lower() in hidden else masked_text(value.encode(), secrets)
        for name, value in headers.items()
    }


def secrets_of(body: bytes, known: Iterable[str]) -> list[str]:
    """Return the secrets that an answer could repeat: the known ones and the request's own key, longest first."""
    return sorted({secret for secret in {*known, *_keys(body)} if len(secret) >= _SHORTEST}, key=len, reverse=True)


def header_blank(header: str, value: str, sources: Mapping[str, str]) -> Blank:
    """Return the placeholder of a credential. `sources` says of a secret where the profile declares it."""
    name = f"CONNECTOR_{re.sub(r'[^A-Z0-9]', '_', header.upper())}"
    if value.startswith("AWS4-HMAC-SHA256"):
        return Blank(name, "the signature of exactly this request; it expires within minutes")
    return Blank(name, sources.get(value, f"the value of {header}: see [connector] of the profile"))


def body_blanks(masked: str, body: bytes, secrets: Iterable[str], sources: Mapping[str, str]) -> dict[str, Blank]:
    """Return the placeholder of each mask in a masked body."""
    credentials, keys = {mask(secret) for secret in secrets}, set(_MASKED_KEY.findall(masked))
    known = {mask(value): source for value, source in sources.items()}
    minted = {mask(each): _about_key(each) for each in _keys(body)}
    blanks: dict[str, Blank] = {}
    for each in dict.fromkeys(MASK.findall(masked)):
        if each in keys:
            name, source = "IDENTITY_KEY", known.get(each, minted.get(each, "the key that the case sends"))
        elif each in credentials:
            name, source = "CONNECTOR_KEY", known.get(each, "a credential of [connector] of the profile")
        else:
            name, source = "SHOPPER_ID", known.get(each, f"an id that the connector answered: {each}")
        names = {blank.name for blank in blanks.values()}
        blanks[each] = Blank(name if name not in names else f"{name}_{len(names) + 1}", source)
    return blanks


def _about_key(key: str) -> str:
    return f"[keys] of the profile, or the key that the case makes: {len(key)} characters"


def _keys(body: bytes) -> list[str]:
    return [json.loads(key) for key in _IDENTITY_KEY.findall(body.decode("utf-8", "replace")) if _is_json(key)]


def _in_any_form(character: str) -> str:
    """Return a pattern for a character, plain and in every form in which JSON may escape it."""
    escapes = {json.dumps(character)[1:-1], character.replace("/", "\\/"), f"\\u{ord(character):04x}"} - {character}
    return f"(?:{re.escape(character)}|{'|'.join(f'(?i:{re.escape(each)})' for each in sorted(escapes))})"


def _plain(escape: str) -> str:
    try:
        return str(json.loads(f'"{escape}"'))
    except ValueError:
        return escape


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _masked_member(found: re.Match[str]) -> str:
    before, value, after = found.groups()[:3] if found.group(1) else found.groups()[3:]
    return f"{before}{value if _is_masked(value) else mask(value)}{after}"


def _masked_in_other_text(found: re.Match[str]) -> str:
    before, _, value, after = found.groups()[:4] if found.group(1) else found.groups()[4:]
    return f"{before}{value if _is_masked(value) else mask(value)}{after}"


def _is_masked(value: str) -> bool:
    """Say whether a value is a mask already: one of this module, or the stars of the simulated platform's journal."""
    return (value.startswith("<") and value.endswith(">")) or set(value) == {"*"}
