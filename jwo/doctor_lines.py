"""The lines that `jwo doctor` prints: each judges one answer, address or program."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Collection
from typing import NamedTuple

from conformance.drivers.exchange import Exchange
from jwo_contract.profile import Profile
from jwo_toolkit.reachability import NotReachable, check_reachable

OK, WRONG, UNTRIED = "ok", "wrong", "-"


class Line(NamedTuple):
    """One line of the output: its mark, and what was tried with the result and, if it is wrong, what to do."""

    mark: str
    text: str


def judged(exchange: Exchange, wanted: Collection[int], what: str, advice: str) -> Line:
    """Say whether the status of an answer is one of the wanted ones; if not, with the advice."""
    if status_of(exchange) in wanted:
        return Line(OK, f"{what}: {exchange.in_short()}")
    expected = " or ".join(map(str, sorted(wanted)))
    return Line(WRONG, f"{what}: expected {expected}, got {exchange.in_short()}; {advice}")


def undeclared(what: str) -> Line:
    """Say that a declaration is missing."""
    return Line(UNTRIED, f"{what} is not declared; cases that need it are not applicable")


def status_of(exchange: Exchange) -> int:
    """Return the status of an answer; 0 if there is none."""
    return exchange.answer.status if exchange.answer else 0


def reached(profile: Profile) -> Line:
    """Say that the connector accepts connections, and what its certificate is trusted by."""
    connector = profile.connector
    if not connector.url.startswith("https:"):
        return Line(OK, f"{connector.url} accepts connections")
    trusted = f"[connector] ca_file {connector.ca_file}" if connector.ca_file else "the system's certificates"
    return Line(OK, f"{connector.url} accepts connections, and its certificate is trusted by {trusted}")


def rate_limited(profile: Profile) -> Line:
    """Try whether the address of the rate limit accepts connections."""
    what = f"[limits] url {profile.connector.url}"
    try:
        check_reachable(profile.connector.url, profile.connector.ca_file)
    except NotReachable as error:
        return Line(WRONG, f"{what}: {error}")
    return Line(OK, f"{what} accepts connections; no rate was tried")


def program(command: str, what: str, note: str) -> Line:
    """Check that the program of a command exists and is executable, and do not run it."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        return Line(WRONG, f"{what}: {command!r} is not a command line ({error}); write it as for a shell")
    if not words:
        return undeclared(what)
    if found := shutil.which(words[0]):
        return Line(OK, f"{what}: {found}; {note}")
    if os.path.isfile(words[0]):  # noqa: PTH113 - a word of a command
        return Line(WRONG, f"{what}: {words[0]} is not executable; make it so with: chmod +x {shlex.quote(words[0])}")
    return Line(WRONG, f"{what}: {words[0]} was not found; give its full path, or add its folder to PATH")
