"""Matches over a checkout job: each returns a Mismatch if the client breaks a rule, or None.

Raises NotDeclared if the platform saw no call that the rule is about.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any

from conformance.errors import NotDeclared
from conformance.match import Mismatch
from conformance.retailer_clients import call_matches
from conformance.retailer_clients.call_matches import THROTTLED, admitted
from conformance.retailer_clients.calls import ClientCall
from conformance.retailer_clients.checkout_jobs import CheckoutJob, total_of
from conformance.retailer_clients.files import compare_amounts, reported

_BAD_REQUEST = 400
_WRONG_TOTAL = "CartOrderTotalInvalidException"
_Item = tuple[str, Decimal | None]
"""SKU and quantity of a line."""


def understood(job: CheckoutJob) -> Mismatch | None:
    """Match when the platform refused no cart as invalid; the agreement of totals has a rule of its own."""
    refused = [call for call in _refused(job) if _text(call) != _WRONG_TOTAL and not _is_of_an_empty_cart(job, call)]
    return call_matches.match_none_refused(refused, "carts that the platform understands", job)


def agreed(job: CheckoutJob) -> Mismatch | None:
    """Match when the platform refused no cart because of its totals, and understood at least one."""
    calls = admitted(job)
    refused = [call for call in calls if _text(call) == _WRONG_TOTAL]
    if not refused and not any(call.accepted for call in calls):
        raise NotDeclared(f"the platform accepted no cart: {job.run.in_short()}")
    return call_matches.match_none_refused(refused, "lines, promotions, taxes and totals that agree", job)


def ordered_the_totals(job: CheckoutJob) -> Mismatch | None:
    """Match when each order has the total of its lines."""
    admitted(job)
    wanted = {trip: total_of(cart) for trip, cart in job.carts.items()}
    return _compare(wanted, job)


def sent_every_line(job: CheckoutJob) -> Mismatch | None:
    """Match when each accepted cart has the SKUs and quantities of the job."""
    accepted = [call for call in admitted(job) if call.accepted]
    if not accepted:
        raise NotDeclared(f"the platform accepted no cart: {job.run.in_short()}")
    for call in accepted:
        wanted: Counter[_Item] = Counter((line.sku, Decimal(line.quantity)) for line in job.carts.get(_trip(call), ()))
        sent = Counter(_line(each) for each in _body(call).get("lineItems", ()))
        if wanted != sent:
            got = f"{(wanted - sent).total()} missing or changed, {(sent - wanted).total()} others, trip {_trip(call)}"
            return Mismatch(f"the {wanted.total()} lines of the cart", got)
    return None


def skipped_the_empty(job: CheckoutJob) -> Mismatch | None:
    """Match when no call was made for an empty cart."""
    sent = [call for call in admitted(job) if _is_of_an_empty_cart(job, call)]
    return Mismatch("no call for an empty cart", sent[0].exchange.in_short()) if sent else None


def repeated_unchanged(job: CheckoutJob) -> Mismatch | None:
    """Match when all attempts of the job's one cart are equal."""
    attempts = admitted(job)
    if len(attempts) < 2:  # noqa: PLR2004 - a first attempt and a further one
        raise NotDeclared("the client did not send the cart again, which another rule judges")
    ids = {_trip(call) for call in attempts}
    if len(ids) > 1:
        return Mismatch("one idempotentShoppingTripId for all attempts", ", ".join(sorted(ids)))
    same = all(call.content == attempts[0].content for call in attempts)
    return None if same else Mismatch("the same cart in all attempts", "the content differs")


def retried(job: CheckoutJob) -> Mismatch | None:
    """Match when the cart that failed came again and was accepted."""
    failed = _failed(job)
    return call_matches.retried(failed, _repeats(job, failed), job.run)


def waited_before_retry(job: CheckoutJob) -> Mismatch | None:
    """Match when the cart that failed came again no sooner than its Retry-After says."""
    failed = _failed(job)
    return call_matches.waited(failed, _repeats(job, failed), "[house.checkout] retry_after_s")


def not_retried(job: CheckoutJob) -> Mismatch | None:
    """Match when a cart that is refused for good did not come again."""
    refused = _refused(job)
    if not refused:
        raise NotDeclared(f"the client made no call that the platform refuses: {job.run.in_short()}")
    repeats = [call for call in _repeats(job, refused[0]) if _trip(call) == _trip(refused[0])]
    return Mismatch("no other attempt after a 400", f"{len(repeats)} more") if repeats else None


def ordered_the_others(job: CheckoutJob) -> Mismatch | None:
    """Match when the carts after a refused one are accepted."""
    admitted(job)
    return _compare({trip: total_of(cart) for trip, cart in job.carts.items() if trip != job.trips[0]}, job)


def reports_the_orders(job: CheckoutJob) -> Mismatch | None:
    """Match when the client reports the amount of each order and their sum, to the cent."""
    report = reported(job.result, job.run)
    total = {"total": sum(job.orders.values(), Decimal(0))}
    return compare_amounts("orders", dict(job.orders), report.get("orders")) or compare_amounts(
        "the sum", total, {"total": report.get("total")}
    )


def _compare(wanted: dict[str, Decimal], job: CheckoutJob) -> Mismatch | None:
    wrong = [
        f"{job.orders.get(trip, 'no order')} for {trip}" for trip in wanted if job.orders.get(trip) != wanted[trip]
    ]
    if not wrong:
        return None
    expected = f"orders of {', '.join(map(str, wanted.values()))}"
    return Mismatch(expected, f"{'; '.join(wrong[:3])}; {job.run.in_short()}")


def _refused(job: CheckoutJob) -> list[ClientCall]:
    return [call for call in admitted(job) if 400 <= call.status < 500 and call.status != THROTTLED]  # noqa: PLR2004 - the 4xx


def _failed(job: CheckoutJob) -> ClientCall:
    """Return the first call that a fault broke. Raises NotDeclared if there is none."""
    for call in admitted(job):
        if call.is_lost or call.status == THROTTLED or call.status >= 500:  # noqa: PLR2004 - the 5xx
            return call
    raise NotDeclared(f"the client made no call that the fault applies to: {job.run.in_short()}")


def _repeats(job: CheckoutJob, first: ClientCall) -> list[ClientCall]:
    return [call for call in admitted(job) if call.arrived_s > first.arrived_s]


def _is_of_an_empty_cart(job: CheckoutJob, call: ClientCall) -> bool:
    return _trip(call) in job.trips and _trip(call) not in job.carts


def _body(call: ClientCall) -> dict[str, Any]:
    return call.content if isinstance(call.content, dict) else {}


def _trip(call: ClientCall) -> str:
    return str(_body(call).get("idempotentShoppingTripId"))


def _text(call: ClientCall) -> str:
    answer = call.exchange.answer.json() if call.exchange.answer and call.status == _BAD_REQUEST else None
    return str((answer or {}).get("errorMsg", ""))


def _line(item: Any) -> _Item:  # noqa: ANN401 - any JSON
    """Return SKU and quantity of a line that the platform has accepted."""
    try:
        return str(item["productId"]), Decimal(item["quantity"]["value"])
    except InvalidOperation:
        return str(item["productId"]), None
