"""The judgement of a whole run: what it may repeat, what it leaves out, and the suite's own lag."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from conformance.drivers.exchange import Answer, Exchange
from conformance.drivers.own_lag import own_lag
from conformance.errors import NotDeclared
from conformance.internals import sign_of_internals
from conformance.mutants.gallery import connector_with
from conformance.mutants.gate import certify, profile_of
from conformance.mutants.http_app import Reply, Request
from conformance.mutants.small_connector import SmallConnector
from conformance.run.configuration import RunConfiguration, Selection, utc_now
from conformance.run.session import run
from conformance.summary import _samples
from conformance.timing import average_calls, needs_punctual_suite
from conformance.verdicts import Verdict
from jwo_contract.operations import VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile

Serve = Callable[[Any], str]


def an_exchange(elapsed_s: float, own_lag_s: float = 0.0) -> Exchange:
    answer = Answer(200, {}, b"{}")
    return Exchange(
        VERIFY_IDENTITY_KEYS, "POST", "http://x", {}, b"{}", utc_now(), elapsed_s, answer, own_lag_s=own_lag_s
    )


def judged(profile: Profile, *only: str) -> dict[str, Verdict]:
    results = run(RunConfiguration(profile, Selection(("core",), only))).results
    return {each: result.verdict for each, result in results.items()}


def test_own_lag_is_not_blamed_on_the_connector() -> None:
    exchange = an_exchange(2.3, own_lag_s=0.5)

    assert not exchange.is_late(2.0)
    assert exchange.is_late_by_suite(2.0)
    with pytest.raises(NotDeclared, match=r"ran up to 0\.5 s late in 1 calls"):
        needs_punctual_suite([an_exchange(0.1), exchange], 2.0)


def test_late_answer_stays_late_with_little_lag() -> None:
    exchange = an_exchange(2.6, own_lag_s=0.5)

    assert exchange.is_late(2.0)
    assert not exchange.is_late_by_suite(2.0)


def test_threads_that_hold_the_interpreter_are_own_lag() -> None:
    own_lag()
    time.sleep(0.05)
    before, start = sys.getswitchinterval(), time.perf_counter()
    sys.setswitchinterval(0.2)
    try:
        busy = threading.Thread(target=lambda: sum(range(20_000_000)))
        busy.start()
        time.sleep(0.01)
        busy.join()
    finally:
        sys.setswitchinterval(before)

    assert own_lag().since(start) > 0.1


def test_quiet_process_has_next_to_no_lag() -> None:
    own_lag()
    shares = []
    for _ in range(5):
        start = time.perf_counter()
        time.sleep(0.2)
        shares.append(own_lag().since(start) / 0.2)

    assert min(shares) < 0.2


def test_calls_at_the_same_time_are_counted_by_their_time() -> None:
    first = an_exchange(1.0)
    half = replace(first, elapsed_s=0.5)

    assert average_calls(first, [first, half, replace(first, started_at=utc_now().replace(year=2000))]) == 1.5


def test_plot_keeps_every_late_answer() -> None:
    times = sorted([float(each) for each in range(1990)] + [2000.5, 2001.0, 2600.0])
    kept = _samples(times, 2000.0)

    assert kept[-3:] == [2000.5, 2001.0, 2600.0]
    assert 400 <= len(kept) <= 520


@pytest.mark.parametrize(
    "text",
    [
        '{"errorMsg": "cartItems[0].quantity.value: must match the pattern ^[0-9]+$"}',
        '{"message": "Please select an item from the catalog."}',
        '{"detail": "JSON is not valid: Expecting value: line 1 column 1 (char 0)"}',
        '{"message": "Unexpected token } in JSON at position 5"}',
        "<html><h1>404 Not Found</h1>nginx/1.25</html>",
        '{"title": "no such path", "instance": "/v1/order/purchases", "type": "https://example.com/app/errors/404"}',
        '{"error": "storeId is unknown; delete from the cart and update the store at 12:30:05"}',
    ],
)
def test_usual_refusal_shows_no_inside(text: str) -> None:
    assert sign_of_internals(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        'File "/x/y.py", line 3, in f',
        "at com.shop.Gate.open(Gate.java:41)",
        "Fatal error: Uncaught Error in /var/www/x.php on line 7",
        "/gems/rack.rb:12:in `call'",
        "thread 'main' panicked at src/main.rs:3:5",
        "ORA-00942: table or view does not exist",
        "SQLSTATE[42S02]",
        "KeyError: 'storeId'",
        "C:\\inetpub\\shop\\gate.aspx",
        "select id from trips where id = 'x'",
        "System.NullReferenceException: Object reference",
    ],
)
def test_inside_is_seen(text: str) -> None:
    assert sign_of_internals(text)
    assert not sign_of_internals(text, sent=text)


def test_connector_that_forgets_at_a_restart_has_that_finding_only() -> None:
    results = certify("forgets_at_restart:cart", ("CP-2", "CP-X.1", "CP-X.34", "CP-X.100", "CP-X.102")).results

    assert {each for each, result in results.items() if result.verdict is not Verdict.PASS} == {"CP-X.34"}


def test_second_key_that_counts_is_judged_by_another_case(serve: Serve) -> None:
    profile = profile_of(serve(connector_with("remembers_by_event_and_key")))

    assert judged(profile, "VIK-X.3", "VIK-X.81") == {"VIK-X.3": Verdict.WARN, "VIK-X.81": Verdict.NOT_APPLICABLE}


def test_idle_time_of_zero_leaves_the_cases_out(serve: Serve) -> None:
    profile = profile_of(serve(connector_with()))
    limits = profile.limits.model_copy(update={"idle_s": 0})
    found = judged(profile.model_copy(update={"limits": limits}), "VIK-X.83", "CP-X.104")

    assert set(found.values()) == {Verdict.NOT_APPLICABLE}


def test_house_that_shows_its_inside_is_not_judged(serve: Serve) -> None:
    profile = profile_of(serve(connector_with("shows_sql:scan")))
    http = profile.house.http.model_copy(update={"shows_internals": True})
    house = profile.house.model_copy(update={"http": http})

    assert judged(profile.model_copy(update={"house": house}), "VIK-X.87") == {"VIK-X.87": Verdict.NOT_APPLICABLE}


def test_connector_that_is_always_late_has_one_finding(serve: Serve) -> None:
    profile = profile_of(serve(connector_with("answers_scans_after_2500_ms")))
    found = judged(profile, "VIK-9", "VIK-X.82", "VIK-X.85")

    assert found == {"VIK-9": Verdict.FAIL, "VIK-X.82": Verdict.BLOCKED, "VIK-X.85": Verdict.BLOCKED}


def test_purchases_of_empty_carts_may_share_their_empty_id(serve: Serve) -> None:
    class OneId(SmallConnector):
        def sold(self, purchase_id: str) -> Reply:
            return super().sold(purchase_id and "P-1")

        def new_purchase_id(self, request: Request) -> str:
            return super().new_purchase_id(request)

    profile = profile_of(serve(OneId()))

    assert judged(profile, "CP-1.7", "CP-X.102") == {"CP-1.7": Verdict.PASS, "CP-X.102": Verdict.FAIL}
    assert judged(profile_of(serve(SmallConnector())), "CP-1.7", "CP-X.102")["CP-X.102"] is Verdict.PASS
