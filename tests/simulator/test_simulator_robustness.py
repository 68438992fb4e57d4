"""No input from outside loses a cart, breaks a gate or reveals a secret."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.entry.app_code import Scan
from simulator.errors import BadCall, StorageFailed
from simulator.faults import LARGEST_AMOUNT, split_faults
from simulator.hosts import connector_url
from simulator.redaction import redacted_body
from tests.simulator.test_simulator_outage import fill_and_leave, some_services, through


def test_attempt_after_an_internal_error_is_repeated(connector: Any, tmp_path: Path) -> None:
    async def run() -> tuple[dict[str, int], list[str]]:
        services, clock = some_services(tmp_path, connector.url)
        trips = await fill_and_leave(services, 3)
        calls, make = 0, services.deliveries._calls.make  # noqa: SLF001 - the one place where our side can break

        async def broken_once(*arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 1:
                raise OverflowError("a date of the year 99999")
            return await make(*arguments)

        services.deliveries._calls.make = broken_once  # noqa: SLF001 - as above
        await through(services, clock, 10)
        counts = await services.deliveries.counts()
        result = [(await services.deliveries.show(trip))[0] for trip in trips]
        outcomes = [attempt["outcome"] for one in result for attempt in one["attempts"]]
        await services.close()
        return counts, outcomes

    counts, outcomes = asyncio.run(run())
    assert (counts["delivered"], counts["pending"]) == (3, 0)
    assert sorted(outcomes) == ["delivered", "delivered", "delivered", "platform_error"]


def test_exit_counts_only_after_its_cart_is_stored(connector: Any, tmp_path: Path) -> None:
    async def run() -> tuple[list[Any], str, int, dict[str, int]]:
        services, clock = some_services(tmp_path, connector.url)
        trip = (await services.gates.scan("G0", Scan.of_text("key")))["shoppingTripId"]
        services.storage.cart_database.read_now("PRAGMA query_only = ON")
        failed = await asyncio.gather(*(services.trips.leave(trip) for _ in range(2)), return_exceptions=True)
        state = (await services.trips.show(trip))["state"]
        services.storage.cart_database.read_now("PRAGMA query_only = OFF")
        await asyncio.gather(*(services.trips.leave(trip) for _ in range(2)))
        exits = sum(entry["kind"] == "exit" for entry in services.journal.entries())
        await through(services, clock, 10)
        counts = await services.deliveries.counts()
        await services.close()
        return failed, state, exits, counts

    failed, state, exits, counts = asyncio.run(run())
    assert [type(error) for error in failed] == [StorageFailed] * 2
    assert (state, exits) == ("shopping", 1)
    assert (counts["delivered"], counts["pending"]) == (1, 0)


def test_second_leave_is_answered_after_the_cart_is_stored(connector: Any, tmp_path: Path) -> None:
    async def run() -> list[bool]:
        services, _ = some_services(tmp_path, connector.url)
        trip = (await services.gates.scan("G0", Scan.of_text("key")))["shoppingTripId"]
        submit, kept, may_go_on = services.deliveries.submit, [], asyncio.Event()

        async def slow(*arguments: Any) -> None:
            await may_go_on.wait()
            await submit(*arguments)
            kept.append(trip)

        services.deliveries.submit = slow  # type: ignore[method-assign] # a slow disk

        async def leave() -> bool:
            await services.trips.leave(trip)
            return bool(kept)

        leaving = [asyncio.create_task(leave()) for _ in range(2)]
        for _ in range(5):
            await asyncio.sleep(0)
        may_go_on.set()
        was_kept = await asyncio.gather(*leaving)
        await services.close()
        return was_kept

    assert asyncio.run(run()) == [True, True]


def test_retry_after_beyond_the_calendar_is_ignored(connector: Any, tmp_path: Path) -> None:
    async def run() -> dict[str, int]:
        services, clock = some_services(tmp_path, connector.url)
        await fill_and_leave(services, 1)
        await through(services, clock, 10)
        counts: dict[str, int] = await services.deliveries.counts()
        await services.close()
        return counts

    late = {"headers": {"retry-after": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}}
    connector.purchases = [(429, {}, late), (201, {"purchaseId": "p"})]
    assert asyncio.run(run())["delivered"] == 1


def test_delayed_identity_key_is_sent_and_never_written_to_disk(connector: Any, tmp_path: Path) -> None:
    key = "c2hvcHBlci1vbi1ubwo="

    async def run() -> bytes:
        services, clock = some_services(tmp_path, connector.url)
        await services.gates.scan("G0", Scan.of_text(f"fault.old_attempt=2 {key}"))
        meanwhile = on_disk(tmp_path)
        async with asyncio.timeout(5):
            while len(connector.bodies("identity-keys")) < 2:
                clock.wake(clock.at + timedelta(days=3))
                await asyncio.sleep(0.001)
        await services.close()
        return meanwhile + on_disk(tmp_path)

    kept = asyncio.run(run())
    first, late = connector.bodies("identity-keys")
    assert first == late
    assert b"Verify Identity Keys" in kept
    assert key.encode() not in kept


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_fault_time_without_a_zone_is_refused(steady: Any) -> None:
    answer = httpx.post(f"{steady.url}/faults", json={"name": "delay", "amount": 0, "since": "2026-01-01T00:00:00"})

    assert answer.status_code == 400


def test_clock_is_not_moved_off_the_calendar(steady: Any) -> None:
    assert httpx.put(f"{steady.url}/clock", json={"advanceS": 1e13}).status_code == 400


def test_amount_in_a_text_has_a_limit() -> None:
    found, text = split_faults("fault.delay=99999999999999 SKU-1")

    assert (found["delay"], text) == (LARGEST_AMOUNT, "SKU-1")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:99999", "http://127.0.0.1:abc", "http://a..b:80", f"http://{'x' * 70}:80",
     "http://ann:secret@127.0.0.1:1", "http://127.0.0.1:1?token=1"],
)  # fmt: skip
def test_unusable_address_is_refused_when_it_is_saved(url: str) -> None:
    with pytest.raises(BadCall) as refusal:
        connector_url(url, block_amazon=True)

    assert "secret" not in str(refusal.value)


def test_deeply_nested_body_is_recorded_without_its_inner_levels() -> None:
    text = b'{"a":' * 900 + b'"end"' + b"}" * 900

    kept = json.dumps(redacted_body(text))

    assert "removed: deeper than 60 levels" in kept
    assert '"end"' not in kept


def test_short_secret_is_hidden_as_a_whole_word() -> None:
    result = {"echo": "card 1234 of 12345", "number": 1234, "id": "1234", "amount": 12.34, "1234": [True, None]}
    assert redacted_body(json.dumps(result).encode(), ("1234",)) == {
        "echo": "card *** of 12345",
        "number": "***",
        "id": "***",
        "amount": 12.34,
        "1234": [True, None],
    }
    assert redacted_body(b"no JSON: 1234.", ("1234", "")) == "no JSON: ***."


def test_secret_is_hidden_in_its_escaped_form_too() -> None:
    secret = 'card"4111111111111111'

    assert "4111" not in json.dumps(redacted_body(json.dumps({"echo": f"you sent {secret}"}).encode(), (secret,)))
