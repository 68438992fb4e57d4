"""A server without authentication listens on loopback addresses alone, unless this is allowed."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from jwo_contract.errors import BadSettings
from jwo_contract.hosts import address_to_bind

NAMES = {"loop": "127.0.1.1", "six": "::1", "lan": "192.168.7.7", "both": ("::1", "10.1.2.3"), "localhost": "10.0.0.9"}


def bound(host: str, *unauthenticated: str, allowed: bool = False) -> str:
    return address_to_bind(host, unauthenticated, allowed=allowed, how_to_allow="ALLOW_IT=true")


@pytest.fixture(autouse=True)
def own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve some names as this test says. A name is judged by its address, not by its letters."""
    real = socket.getaddrinfo

    def resolve(host: str | None, *more: Any, **named: Any) -> list[Any]:
        found = NAMES.get(host or "", ())
        wanted: list[str | None] = [found] if isinstance(found, str) else [*found]
        return [entry for each in wanted or [host] for entry in real(each, *more, **named)]

    monkeypatch.setattr("jwo_contract.hosts.socket.getaddrinfo", resolve)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.9.9.9", "127.9.9.9"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("::ffff:7f00:1", "127.0.0.1"),
        ("loop", "127.0.1.1"),
        ("six", "::1"),
    ],
)
def test_loopback_address_needs_no_authentication(host: str, address: str) -> None:
    assert bound(host, "everything") == address


@pytest.mark.parametrize(
    ("host", "shown", "address"),
    [
        ("0.0.0.0", "0.0.0.0 is not", "0.0.0.0"),  # noqa: S104 - the address to refuse
        ("", "0.0.0.0 is not", "0.0.0.0"),  # noqa: S104 - as above
        ("0", "0 (0.0.0.0) is not", "0.0.0.0"),  # noqa: S104 - as above
        ("::", ":: is not", "::"),
        ("[::]", "[::] (::) is not", "::"),
        ("::ffff:0.0.0.0", "::ffff:0.0.0.0 (0.0.0.0) is not", "0.0.0.0"),  # noqa: S104 - as above
        ("::ffff:10.0.0.1", "(10.0.0.1) is not", "10.0.0.1"),
        ("192.0.2.1", "192.0.2.1 is not", "192.0.2.1"),
        ("fe80::1", "fe80::1 is not", "fe80::1"),
        ("lan", "lan (192.168.7.7) is not", "192.168.7.7"),
        ("both", "both (10.1.2.3) is not", "10.1.2.3"),
        ("localhost", "localhost (10.0.0.9) is not", "10.0.0.9"),
    ],
)
def test_any_other_address_needs_authentication_or_permission(host: str, shown: str, address: str) -> None:
    with pytest.raises(BadSettings) as refused:
        bound(host, "the first part (set FIRST)", "the second part (set SECOND)")
    said = str(refused.value)
    assert all(part in said for part in (shown, "set FIRST", "set SECOND", "127.0.0.1", "ALLOW_IT=true")), said
    assert bound(host, "the first part", allowed=True) == address
    assert bound(host) == address


@pytest.mark.parametrize(
    "host", ["no-such-host.invalid", "300.1.1.1", "127.0.0.1:80", "http://127.0.0.1", "a" * 80, "a\0b"]
)
def test_host_without_an_address_is_refused(host: str) -> None:
    with pytest.raises(BadSettings, match="has no address; name one of this machine"):
        bound(host, allowed=True)
