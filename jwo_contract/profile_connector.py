"""The table `[connector]` of the profile, and what all tables share."""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from jwo_contract.sigv4 import Key
from jwo_toolkit.tls import unusable

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")


def _command_line(command: str) -> str:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"{command!r} is not a command line ({error}); write it as for a shell") from error
    if command and not words:
        raise ValueError("the command is blank; name a program, or leave it empty")
    return command


CommandLine = Annotated[str, AfterValidator(_command_line)]
"""Words as in a shell, but no shell runs them."""


class Table(BaseModel):
    """Base class of the tables: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def checked_url(url: str) -> str:
    """Return an address without a slash at its end. Raises ValueError if no connector can have it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"{url!r} is not an http:// or https:// address with a port from 1 to 65535")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("the address has credentials, a query or a fragment; put credentials into headers")
    return url.rstrip("/")


class ConnectorTable(Table):
    """The connector's address and how it authenticates its callers."""

    url: str
    """Its address, `http://` or `https://`, without a slash at its end."""
    auth: Literal["none", "headers", "sigv4"] = "none"
    """How it authenticates callers; `sigv4` signs for the service `execute-api`."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Names and values of the headers, for `auth = "headers"`."""
    region: str = "us-east-1"
    """The region of the signature, for `auth = "sigv4"`."""
    access_key_id: str = ""
    """The AWS key that signs, for `auth = "sigv4"`."""
    secret_access_key: str = ""
    """Its secret; write it as `env:NAME`."""
    session_token: str = ""
    """Its session token, if the credentials are temporary."""
    ca_file: str = ""
    """Certificates (PEM) to trust besides the system's: a private CA, or the server's own. `load` makes it absolute."""
    restart_command: CommandLine = ""
    """A command that ends the connector and starts it again; the suite checks that a restart loses nothing."""

    @field_validator("ca_file")
    @classmethod
    def _holds_certificates(cls, ca_file: str) -> str:
        if ca_file and (problem := unusable(ca_file)):
            raise ValueError(f"{ca_file} is not usable ({problem}); name a file with your CA's certificate in PEM form")
        return ca_file

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        return checked_url(url)

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
                raise ValueError(
                    f"the header {name!r} is not valid; use a name without blanks and a value of printable ASCII"
                )
        return headers

    @model_validator(mode="after")
    def _can_sign(self) -> Self:
        if self.auth == "sigv4" and not (self.access_key_id and self.secret_access_key):
            raise ValueError("auth = sigv4 needs access_key_id and secret_access_key; set both, as env:NAME")
        return self

    @property
    def key(self) -> Key:
        """The AWS key that signs requests when `auth` is `sigv4`."""
        return Key(self.access_key_id, self.secret_access_key, self.session_token or None)
