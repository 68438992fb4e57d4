"""Control calls: the suite tries a valid request before it judges, and measures how many calls may run concurrently.

A connector that answers one call at a time gets one call at a time. So the suite measures the number for each
operation, but only if answers are slow: a quick connector finishes before workers have started.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import Blocked, Finding, NotDeclared, ProfileBroke
from conformance.forms import COMPLETE, Accepted, Form, other_forms
from conformance.requests import REGISTRY, Requests
from conformance.run.recorder import Recorder
from jwo_contract.gate import NoAnswer
from jwo_contract.key_kinds import KeyKind
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS, Operation

Item = TypeVar("Item")

MOST_CALLS = 40
"""The suite tries at most this many concurrent calls; a connector that answers them all may allow more."""
_FEW_CALLS = 4
_QUICK_S = 0.25
"""An answer within this time is quick: concurrent calls would save no time."""
_STRETCH = 1.5
"""Concurrent calls may take at most this many times as long as a single call; otherwise they were answered in turn."""
_ANSWERED = {200, 201, 400, 401}
_LIMITED, _LIMITED_TRIES, _LIMITED_PAUSE_S = 429, 3, 1.1
"""A connector may refuse calls above its rate, declared or not; after a pause the next one must be answered."""
_MAY_BE_RIGHT = {400, 404, 422}
"""Statuses that may be right for a valid request of a store or an item that the profile does not declare."""
_NOT_ABOUT_THE_FORM = {401, 403, 404, 405, 415, 429}
"""Statuses that another form of the request would not change."""
_HINTS = {
    401: "check that [keys] shopper may enter, and [connector] auth",
    403: "check [connector] auth and its credentials, or declare a key that may enter",
    404: "the connector has no such path; check the path in [connector] url",
    405: "the connector does not accept POST there; check the path in [connector] url",
    415: "the connector must accept application/json",
    429: "the connector limits its rate; declare [limits] rate_limit_per_second",
}


class Pace(NamedTuple):
    """How a connector answers an operation: the number of concurrent calls, and whether it is slow and serial."""

    max_concurrency: int = 1
    is_serial: bool = False


class Trial(NamedTuple):
    """The result of sending a valid request of an operation.

    `exchanges` are the calls, the decisive one first. `refusal` is empty where the connector accepts a form of it.
    `is_declared` says whether the profile declares all that the request needs; without that a 400 may be right.
    """

    exchanges: tuple[Exchange, ...]
    form: Form = COMPLETE
    refusal: str = ""
    is_declared: bool = True

    @property
    def finding(self) -> str:
        """What is wrong with the connector; empty where it accepts the complete request, or may refuse it."""
        if self.refusal:
            return self.refusal if self.is_declared else ""
        return f"it accepts the request only {self.form}" if self.form != COMPLETE else ""


@dataclass
class Known:
    """What control calls have shown so far, by operation; a worker process gets it from the first process."""

    trials: dict[Operation, Trial] = field(default_factory=dict)
    paces: dict[Operation, Pace] = field(default_factory=dict)
    accepted: Accepted = field(default_factory=Accepted)
    keeps_decisions: bool | None = None
    """Whether an authEvent that returns at once with another person's key gets the first decision; None if untried."""


class ControlCalls:
    """Makes each control call once in a run, when a scenario or the plan first needs it."""

    def __init__(
        self, requests: Requests, connector: ConnectorClient, recorder: Recorder, known: Known | None = None
    ) -> None:
        self._requests = requests
        self._connector = connector
        self._recorder = recorder
        self.known = known or Known(accepted=requests.accepted)

    def needs_understanding(self, operation: Operation) -> None:
        """Check that the connector accepts a valid request; if it does not, its refusals prove nothing.

        Raises Blocked if it refuses, and NotDeclared if the refusal may be right with what the profile declares.
        """
        trial = self.trial(operation)
        if trial.refusal and not trial.is_declared:
            raise NotDeclared(trial.refusal)
        if trial.refusal:
            raise Blocked(REGISTRY[operation].judged_by(self._requests.profile), trial.refusal)

    def needs_complete(self, operation: Operation) -> None:
        """Make sure that the connector accepts the request in the form in which the platform sends it.

        Raises Blocked if it does not, and NotDeclared if the refusal may be right with what is declared.
        """
        self.needs_understanding(operation)
        if finding := self.trial(operation).finding:
            raise Blocked(REGISTRY[operation].judged_by(self._requests.profile), finding)

    def judge(self, operation: Operation) -> None:
        """Judge the valid request itself. Raises Finding if the connector refuses it as the platform sends it.

        Raises NotDeclared if the refusal may be right with what is declared.
        """
        trial = self.trial(operation)
        if trial.finding:
            self._connector.show(trial.exchanges)
            expected = f"a valid {operation.name} request of the declared store and goods is accepted"
            raise Finding(expected, trial.finding)
        if trial.refusal:
            raise NotDeclared(trial.refusal)

    def trial(self, operation: Operation) -> Trial:
        """Return what happened to the valid request, which is sent at the first call; refused, it is sent in others."""
        if operation not in self.known.trials:
            if operation is CREATE_PURCHASES:
                with suppress(ProfileBroke):  # a cart names the shopper that the connector let in
                    self.trial(VERIFY_IDENTITY_KEYS)
            with self._recorder.aside():
                self.known.trials[operation] = self._try(operation)
        return self.known.trials[operation]

    def pace(self, operation: Operation) -> Pace:
        """Return how the connector answers an operation. The first call measures it with a few requests."""
        if operation not in self.known.paces:
            self.known.paces[operation] = self._measured(operation)
        return self.known.paces[operation]

    def repetition(self, scan: Draft, other: KeyKind = "associate") -> Draft:
        """Return a scan of the same authEvent with another person's key, so that a forgotten event shows.

        With its own key, a connector that gives each shopper a fixed id would answer a forgotten event like a known
        one. The key stays where the connector decides again for another key, which only VIK-X.3 judges.
        """
        if self.known.keeps_decisions is None:
            with self._recorder.aside():
                self.known.keeps_decisions = self._keeps_decisions()
        return scan.with_value("identityKey", self._key_of(other)) if self.known.keeps_decisions else scan

    def _key_of(self, kind: KeyKind) -> str:
        keys = self._requests.keys
        return keys.take(kind) if keys.has(kind) else keys.unknown()

    def _keeps_decisions(self) -> bool:
        if not self._has_shopper():
            return False
        scan = self._requests.valid_request(VERIFY_IDENTITY_KEYS)
        other = scan.again().with_value("identityKey", self._key_of("associate"))
        answers = [self._connector.send(each.operation, each.encoded()).answer for each in (scan, other)]
        visitors = [(each.json() or {}).get("visitorDetails") if each else None for each in answers]
        return visitors[0] is not None and visitors[0] == visitors[1]

    def send_each(self, drafts: Sequence[Draft]) -> list[Exchange]:
        """Send drafts of one operation unchanged; see `send_concurrently`."""

        def send(draft: Draft) -> Exchange:
            return self._connector.send(draft.operation, draft.encoded())

        return self.send_concurrently(drafts[0].operation, send, drafts) if drafts else []

    def send_concurrently(
        self, operation: Operation, send: Callable[[Item], Exchange], items: Iterable[Item]
    ) -> list[Exchange]:
        """Send items, as many at the same time as the measured pace allows, and return the exchanges in their order."""
        known = self.known.paces.get(operation, Pace())
        with ThreadPoolExecutor(known.max_concurrency) as pool:
            return list(pool.map(send, items))

    def _try(self, operation: Operation) -> Trial:
        complete = self._send_valid(operation)
        if self._is_accepted(complete) and _is_hollow(complete):
            return Trial((complete,), refusal=f"the answer to a valid request decides nothing: {complete.in_short()}")
        if self._is_accepted(complete):
            self._learn_shopper(complete)
            return Trial((complete,))
        tried = []
        may_be_the_form = complete.answer is not None and complete.answer.status not in _NOT_ABOUT_THE_FORM
        for form in other_forms(self._requests.valid_request(operation)) if may_be_the_form else ():
            self.known.accepted.forms[operation] = form
            tried.append(self._send_valid(operation, label=str(form)))
            if self._is_accepted(tried[-1]):
                self._learn_shopper(tried[-1])
                return Trial((complete, tried[-1]), form)
        self.known.accepted.forms.pop(operation, None)
        return self._refused(operation, complete, tried)

    def _send_valid(self, operation: Operation, label: str = "") -> Exchange:
        exchange = self._connector.send(operation, self._requests.valid_request(operation).encoded(), label=label)
        for _ in range(_LIMITED_TRIES):
            if exchange.answer is None or exchange.answer.status != _LIMITED:
                break
            time.sleep(_LIMITED_PAUSE_S)
            exchange = self._connector.send(operation, self._requests.valid_request(operation).encoded(), label=label)
        return exchange

    def _is_accepted(self, exchange: Exchange) -> bool:
        accepted = REGISTRY[exchange.operation].accepted(self._requests.profile)
        status = exchange.answer.status if exchange.answer else 0
        return 200 <= status < 300 or status in accepted  # noqa: PLR2004 - the successes

    def _learn_shopper(self, exchange: Exchange) -> None:
        """Keep the id that the connector gave its shopper, which the platform repeats in the cart."""
        visitor = (exchange.answer.json() or {}).get("visitorDetails") if exchange.answer else None
        if exchange.operation is VERIFY_IDENTITY_KEYS and isinstance(visitor, dict) and self._has_shopper():
            self.known.accepted.shopper_id = str(visitor.get("id") or "")

    def _has_shopper(self) -> bool:
        return self._requests.keys.has("shopper")

    def _refused(self, operation: Operation, complete: Exchange, others: Sequence[Exchange]) -> Trial:
        status = complete.answer.status if complete.answer else 0
        missing = [name for name, declared in REGISTRY[operation].needs.items() if not declared(self._requests.profile)]
        is_declared = not (missing and status in _MAY_BE_RIGHT)
        if not is_declared:
            declare = " and ".join(missing)
            reason = f"a valid request is answered {status}, so a refusal proves nothing; declare {declare}"
        else:
            reason = self._why_refused(complete, others)
        return Trial((complete, *others[-1:]), refusal=reason, is_declared=is_declared)

    def _why_refused(self, complete: Exchange, others: Sequence[Exchange]) -> str:
        if complete.failure is NoAnswer.TIMED_OUT:
            budget_s = complete.operation.answer_budget_s(self._requests.profile.house)
            within = f"within {budget_s:g} s" if budget_s < math.inf else "sooner"
            return f"a valid request gets {complete.in_short()}; answer {within}, and do slow work later"
        if complete.answer is None:
            return f"a valid request gets {complete.in_short()}; check that the connector runs, and its log"
        hint = _HINTS.get(complete.answer.status, "check the store, the key and the items of the profile first")
        forms = f", in each of {len(others) + 1} forms" if others else ""
        return f"the connector refuses a valid request{forms}: {complete.in_short()}; {hint}"

    def _measured(self, operation: Operation) -> Pace:
        alone = self.trial(operation).exchanges[-1]
        if alone.answer is not None and alone.elapsed_s <= _QUICK_S:
            return Pace()
        with self._recorder.aside():
            few = [alone, *self._at_once(operation, _FEW_CALLS)]
            in_step, is_limited = _in_step(few), bool(self._requests.profile.limits.rate_limit_per_second)
            if in_step == len(few) and not is_limited:
                many = max(_FEW_CALLS, _in_step(self._at_once(operation, MOST_CALLS)))
            else:
                many = _FEW_CALLS if in_step == len(few) else 1
        return Pace(many, is_serial=many == 1 and in_step > 0)

    def _at_once(self, operation: Operation, count: int) -> list[Exchange]:
        drafts = [self._requests.valid_request(operation) for _ in range(count)]
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda each: self._connector.send(operation, each.encoded()), drafts))


def _is_hollow(exchange: Exchange) -> bool:
    """Say whether a success of the core has no body or an empty object, where the members are published."""
    answer = exchange.answer
    if answer is None or exchange.operation not in {VERIFY_IDENTITY_KEYS, CREATE_PURCHASES}:
        return False
    return 200 <= answer.status < 300 and b"".join(answer.body.split()) in {b"", b"{}"}  # noqa: PLR2004 - the successes


def _in_step(exchanges: Sequence[Exchange]) -> int:
    """Count the answers that took about as long as the quickest; 0 if one call failed, for example by a rate limit."""
    if not all(each.answer and each.answer.status in _ANSWERED for each in exchanges):
        return 0
    quickest_s = min(each.elapsed_s for each in exchanges)
    return sum(each.elapsed_s < quickest_s * _STRETCH + _QUICK_S for each in exchanges)
