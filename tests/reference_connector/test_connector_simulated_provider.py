"""The simulated payment provider: what its ledger does not allow, and an order of its own for each refund."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reference_connector.errors import PaymentDeclined, PaymentUnclear
from reference_connector.payments.provider import PaymentCall
from reference_connector.payments.simulated import SimulatedProvider, effects

CALL = PaymentCall("key", "trip-1", "tok_approved", Decimal("5.00"), "USD", "ref-a")


def test_unwritable_ledger_is_an_unclear_answer(tmp_path: Path) -> None:
    with pytest.raises(PaymentUnclear):
        asyncio.run(SimulatedProvider(tmp_path / "no" / "such").authorise(CALL))


@pytest.mark.parametrize(
    ("before", "call", "problem"),
    [
        ([], "capture", "no_authorisation"),
        (["authorise 4.99"], "capture", "more_than_reserved"),
        (["authorise 9.00", "adjust 4.99"], "capture", "more_than_reserved"),
        (["authorise 9.00", "release 9.00"], "capture", "authorisation_ended"),
        (["authorise 9.00", "capture 9.00"], "release", "authorisation_ended"),
        (["authorise 9.00", "capture 9.00"], "adjust", "authorisation_ended"),
        (["authorise 9.00", "capture 4.99"], "refund", "more_than_collected"),
        (["collect 9.00", "refund 4.01"], "refund", "more_than_collected"),
    ],
)
def test_provider_declines_what_its_ledger_does_not_allow(
    tmp_path: Path, before: list[str], call: str, problem: str
) -> None:
    provider = SimulatedProvider(tmp_path / "ledger.sqlite3")

    async def story() -> None:
        for number, line in enumerate(before):
            kind, amount = line.split()
            key = "a" if kind == "authorise" else f"key-{number}"
            earlier: Callable[..., Any] = getattr(provider, kind)
            await earlier(CALL._replace(key=key, amount=Decimal(amount)))
        await getattr(provider, call)(CALL)

    with pytest.raises(PaymentDeclined) as declined:
        asyncio.run(story())
    assert declined.value.code == problem
    provider.close()


def test_refund_of_one_order_leaves_the_others(tmp_path: Path) -> None:
    provider = SimulatedProvider(tmp_path / "ledger.sqlite3")

    async def story() -> None:
        for order in ("a", "b"):
            await provider.collect(PaymentCall(f"{order}:collect", order, "tok_approved", Decimal("5.00"), "USD"))
        for order in ("a", "b"):
            await provider.refund(PaymentCall(f"{order}:refund", order, "tok_approved", Decimal("5.00"), "USD"))

    asyncio.run(story())
    assert [effect.kind for effect in effects(tmp_path / "ledger.sqlite3")] == ["collect"] * 2 + ["refund"] * 2
    provider.close()
