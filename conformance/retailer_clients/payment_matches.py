"""Matches over a payment job: each returns a Mismatch if the client breaks a rule, or None.

Raises NotDeclared if the platform saw no call that the rule is about.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from conformance.errors import NotDeclared
from conformance.match import Mismatch
from conformance.retailer_clients import call_matches
from conformance.retailer_clients.call_matches import THROTTLED, admitted
from conformance.retailer_clients.calls import ClientCall
from conformance.retailer_clients.files import compare_amounts, reported
from conformance.retailer_clients.payment_jobs import AUTHORIZED, PaymentJob, refund_ids
from jwo_contract.errors import MalformedBody
from jwo_contract.exact_json import parse_exact
from jwo_contract.messages import message
from jwo_contract.money import decimal_places
from jwo_contract.operations import ADJUST_CHARGE, CAPTURE_CHARGE, REFUND_CHARGE, Operation

_BAD_REQUEST = 400
_DECIMALS = 2


def understood(job: PaymentJob) -> Mismatch | None:
    """Match when the platform refused no call as invalid.

    A valid call is refused too if it asks for something that is not possible, such as more than the authorised amount.
    Other cases judge that.
    """
    refused = [call for call in admitted(job) if 400 <= call.status < 500 and call.status != THROTTLED]  # noqa: PLR2004 - the 4xx
    invalid = [call for call in refused if call.status != _BAD_REQUEST or not _has_its_shape(call)]
    return call_matches.match_none_refused(invalid, "calls that the platform understands", job)


def _has_its_shape(call: ClientCall) -> bool:
    try:
        sent, exact = call.exchange.sent(), parse_exact(call.exchange.body)
    except MalformedBody:
        return False
    if not message(call.operation.request).is_valid(sent):
        return False
    amount = exact.get("amount", {}).get("amount", Decimal(0))
    return decimal_places(amount) <= _DECIMALS


def took_the_totals(job: PaymentJob) -> Mismatch | None:
    """Match when the platform has taken exactly the total of each cart."""
    admitted(job)
    taken = {trip: amount for trip, amount in job.captured.items() if trip in job.totals}
    return _compare("captured", job.totals, taken, job)


def adjusted_first(job: PaymentJob) -> Mismatch | None:
    """Match when an APPROVED answer for the same total came before each capture."""
    captures = _calls(job, CAPTURE_CHARGE)
    if not captures:
        raise NotDeclared(f"the client made no capture: {job.run.in_short()}")
    for capture in captures:
        if not _approved_before(job, capture):
            trip, amount = _trip(capture), _amount(capture)
            return Mismatch(f"an approved adjustment to {amount} before the capture", f"none, for trip {trip}")
    return None


def captured_once(job: PaymentJob) -> Mismatch | None:
    """Match when no capture followed one that the client knew to be accepted, and all of a trip were equal."""
    captures = _calls(job, CAPTURE_CHARGE)
    if not captures:
        raise NotDeclared(f"the client made no capture: {job.run.in_short()}")
    for trip in dict.fromkeys(map(_trip, captures)):
        own = [call for call in captures if _trip(call) == trip]
        known = next((index for index, call in enumerate(own) if call.accepted and not call.is_lost), len(own) - 1)
        if len(own) > known + 1:
            return Mismatch("one capture for each trip", f"{len(own) - known - 1} more for trip {trip}")
        amounts = {_amount(call) for call in own}
        if len(amounts) > 1:
            return Mismatch("the same amount when a capture is tried again", " and ".join(sorted(map(str, amounts))))
    return None


def cancelled_the_empty(job: PaymentJob) -> Mismatch | None:
    """Match when the charge of an empty cart is cancelled, and nothing else was asked for it."""
    admitted(job)
    for trip in job.empty:
        others = [call for op in (ADJUST_CHARGE, CAPTURE_CHARGE) for call in _calls(job, op) if _trip(call) == trip]
        if others:
            return Mismatch("Cancel Charge only, for an empty cart", f"{others[0].operation.name} for trip {trip}")
        if not job.charges.get(trip, {}).get("cancelled"):
            return Mismatch(f"the charge of the empty trip {trip} cancelled", job.run.in_short())
    return None


def refunded_exactly(job: PaymentJob) -> Mismatch | None:
    """Match when the platform has made exactly the refunds of the job."""
    admitted(job)
    ordered = Counter((job.trips[one.trip], one.amount, one.reason) for one in job.plan.refunds)
    made = Counter(
        (trip, Decimal(one["amount"]), str(one["refundReasonCode"]))
        for trip, charge in job.charges.items()
        for one in charge["refunds"]
    )
    if ordered == made:
        return None
    missing, extra = (ordered - made).total(), (made - ordered).total()
    got = f"{missing} missing, {extra} that the job does not have; {job.run.in_short()}"
    return Mismatch(f"the {ordered.total()} refunds of the job, each once", got)


def refunds_keep_their_id(job: PaymentJob) -> Mismatch | None:
    """Match when all attempts of the job's one refund have the same id."""
    attempts = _calls(job, REFUND_CHARGE)
    if len(attempts) < 2:  # noqa: PLR2004 - a first attempt and a further one
        raise NotDeclared("the client did not try the refund again, which another rule judges")
    ids = {str(_body(call).get("refundRequestId")) for call in attempts}
    return None if len(ids) == 1 else Mismatch("one refundRequestId for all attempts of a refund", ", ".join(ids))


def refunds_have_own_ids(job: PaymentJob) -> Mismatch | None:
    """Match when the job's refunds have different ids."""
    ids = {str(_body(call).get("refundRequestId")) for call in _calls(job, REFUND_CHARGE)}
    if not ids:
        raise NotDeclared(f"the client made no refund: {job.run.in_short()}")
    wanted = len(job.plan.refunds)
    return None if len(ids) >= wanted else Mismatch(f"{wanted} refunds with {wanted} ids", f"{len(ids)} ids")


def retried(job: PaymentJob) -> Mismatch | None:
    """Match when each call that the platform refused for now, or of which the answer was lost, came again."""
    for call in _failed(job):
        if mismatch := call_matches.retried(call, _repeats(job, call), job.run):
            return mismatch
    return None


def waited_before_retry(job: PaymentJob) -> Mismatch | None:
    """Match when each refused call came again no sooner than its Retry-After says."""
    for call in _failed(job):
        if mismatch := call_matches.waited(call, _repeats(job, call), "[house.catalog] retry_after_s"):
            return mismatch
    return None


def asked_again_while_pending(job: PaymentJob) -> Mismatch | None:
    """Match when a pending adjustment was tried again until it was approved."""
    if "PENDING" not in _statuses(job):
        raise NotDeclared(f"the client got no PENDING answer: {job.run.in_short()}")
    if "APPROVED" in _statuses(job):
        return None
    return Mismatch("the adjustment again after PENDING, until APPROVED", job.run.in_short())


def captured_nothing_pending(job: PaymentJob) -> Mismatch | None:
    """Match when no capture came before the adjustment was approved."""
    if "PENDING" not in _statuses(job):
        raise NotDeclared(f"the client got no PENDING answer: {job.run.in_short()}")
    early = [call for call in _calls(job, CAPTURE_CHARGE) if not _approved_before(job, call)]
    return Mismatch("no capture while the adjustment is PENDING", f"{len(early)} captures") if early else None


def captured_nothing_declined(job: PaymentJob) -> Mismatch | None:
    """Match when no capture of the declined trip asks for more than its pre-authorisation."""
    if "DECLINED" not in _statuses(job):
        raise NotDeclared(f"the client got no DECLINED answer: {job.run.in_short()}")
    trip = job.trips[0]
    taken = [_amount(call) for call in _calls(job, CAPTURE_CHARGE) if _trip(call) == trip]
    above = [amount for amount in taken if amount is None or amount > AUTHORIZED]
    expected = f"no capture above the {AUTHORIZED} of the pre-authorisation after DECLINED"
    return Mismatch(expected, f"a capture of {above[0]}") if above else None


def not_retried(job: PaymentJob) -> Mismatch | None:
    """Match when a call that is refused for good did not come again."""
    refused = [call for call in admitted(job) if call.status == _BAD_REQUEST]
    if not refused:
        raise NotDeclared(f"the client made no call that the platform refuses: {job.run.in_short()}")
    repeats = _repeats(job, refused[0])
    name = refused[0].operation.name
    return Mismatch(f"no other {name} after a 400", f"{len(repeats)} more") if repeats else None


def charged_the_others(job: PaymentJob) -> Mismatch | None:
    """Match when the trips after one that cannot be charged are charged."""
    admitted(job)
    others = {trip: total for trip, total in job.totals.items() if trip != job.trips[0]}
    taken = {trip: amount for trip, amount in job.captured.items() if trip in others}
    return _compare("captured", others, taken, job)


def reports_the_money(job: PaymentJob) -> Mismatch | None:
    """Match when the client reports what the platform has taken and returned, to the cent."""
    report = reported(job.result, job.run)
    refunds = dict(zip(refund_ids(job.plan), (one.amount for one in job.plan.refunds), strict=True))
    sums = {"capturedTotal": sum(job.captured.values(), Decimal(0)), "refundedTotal": _refunded(job)}
    return (
        compare_amounts("captured", job.captured, report.get("captured"))
        or compare_amounts("refunded", refunds, report.get("refunded"))
        or compare_amounts("the totals", sums, {name: report.get(name) for name in sums})
    )


def _refunded(job: PaymentJob) -> Decimal:
    amounts = (Decimal(one["amount"]) for charge in job.charges.values() for one in charge["refunds"])
    return sum(amounts, Decimal(0))


def _compare(what: str, wanted: dict[str, Decimal], got: dict[str, Decimal], job: PaymentJob) -> Mismatch | None:
    wrong = [f"{got.get(trip, 'nothing')} for {trip}" for trip in wanted if got.get(trip) != wanted[trip]]
    if not wrong:
        return None
    return Mismatch(f"{what}: {', '.join(map(str, wanted.values()))}", f"{'; '.join(wrong[:3])}; {job.run.in_short()}")


def _calls(job: PaymentJob, operation: Operation) -> list[ClientCall]:
    return [call for call in admitted(job) if call.operation is operation]


def _statuses(job: PaymentJob) -> set[str]:
    return {_status(call) for call in _calls(job, ADJUST_CHARGE)}


def _status(call: ClientCall) -> str:
    answer = call.exchange.answer.json() if call.exchange.answer and not call.is_lost else None
    return str(answer.get("status", "")) if isinstance(answer, dict) else ""


def _approved_before(job: PaymentJob, capture: ClientCall) -> bool:
    return any(
        _status(call) == "APPROVED" and _trip(call) == _trip(capture) and _amount(call) == _amount(capture)
        for call in _calls(job, ADJUST_CHARGE)
        if call.answered_s <= capture.arrived_s + call_matches.TOLERANCE_S
    )


def _failed(job: PaymentJob) -> list[ClientCall]:
    """Return the calls that a fault of the job broke. Raises NotDeclared if the client made none of them."""
    failed = [call for call in admitted(job) if call.is_lost or call.status == THROTTLED or call.status >= 500]  # noqa: PLR2004 - the 5xx
    if not failed:
        raise NotDeclared(f"the client made no call that the fault applies to: {job.run.in_short()}")
    return failed


def _repeats(job: PaymentJob, first: ClientCall) -> list[ClientCall]:
    return [
        call
        for call in _calls(job, first.operation)
        if call.arrived_s > first.arrived_s and _trip(call) == _trip(first)
    ]


def _body(call: ClientCall) -> dict[str, Any]:
    return call.content if isinstance(call.content, dict) else {}


def _trip(call: ClientCall) -> str:
    return str(_body(call).get("shoppingTripId"))


def _amount(call: ClientCall) -> Decimal | None:
    amount = _body(call).get("amount")
    value = amount.get("amount") if isinstance(amount, dict) else None
    return Decimal(str(value)) if isinstance(value, int | float) else None
