"""Payments that an outage of the provider leaves stuck: an operator takes them up again, and each has one effect."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reference_connector.errors import NotPossible, NotThere, PaymentUnclear
from reference_connector.payments.desk import RefundRequest
from reference_connector.payments.provider import PaymentCall
from reference_connector.payments.simulated import SimulatedProvider
from tests.reference_connector.payment_bench import PaymentBench

REFUND = "11111111-2222-4333-8444-555555555555"


class Outage(SimulatedProvider):
    """Gives no answer to one kind of call while `kind` is set; `with_effect` loses only the answers."""

    def __init__(self, ledger: Path, kind: str, *, with_effect: bool) -> None:
        super().__init__(ledger)
        self.kind = kind
        self._with_effect = with_effect

    async def _answer(self, kind: Any, call: PaymentCall) -> None:
        if kind != self.kind or self._with_effect:
            await super()._answer(kind, call)
        if kind == self.kind:
            raise PaymentUnclear("the provider is down", code="provider_down")


@pytest.fixture
def outage(bench: PaymentBench) -> Callable[..., Outage]:
    """Start an outage on the bench."""

    def start(kind: str, *, with_effect: bool = False) -> Outage:
        bench.provider.close()
        provider = bench.provider = Outage(bench.ledger, kind, with_effect=with_effect)
        bench.restart()
        return provider

    return start


def stuck_count(bench: PaymentBench) -> int:
    return bench.run(bench.store.transact(lambda records: records.stuck_payments()))


WITHOUT_ENTRY = ["authorise 57.66", "capture 57.66"]
ADJUSTED = ["authorise 20.00", "adjust 57.66", "capture 57.66"]
IN_PARTS = ["authorise 20.00", "capture 20.00", "collect 37.66"]


@pytest.mark.parametrize("with_effect", [False, True], ids=["lost call", "lost answer"])
@pytest.mark.parametrize(
    ("kind", "method", "lines"),
    [
        ("authorise", "tok_approved", WITHOUT_ENTRY),
        ("capture", "tok_approved", ADJUSTED),
        ("adjust", "tok_approved", ADJUSTED),
        ("capture", "tok_declined_at_adjust", IN_PARTS),
        ("collect", "tok_declined_at_adjust", IN_PARTS),
    ],
)
def test_stuck_charge_is_taken_up_once(
    bench: PaymentBench,
    outage: Callable[..., Outage],
    kind: str,
    method: str,
    lines: list[str],
    *,
    with_effect: bool,
) -> None:
    provider = outage("", with_effect=with_effect)
    if kind != "authorise":
        assert bench.enter(method) == ""
    provider.kind = kind
    bench.leave("57.66", method, "event-1", others=("tok_approved",))
    bench.wait_and_work(6)
    assert (bench.charge().state, stuck_count(bench)) == ("stuck", 1)
    assert bench.debt() == 0, "the provider may have collected it, so the gate stays open"
    provider.kind = ""
    bench.run(bench.desk.retry_charge("trip-1"))
    with pytest.raises(NotPossible, match="only a stuck one"):
        bench.run(bench.desk.retry_charge("trip-1"))
    bench.work()
    assert (bench.charge().state, bench.ledger_lines(), stuck_count(bench)) == ("captured", lines, 0)


@pytest.mark.parametrize("bench", ["sqlite"], indirect=True)
def test_stuck_charge_that_stays_without_an_answer_is_stuck_again(
    bench: PaymentBench, outage: Callable[..., Outage]
) -> None:
    outage("capture")
    bench.leave("12.34", "tok_approved")
    for _ in range(2):
        bench.wait_and_work(6)
        assert (bench.charge().state, bench.charge().stuck_in, bench.charge().attempts) == ("stuck", "authorised", 4)
        bench.run(bench.desk.retry_charge("trip-1"))


@pytest.mark.parametrize("with_effect", [False, True], ids=["lost call", "lost answer"])
@pytest.mark.parametrize("bench", ["sqlite"], indirect=True)
def test_settled_stuck_charge_is_released_unless_it_was_collected(
    bench: PaymentBench, outage: Callable[..., Outage], *, with_effect: bool
) -> None:
    provider = outage("capture", with_effect=with_effect)
    bench.enter("tok_approved")
    bench.leave("12.34", "tok_approved", "event-1")
    bench.wait_and_work(6)
    provider.kind = ""
    bench.run(bench.desk.settle("trip-1"))
    bench.work()
    held = bench.authorisation()
    if with_effect:
        assert (held.state, held.trouble) == ("stuck", "authorisation_ended")
    else:
        assert (held.state, bench.ledger_lines()[-1]) == ("released", "release 20.00")


@pytest.mark.parametrize("kind", ["authorise", "release"])
def test_stuck_authorisation_is_released_once(bench: PaymentBench, outage: Callable[..., Outage], kind: str) -> None:
    provider = outage(kind, with_effect=True)
    bench.enter("tok_approved")
    if kind == "release":
        bench.leave("0", "tok_approved", "event-1")
    bench.wait_and_work(6)
    assert bench.authorisation().state == "stuck"
    provider.kind = ""
    bench.run(bench.desk.retry_authorisation("EVENT-1"))
    bench.work()
    assert (bench.authorisation().state, bench.ledger_lines()) == ("released", ["authorise 20.00", "release 20.00"])
    with pytest.raises(NotThere):
        bench.run(bench.desk.retry_authorisation("event-2"))


def test_stuck_refund_is_taken_up_once(bench: PaymentBench, outage: Callable[..., Outage]) -> None:
    provider = outage("refund", with_effect=True)
    bench.leave("12.34", "tok_approved")
    bench.work()
    bench.run(bench.desk.refund(RefundRequest(REFUND, "trip-1", Decimal("2.00"), "OTHER")))
    bench.wait_and_work(6)
    provider.kind = ""
    assert bench.run(bench.desk.find_refund(REFUND)).state == "stuck"
    bench.run(bench.desk.retry_refund(REFUND))
    bench.work()
    assert bench.run(bench.desk.find_refund(REFUND)).state == "done"
    assert bench.ledger_lines()[-1:] == ["refund 2.00"]
    assert len(bench.ledger_lines()) == 3


def test_stuck_payment_of_a_debt_is_taken_up_unless_the_debt_is_settled(
    bench: PaymentBench, outage: Callable[..., Outage]
) -> None:
    provider = outage("collect", with_effect=True)
    bench.leave("12.34", "tok_declined")
    bench.work()
    bench.run(bench.desk.pay_debt("ada", "trip-1", "tok_approved"))
    bench.wait_and_work(6)
    provider.kind = ""
    with pytest.raises(NotPossible, match="which can retry it"):
        bench.run(bench.desk.pay_debt("ada", "trip-1", "tok_approved"))
    bench.run(bench.desk.retry_debt_payment("trip-1"))
    with pytest.raises(NotPossible, match="just now"):
        bench.run(bench.desk.settle("trip-1"))
    bench.work()
    assert (bench.debt(), bench.charge().state, bench.ledger_lines()) == (0, "captured", ["collect 12.34"])
    with pytest.raises(NotPossible, match="no debt"):
        bench.run(bench.desk.retry_debt_payment("trip-1"))


def test_operator_lists_and_closes_a_stuck_charge(direct: Any, a_cart: Any) -> None:
    cart = a_cart()
    cart["shoppingTrip"]["authEvents"][0]["scanResult"] = {"id": "who-is-this", "type": "SHOPPER"}
    direct.purchase(cart)
    assert "jwo_connector_payments_stuck 1.0" in direct.operator_get("/metrics").text
    assert direct.operator_get("/ops/transfers/stuck").json() == {"transfers": []}
    refused = direct.operator_post("/ops/charges/trip-1/retry")
    assert (refused.status_code, "no_payment_method" in refused.json()["errorMsg"]) == (409, True)
    assert direct.operator_post("/ops/debts/trip-1/settle").json()["state"] == "settled"
    assert "jwo_connector_payments_stuck 0.0" in direct.operator_get("/metrics").text
    for path in ("charges/no-such", "authorisations/no-such", f"refunds/{REFUND}", "debts/trip-1"):
        assert direct.operator_post(f"/ops/{path}/retry").status_code == 404
