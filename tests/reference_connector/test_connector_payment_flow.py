"""A payment from the gate to its end: each behaviour of the provider, and a crash before and after each call."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reference_connector.errors import NotPossible, NotThere
from reference_connector.payments.desk import RefundRequest
from reference_connector.payments.provider import PaymentCall
from reference_connector.payments.simulated import SimulatedProvider, captured, effects
from reference_connector.store import Charge
from tests.reference_connector.payment_bench import NOW, PaymentBench

REFUND = "11111111-2222-4333-8444-555555555555"


on_sqlite = pytest.mark.parametrize("bench", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("method", "rounds", "state", "taken"),
    [
        ("tok_approved", 1, "captured", 1),
        ("tok_declined", 1, "declined", 0),
        ("tok_declined_at_capture", 1, "declined", 0),
        ("tok_timeout", 2, "authorised", 0),
        ("tok_timeout", 3, "captured", 1),
        ("tok_late_success", 3, "captured", 1),
        ("tok_timeout_always", 4, "stuck", 0),
        ("tok_down", 4, "stuck", 0),
        ("tok_duplicate", 1, "captured", 1),
        ("tok_pending", 3, "captured", 1),
        ("tok_pending_then_declined", 3, "declined", 0),
    ],
)
@on_sqlite
def test_charge_without_a_pre_authorisation(
    bench: PaymentBench, method: str, rounds: int, state: str, taken: int
) -> None:
    bench.leave("12.34", method, "an-event-of-a-fixture-key")
    bench.wait_and_work(rounds)
    assert bench.charge().state == state
    assert len(captured(bench.ledger).get("trip-1", [])) == taken


@pytest.mark.parametrize(
    ("method", "refusal", "states"),
    [
        ("tok_approved", "", ["held"]),
        ("tok_duplicate", "", ["held"]),
        ("tok_declined_at_adjust", "", ["held"]),
        ("tok_declined", "payment_declined", ["declined"]),
        ("tok_pending", "payment_unclear", ["releasing", "released"]),
        ("tok_pending_then_declined", "payment_unclear", ["releasing", "declined"]),
        ("tok_late_success", "payment_unclear", ["releasing", "released"]),
        ("tok_timeout", "payment_unclear", ["releasing", "released"]),
        ("tok_timeout_always", "payment_unclear", ["releasing", "stuck"]),
        ("tok_down", "payment_unclear", ["releasing", "stuck"]),
        ("tok_slow", "payment_unclear", ["releasing", "released"]),
    ],
)
@on_sqlite
def test_gate_refuses_what_the_provider_has_not_authorised(
    bench: PaymentBench, method: str, refusal: str, states: list[str]
) -> None:
    assert bench.enter(method) == refusal
    seen = [bench.authorisation().state]
    bench.wait_and_work(6)
    seen.append(bench.authorisation().state)
    assert list(dict.fromkeys(seen)) == states
    assert bench.ledger_lines() in ([], ["authorise 20.00"], ["authorise 20.00", "release 20.00"])
    assert (bench.authorisation().state == "released") == (len(bench.ledger_lines()) == 2)


@pytest.mark.parametrize(
    ("method", "lines", "state"),
    [
        ("tok_pending", ["authorise 20.00", "adjust 30.00", "capture 30.00"], "captured"),
        ("tok_late_success", ["authorise 20.00", "adjust 30.00", "capture 30.00"], "captured"),
        ("tok_slow", ["authorise 20.00", "adjust 30.00", "capture 30.00"], "captured"),
        ("tok_pending_then_declined", [], "declined"),
        ("tok_timeout_always", [], "stuck"),
    ],
)
@on_sqlite
def test_open_gate_leaves_an_unclear_authorisation_to_the_outbox(
    bench: PaymentBench, method: str, lines: list[str], state: str
) -> None:
    bench.rules = bench.rules.model_copy(update={"when_unclear": "open"})
    bench.restart()
    assert bench.enter(method) == ""
    bench.leave("30.00", method, "event-1")
    bench.wait_and_work(10)
    assert (bench.ledger_lines(), bench.charge().state) == (lines, state)


UNCOLLECTED = ["adjust 12.34", "release 20.00"]
"""A capture is declined. The call that releases names the amount of the pre-authorisation; it ends the whole one."""


@pytest.mark.parametrize(
    ("method", "others", "total", "lines", "end"),
    [
        ("tok_approved", (), "12.34", ["adjust 12.34", "capture 12.34"], ("captured", "0")),
        ("tok_approved", (), "57.66", ["adjust 57.66", "capture 57.66"], ("captured", "0")),
        ("tok_approved", (), "20.00", ["adjust 20.00", "capture 20.00"], ("captured", "0")),
        ("tok_late_success", (), "57.66", ["adjust 57.66", "capture 57.66"], ("captured", "0")),
        ("tok_pending_at_adjust", (), "57.66", ["adjust 57.66", "capture 57.66"], ("captured", "0")),
        ("tok_pending_at_adjust_always", (), "57.66", ["capture 20.00"], ("declined", "37.66")),
        ("tok_declined_at_adjust", (), "57.66", ["capture 20.00"], ("declined", "37.66")),
        ("tok_declined_at_adjust", (), "12.34", ["capture 12.34"], ("captured", "0")),
        ("tok_declined_at_adjust", ("tok_approved",), "57.66", ["capture 20.00", "collect 37.66"], ("captured", "0")),
        (
            "tok_pending_at_adjust_always",
            ("tok_declined", "tok_late_success"),
            "57.66",
            ["capture 20.00", "collect 37.66"],
            ("captured", "0"),
        ),
        ("tok_declined_at_adjust", ("tok_declined",), "57.66", ["capture 20.00"], ("declined", "37.66")),
        ("tok_declined_at_capture", (), "12.34", UNCOLLECTED, ("declined", "12.34")),
        ("tok_declined_at_capture", ("tok_declined",), "12.34", UNCOLLECTED, ("declined", "12.34")),
        ("tok_declined_at_capture", ("tok_approved",), "12.34", [*UNCOLLECTED, "collect 12.34"], ("captured", "0")),
        ("tok_approved", (), "0", ["release 20.00"], ("released", "0")),
    ],
)
@on_sqlite
def test_trip_with_a_pre_authorisation(
    bench: PaymentBench, method: str, others: tuple[str, ...], total: str, lines: list[str], end: tuple[str, str]
) -> None:
    bench.rules = bench.rules.model_copy(update={"when_unclear": "open", "attempts_max": 12})
    bench.restart()
    assert bench.enter(method) == ""
    bench.leave(total, method, "event-1", others=others)
    bench.wait_and_work(12)
    assert sorted(bench.ledger_lines()) == sorted(["authorise 20.00", *lines])
    assert (bench.charge().state, bench.debt()) == (end[0], Decimal(end[1]))
    assert bench.authorisation().trip_id == "trip-1"


def test_reservation_without_a_pre_authorisation_is_released_after_a_declined_capture(bench: PaymentBench) -> None:
    bench.leave("12.34", "tok_declined_at_capture", "event-1", others=("tok_declined", "tok_timeout"))
    bench.wait_and_work(4)
    assert bench.charge().state == "captured"
    assert sorted(bench.ledger_lines()) == ["authorise 12.34", "collect 12.34", "release 12.34"]
    assert {effect.order for effect in effects(bench.ledger)} == {"trip-1"}


@on_sqlite
def test_authorisation_without_a_trip_expires(bench: PaymentBench) -> None:
    bench.enter("tok_approved")
    bench.now += timedelta(hours=47)
    bench.work()
    assert bench.ledger_lines() == ["authorise 20.00"]
    bench.now += timedelta(hours=1)
    bench.work()
    assert bench.ledger_lines() == ["authorise 20.00", "release 20.00"]
    bench.leave("5.00", "tok_approved", "event-1")
    bench.work()
    assert bench.ledger_lines()[2:] == ["authorise 5.00", "capture 5.00"], "a late cart is paid all the same"


@on_sqlite
def test_group_pays_with_the_first_entry_and_releases_the_others(bench: PaymentBench) -> None:
    for event in ("event-1", "event-2", "event-3"):
        assert bench.enter("tok_approved", event) == ""
    bench.leave("30.00", "tok_approved", "event-1", "event-2", "event-1")
    bench.work()
    assert sorted(bench.ledger_lines()) == [
        "adjust 30.00", *["authorise 20.00"] * 3, "capture 30.00", "release 20.00"
    ]  # fmt: skip
    assert [bench.authorisation(f"event-{number}").state for number in (1, 2, 3)] == ["used", "released", "held"]


@on_sqlite
def test_two_scans_of_one_event_authorise_once(bench: PaymentBench) -> None:
    assert [bench.enter("tok_approved"), bench.enter("tok_approved")] == ["", ""]
    assert bench.ledger_lines() == ["authorise 20.00"]


def test_two_workers_settle_each_charge_once(bench: PaymentBench) -> None:
    charges = [
        Charge(f"trip-{number}", "ada", Decimal("1.50"), "USD", "tok_approved", "pending", NOW) for number in range(40)
    ]
    bench.run(bench.store.transact(lambda records: [records.charges.save(charge) for charge in charges]))
    workers = [bench.worker(), bench.worker()]

    async def both() -> int:
        return sum(await asyncio.gather(*(worker.settle_due() for worker in workers)))

    while bench.run(both()):
        pass
    assert sorted(bench.ledger_lines()) == ["authorise 1.50"] * 40 + ["capture 1.50"] * 40


class Crash(BaseException):
    """Acts like the end of the process: no code catches it, and nothing is recorded."""


class Crashing(SimulatedProvider):
    """Ends the caller before or after one call of a kind."""

    def __init__(self, ledger: Path, kind: str, *, before: bool) -> None:
        super().__init__(ledger)
        self._kind = kind
        self._before = before

    async def _answer(self, kind: Any, call: PaymentCall) -> None:
        if kind == self._kind and self._before:
            self._kind = ""
            raise Crash
        await super()._answer(kind, call)
        if kind == self._kind:
            self._kind = ""
            raise Crash


PAID = ["authorise 20.00", "adjust 12.34", "capture 12.34", "refund 12.34"]
IN_PARTS = ["authorise 20.00", "capture 20.00", "collect 37.66", "refund 57.66"]
CRASHES = [
    ("authorise", "12.34", "tok_approved", PAID),
    ("adjust", "12.34", "tok_approved", PAID),
    ("capture", "12.34", "tok_approved", PAID),
    ("refund", "12.34", "tok_approved", PAID),
    ("release", "0", "tok_approved", ["authorise 20.00", "release 20.00"]),
    ("collect", "57.66", "tok_declined_at_adjust", IN_PARTS),
]


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(("kind", "total", "method", "lines"), CRASHES, ids=[each[0] for each in CRASHES])
def test_crash_at_a_call_neither_loses_nor_doubles_it(
    bench: PaymentBench, kind: str, total: str, method: str, lines: list[str], *, before: bool
) -> None:
    bench.provider.close()
    bench.provider = Crashing(bench.ledger, kind, before=before)
    bench.restart()

    def story() -> None:
        bench.enter(method)
        bench.leave(total, method, "event-1", others=("tok_approved",))
        bench.work()
        if Decimal(total):
            bench.run(bench.desk.refund(RefundRequest(REFUND, "trip-1", None, "OTHER")))
        bench.work()

    with pytest.raises(Crash):
        story()
    assert bench.run(bench.worker().settle_due()) == 0, "the dead one's lease is not over"
    bench.restart()
    if kind == "authorise":  # the gate's answer is lost; the shopper is in, as the store's default says
        assert bench.enter(method) == ""
        bench.leave(total, method, "event-1")
    bench.wait_and_work(2)
    if Decimal(total):
        bench.run(bench.desk.refund(RefundRequest(REFUND, "trip-1", None, "OTHER")))
    bench.work()
    assert bench.ledger_lines() == lines
    assert len({effect.key for effect in effects(bench.ledger)}) == len(lines)


def test_refunds_return_at_most_what_was_collected(bench: PaymentBench) -> None:
    def refund(number: int, amount: str | None, trip: str = "trip-1") -> str:
        request = RefundRequest(REFUND[:-1] + str(number), trip, Decimal(amount) if amount else None, "OTHER")
        started = bench.run(bench.desk.refund(request))
        bench.work()
        return f"{started.amount} {bench.run(bench.desk.find_refund(request.refund_id)).state}"

    bench.enter("tok_approved")
    bench.leave("12.34", "tok_approved", "event-1")
    with pytest.raises(NotPossible, match="the charge is matching"):
        refund(1, "1.00")
    bench.work()
    assert refund(1, "2.00") == refund(1, "2.00") == "2.00 done"
    for number, amount, why in ((2, "10.35", "at most 10.34"), (1, "3.00", "another refund")):
        with pytest.raises(NotPossible, match=why):
            refund(number, amount)
    with pytest.raises(NotThere):
        refund(3, "1.00", "no-such-trip")
    assert refund(2, None) == "10.34 done"
    with pytest.raises(NotPossible, match=r"at most 0\.00"):
        refund(3, "0.01")
    assert bench.ledger_lines()[-2:] == ["refund 2.00", "refund 10.34"]


@on_sqlite
def test_declined_refund_leaves_the_amount_to_another_one(bench: PaymentBench) -> None:
    bench.leave("12.34", "tok_declined_at_refund")
    bench.work()
    for number in (1, 2):
        request = RefundRequest(REFUND[:-1] + str(number), "trip-1", None, "OTHER")
        bench.run(bench.desk.refund(request))
        bench.work()
        assert bench.run(bench.desk.find_refund(request.refund_id)).state == "declined"


def test_debt_is_paid_by_another_means_or_settled(bench: PaymentBench) -> None:
    bench.enter("tok_declined_at_adjust")
    bench.leave("57.66", "tok_declined_at_adjust", "event-1")
    bench.work()
    assert bench.debt() == Decimal("37.66")
    pay = bench.desk.pay_debt
    with pytest.raises(NotThere):
        bench.run(pay("ben", "trip-1", "tok_approved"))
    bench.run(pay("ada", "trip-1", "tok_declined"))
    bench.work()
    assert bench.debt() == Decimal("37.66")
    attempts = [bench.run(pay("ada", "trip-1", "tok_late_success")) for _ in range(2)]
    assert attempts[0].id == attempts[1].id, "one payment at a time"
    with pytest.raises(NotPossible, match="just now"):
        bench.run(bench.desk.settle("trip-1"))
    bench.wait_and_work(2)
    assert (bench.debt(), bench.charge().state) == (0, "captured")
    assert bench.ledger_lines() == ["authorise 20.00", "capture 20.00", "collect 37.66"]
    with pytest.raises(NotPossible, match="there is no debt"):
        bench.run(pay("ada", "trip-1", "tok_approved"))


@on_sqlite
def test_operator_settles_a_debt_once(bench: PaymentBench) -> None:
    bench.leave("57.66", "tok_declined")
    bench.work()
    assert [bench.run(bench.desk.settle("trip-1")).state for _ in range(2)] == ["settled", "settled"]
    assert (bench.debt(), bench.ledger_lines()) == (0, [])


class Surprising(SimulatedProvider):
    """Raises an unexpected error at the first call of each kind."""

    def __init__(self, ledger: Path) -> None:
        super().__init__(ledger)
        self.seen: set[str] = set()

    async def _answer(self, kind: Any, call: PaymentCall) -> None:
        if kind not in self.seen:
            self.seen.add(kind)
            raise KeyError("answer")
        await super()._answer(kind, call)


@on_sqlite
def test_unexpected_error_of_the_provider_is_an_unclear_answer(bench: PaymentBench) -> None:
    bench.provider = Surprising(bench.ledger)
    bench.restart()
    assert bench.enter("tok_approved") == "payment_unclear"
    bench.leave("12.34", "tok_approved")
    bench.work()
    assert (bench.charge().state, bench.charge().attempts, bench.charge().trouble) == (
        "authorised", 1, "payment_unclear"
    )  # fmt: skip
    assert '"reason":"KeyError"' in bench.log.getvalue()
    bench.wait_and_work(2)
    assert bench.charge().state == "captured"
