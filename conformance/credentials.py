"""Wrong credentials: none at all, others, and signatures that do not belong to the request at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from jwo_contract.profile_connector import ConnectorTable

_OLD_S = 16 * 60.0
"""AWS accepts a signature for 15 minutes."""
_MARGIN_S = 60.0
_REGIONS = ("eu-north-1", "us-west-2")
_ZEROS = "0" * 64


class Credentials(NamedTuple):
    """How to authenticate a call: the table that says how, and what a signature really belongs to."""

    label: str
    connector: ConnectorTable
    signed_body: bytes | None = None
    """The body that is signed, if it is not the one that is sent."""
    signed_ago: timedelta = timedelta()
    tamper: Callable[[str], str] = str
    """Changes the `Authorization` header of a signed call."""


def none(connector: ConnectorTable) -> Iterator[Credentials]:
    """Yield a call without credentials."""
    yield Credentials("no credentials", connector.model_copy(update={"auth": "none"}))


def others(connector: ConnectorTable) -> Iterator[Credentials]:
    """Yield credentials that are wrong in one way."""
    yield from _other_keys(connector) if connector.auth == "sigv4" else _other_headers(connector)


def other_body(connector: ConnectorTable, body: bytes) -> Iterator[Credentials]:
    """Yield the signature of another body, and of an empty one."""
    yield Credentials("signed another body", connector, signed_body=body)
    yield Credentials("signed an empty body", connector, signed_body=b"")


def other_time(connector: ConnectorTable, max_skew_s: float) -> Iterator[Credentials]:
    """Yield signatures of other times, beyond what AWS and the house allow."""
    skew = timedelta(seconds=max(_OLD_S, max_skew_s + _MARGIN_S))
    yield Credentials(f"signed {skew.total_seconds() / 60:g} minutes ago", connector, signed_ago=skew)
    yield Credentials("signed a day ago", connector, signed_ago=timedelta(days=1) + skew)
    yield Credentials(f"signed in {skew.total_seconds() / 60:g} minutes", connector, signed_ago=-skew)


def other_scope(connector: ConnectorTable) -> Iterator[Credentials]:
    """Yield the signature for another region, and one for another service."""
    region = next(each for each in _REGIONS if each != connector.region)
    yield Credentials(f"signed for {region}", connector.model_copy(update={"region": region}))
    yield Credentials(
        "named another region", connector, tamper=lambda text: text.replace(f"/{connector.region}/", f"/{region}/", 1)
    )


def _other_headers(connector: ConnectorTable) -> Iterator[Credentials]:
    changes: Mapping[str, Callable[[str], str]] = {
        "other credentials": lambda value: _in_its_scheme(value, "x" * 24),
        "credentials with another last character": lambda value: value[:-1] + ("0" if value[-1:] != "0" else "1"),
        "credentials with one character more": lambda value: f"{value}0",
        "credentials without the last character": lambda value: value[:-1],
        "credentials in the other case": _in_other_case,
        "empty credentials": lambda value: _in_its_scheme(value, ""),
    }
    for label, change in changes.items():
        headers = {name: change(value) for name, value in connector.headers.items()}
        yield Credentials(label, connector.model_copy(update={"headers": headers}))


def _in_other_case(value: str) -> str:
    """Return a value in upper or lower case, whichever is another text; changed at its end if it has no letters."""
    scheme, blank, secret = value.rpartition(" ")
    return f"{scheme}{blank}{secret.swapcase()}" if secret.swapcase() != secret else f"{value}0"


def _in_its_scheme(value: str, credentials: str) -> str:
    """Return a value with other credentials, after the scheme if it has one, such as `Bearer`."""
    scheme, blank, _ = value.rpartition(" ")
    return f"{scheme}{blank}{credentials}".strip()


def _other_keys(connector: ConnectorTable) -> Iterator[Credentials]:
    changes = {
        "another secret": {"secret_access_key": f"{connector.secret_access_key}0"},
        "an unknown access key": {"access_key_id": "AKIAUNKNOWNUNKNOWN00"},
    }
    if connector.session_token:
        changes |= {"another session token": {"session_token": f"{connector.session_token}0"}}
        changes |= {"no session token": {"session_token": ""}}
    for label, change in changes.items():
        yield Credentials(label, connector.model_copy(update=change))
    yield Credentials("a signature of zeros", connector, tamper=lambda text: text[:-64] + _ZEROS)
    yield Credentials("no signature", connector, tamper=lambda text: text.rpartition("Signature=")[0] + "Signature=")
