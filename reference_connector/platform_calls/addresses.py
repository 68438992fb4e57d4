"""The types of settings that hold addresses and credentials of the platform, and their checks."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr


def _address(text: str) -> str:
    """Check an address; an empty one means that there is none. Raises ValueError, which says what to set."""
    if text.startswith("arn:"):
        raise ValueError("an ARN is not an address; set the URL, which begins with https:// or http://")
    try:
        parts = urlsplit(text)
        is_address = not text or (parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0)
    except ValueError as error:
        raise ValueError(f"not an address ({error}); write it as https://host or https://host:port") from error
    if not is_address or not text.isprintable() or " " in text:
        raise ValueError("not an address; write it as https://host or https://host:port")
    return text


def checked_endpoint(text: str) -> str:
    """Return an address without user, query and fragment. Raises ValueError, which says what to set."""
    if not text:
        raise ValueError("empty; set the address of the API")
    parts = urlsplit(_address(text))
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError("an address without user, query and fragment is needed, such as https://host")
    return text


def _credential(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("has a space, a line break or another character that no credential has; copy it again")
    return text


def _secret(value: SecretStr) -> SecretStr:
    _credential(value.get_secret_value())
    return value


Address = Annotated[str, AfterValidator(_address)]
Endpoint = Annotated[str, AfterValidator(checked_endpoint)]
Credential = Annotated[str, AfterValidator(_credential)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
