"""A small platform: odd answers capture nothing, every Retry-After is kept, and two nodes make each call once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from jwo_contract.operations import ADJUST_CHARGE, CAPTURE_CHARGE, Operation
from reference_connector.errors import StoreUnavailable
from reference_connector.platform_calls.caller import PlatformCaller
from reference_connector.platform_calls.settings import PlatformAccess
from reference_connector.store import Charge, Records
from tests.reference_connector.amazon_shop import ACCESS
from tests.reference_connector.payment_bench import PaymentBench


def save_charges(bench: PaymentBench, *trips: str) -> None:
    def save(records: Records) -> None:
        for trip in trips:
            charge = Charge(trip, "", Decimal("1.50"), "USD", "", "adjust_at_amazon", bench.now)
            records.charges.save(charge._replace(amazon_store="STORE-001"))

    bench.run(bench.store.transact(save))


def answer_always(bench: PaymentBench, status: int, headers: dict[str, Any], content: bytes) -> list[str]:
    """Let the platform give one answer to all calls; return the list that gets the path of each call."""
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))

    connect(bench, answer)
    return paths


def connect(bench: PaymentBench, answer: Callable[[httpx.Request], Any]) -> None:
    """Replace the platform of a bench by a function."""
    access = PlatformAccess(endpoint="http://platform", **ACCESS)
    transport = httpx.MockTransport(answer)
    bench.platform = PlatformCaller(access, block_amazon=True, clock=lambda: bench.now, transport=transport)
    bench.outbox = bench.worker()


def test_two_nodes_make_each_call_once(bench: PaymentBench) -> None:
    calls: Counter[str] = Counter()

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        calls[f"{request.url.path} {body['shoppingTripId']}"] += 1
        approved = {"status": "APPROVED", "authorizedAmount": body.get("amount")}
        is_adjusted = request.url.path == ADJUST_CHARGE.path
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(approved).encode() if is_adjusted else b""))

    connect(bench, answer)
    trips = [f"trip-{number}" for number in range(20)]

    async def work_on_both() -> None:
        nodes = [bench.worker(), bench.worker()]
        while any(await asyncio.gather(*(node.settle_due() for node in nodes))):
            pass

    save_charges(bench, *trips)
    bench.run(work_on_both())
    bench.run(bench.platform.close())
    assert calls == {f"{call.path} {trip}": 1 for call in (ADJUST_CHARGE, CAPTURE_CHARGE) for trip in trips}
    assert {bench.charge(trip).state for trip in trips} == {"captured"}


def approval(amount: str, code: str = "USD", status: str = "APPROVED") -> bytes:
    return f'{{"status": "{status}", "authorizedAmount": {{"amount": {amount}, "code": "{code}"}}}}'.encode()


ODD: dict[str, tuple[int, dict[str, str], bytes, str]] = {
    "NUL in the reason": (400, {}, b'{"message": "bad\\u0000\\ntrip"}', "refused_400: bad? trip"),
    "page": (404, {"content-type": "text/html"}, b"<h1>Not\x00\n Found</h1>", "refused_404: <h1>Not? Found</h1>"),
    "redirect": (307, {"location": "http://elsewhere/"}, b"", "refused_307: Temporary Redirect"),
    "conflict": (409, {}, b"[]", "refused_409: []"),
    "amount as a text": (200, {}, approval('"1.50"'), "malformed_answer"),
    "less": (200, {}, approval("1.49"), "authorised_1.49 USD"),
    "another currency": (200, {}, approval("1.5", "EUR"), "authorised_1.5 EUR"),
    "another state": (200, {}, approval("1.5", status="MAYBE"), "malformed_answer"),
    "too long": (200, {}, b" " * 1_000_001, "malformed_answer"),
}


ON_SQLITE = pytest.mark.parametrize("bench", ["sqlite"], indirect=True)


@ON_SQLITE
@pytest.mark.parametrize("case", ODD)
def test_odd_answer_captures_nothing_and_waits_for_an_operator(bench: PaymentBench, case: str) -> None:
    status, headers, content, trouble = ODD[case]
    paths = answer_always(bench, status, headers, content)
    save_charges(bench, "trip-1")
    bench.wait_and_work(times=3)

    assert (bench.charge().state, bench.charge().trouble) == ("stuck", trouble)
    assert paths == [ADJUST_CHARGE.path]


@ON_SQLITE
def test_reason_and_remedy_of_a_failed_call_are_in_the_log(bench: PaymentBench) -> None:
    answer_always(bench, 403, {}, b"")
    save_charges(bench, "trip-1")
    bench.run(bench.outbox.settle_due())
    failed = json.loads(bench.log.getvalue().splitlines()[0])
    assert (failed["event"], failed["reason"]) == ("platform_call_failed", "the platform answered 403: Forbidden")
    assert "allow-listed" in failed["hint"]


@ON_SQLITE
@pytest.mark.parametrize(
    ("retry_after", "pause_s"),
    [("9" * 400, 86_400), ("-5", 1), ("Fri, 09 Feb 2126 12:00:00 GMT", 86_400), ("soon", 1), ("\u00b2", 1), ("7", 7)],
)
def test_every_retry_after_leads_to_a_pause_of_at_most_a_day(
    bench: PaymentBench, retry_after: str, pause_s: float
) -> None:
    answer_always(bench, 429, {"retry-after": retry_after.encode("latin-1")}, b"<html>slow down</html>")
    save_charges(bench, "trip-1")
    bench.run(bench.outbox.settle_due())
    charge = bench.charge()
    assert (charge.state, charge.attempts) == ("adjust_at_amazon", 1)
    assert (charge.due_at - bench.now).total_seconds() == pause_s


@ON_SQLITE
@pytest.mark.parametrize("late_status", [200, 503, 400])
@pytest.mark.parametrize("slow", [ADJUST_CHARGE, CAPTURE_CHARGE], ids=lambda operation: operation.name)
def test_late_answer_of_a_lost_lease_changes_nothing(bench: PaymentBench, slow: Operation, late_status: int) -> None:
    paths: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.path)
        status, body = 200, approval("1.50") if request.url.path == ADJUST_CHARGE.path else b""
        if paths.count(slow.path) == 1 and request.url.path == slow.path:
            bench.now += timedelta(hours=1)  # the lease is over, or the clock has jumped
            while await other.settle_due():
                pass
            status = late_status
        return httpx.Response(status, stream=httpx.ByteStream(body))

    connect(bench, answer)
    other = bench.worker()
    save_charges(bench, "trip-1")
    bench.work()
    assert (bench.charge().state, bench.charge().captured, bench.charge().trouble) == ("captured", Decimal("1.50"), "")
    assert paths.count(CAPTURE_CHARGE.path) == (2 if slow is CAPTURE_CHARGE else 1)


@ON_SQLITE
def test_clock_that_jumps_back_delays_a_charge_and_doubles_nothing(bench: PaymentBench) -> None:
    paths = answer_always(bench, 200, {}, approval("1.50"))
    save_charges(bench, "trip-1")
    bench.now -= timedelta(hours=1)
    bench.work()
    assert paths == []
    bench.now += timedelta(hours=1)
    bench.work()
    assert paths == [ADJUST_CHARGE.path, CAPTURE_CHARGE.path]
    assert bench.charge().state == "captured"


@ON_SQLITE
def test_result_that_cannot_be_saved_disturbs_no_other_payment(
    bench: PaymentBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = answer_always(bench, 200, {}, approval("1.50"))
    save_charges(bench, "trip-1", "trip-2")
    transact, failures = bench.store.transact, [StoreUnavailable("full"), RuntimeError("a bug")]

    async def failing(work: Any, *given: Any) -> Any:
        if failures and getattr(work, "__name__", "") == "_keep" and given[0].trip_id == "trip-1":
            raise failures.pop()
        return await transact(work, *given)

    async def run_until_captured() -> None:
        running = asyncio.create_task(bench.outbox.run())
        while await count_captured() < 2:
            bench.outbox.wake()
            bench.now += timedelta(seconds=10)  # the lease of a result that is lost ends
            await asyncio.sleep(0.001)
        bench.outbox.stop()
        await running

    async def count_captured() -> int:
        return len(await transact(lambda records: records.charges.in_state("captured", 9)))

    monkeypatch.setattr(bench.store, "transact", failing)
    bench.run(asyncio.wait_for(run_until_captured(), 10))
    assert paths.count(CAPTURE_CHARGE.path) == 2
    codes = [line["code"] for line in map(json.loads, bench.log.getvalue().splitlines()) if "waits" in line["event"]]
    assert sorted(codes) == ["RuntimeError", "store_unavailable"]
