"""Matches over the calls of any client: each returns a Mismatch if the calls break a rule, or None.

Raises NotDeclared if the platform saw no call that the rule is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from conformance.errors import NotDeclared
from conformance.match import Mismatch
from conformance.retailer_clients.calls import ClientCall
from conformance.retailer_clients.command import ClientRun

C_co = TypeVar("C_co", bound=ClientCall, covariant=True)
FORBIDDEN, THROTTLED = 403, 429
TOLERANCE_S = 0.05
"""How much two clocks may differ within a second."""


class CallingJob(Protocol[C_co]):
    """A finished job of a client that calls the platform."""

    @property
    def run(self) -> ClientRun:
        """How the client's run ended."""

    @property
    def calls(self) -> Sequence[C_co]:
        """The calls that reached the platform."""


def api_calls(job: CallingJob[C_co]) -> list[C_co]:
    """Return the calls of the platform's APIs. Raises NotDeclared if the client made none."""
    calls = [call for call in job.calls if call.is_api]
    if not calls:
        raise NotDeclared(f"the platform saw no call of the client: {job.run.in_short()}")
    return calls


def admitted(job: CallingJob[C_co]) -> list[C_co]:
    """Return the calls with an accepted signature, since the platform checks the others no further."""
    calls = [call for call in api_calls(job) if call.status != FORBIDDEN]
    if not calls:
        raise NotDeclared("the platform accepted the signature of no call, so it checked nothing else in them")
    return calls


def signed(job: CallingJob[ClientCall]) -> Mismatch | None:
    """Match when the platform refused no call because of its signature."""
    refused = [call for call in api_calls(job) if call.status == FORBIDDEN]
    expected = "each call signed for execute-api with the account's key and session token"
    return match_none_refused(refused, expected, job)


def typed_as_json(job: CallingJob[ClientCall]) -> Mismatch | None:
    """Match when each call declares its body as JSON."""
    for call in api_calls(job):
        named = {name.lower(): value for name, value in call.exchange.headers.items()}
        kind = named.get("content-type", "no Content-Type")
        if kind.partition(";")[0].strip().lower() != "application/json":
            return Mismatch("Content-Type: application/json", f"{kind}, at {call.operation.name}")
    return None


def client_ended(job: CallingJob[ClientCall]) -> Mismatch | None:
    """Match when the client exited before its time limit."""
    api_calls(job)
    return ended(job.run)


def ended(run: ClientRun) -> Mismatch | None:
    """Match when a run ended before its time limit."""
    return None if run.code is not None else Mismatch("a client that exits when its work is done", run.in_short())


def retried(refused: ClientCall, repeats: Sequence[ClientCall], run: ClientRun) -> Mismatch | None:
    """Match when the client made a refused call again and the platform accepted it."""
    if any(call.accepted for call in repeats):
        return None
    what = f"{refused.operation.name} again after {'a lost answer' if refused.is_lost else refused.status}"
    return Mismatch(what, f"no further attempt was accepted; {run.in_short()}")


def waited(refused: ClientCall, repeats: Sequence[ClientCall], setting: str) -> Mismatch | None:
    """Match when the client made a refused call again after the pause of the Retry-After header."""
    if not repeats:
        raise NotDeclared("the client did not make the call again, which another rule judges")
    assert refused.exchange.answer is not None
    headers = {name.lower(): value for name, value in refused.exchange.answer.headers.items()}
    pause_s = headers.get("retry-after")
    if pause_s is None:
        raise NotDeclared(f"the platform required no pause, because {setting} sets none")
    after_s = repeats[0].arrived_s - refused.answered_s
    if after_s >= float(pause_s) - TOLERANCE_S:
        return None
    return Mismatch(f"the next attempt {pause_s} s after the {refused.status}, as Retry-After says", f"{after_s:.2f} s")


def match_none_refused(calls: Sequence[ClientCall], expected: str, job: CallingJob[ClientCall]) -> Mismatch | None:
    """Match when there is no refused call; otherwise show the first of them."""
    if not calls:
        return None
    reason = calls[0].reason and f" ({calls[0].reason})"
    first = f"{calls[0].operation.name} answered {calls[0].exchange.in_short()}{reason}"
    return Mismatch(expected, f"{len(calls)} of {len(job.calls)} calls refused; the first: {first}")
