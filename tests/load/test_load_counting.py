"""Counting is exact, merging loses nothing, and the verdict follows the counts, all without a network."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram

from load.expectations import Finding
from load.histogram import DIGITS, HIGHEST_US, Tally, encoded, histogram, merged
from load.http_client.exchange import Exchange, NoAnswer
from load.recorder import Recorder
from load.results import Merging, Results
from load.settings import LoadOptions
from load.verdict import judge, late_at_most

BUDGET_NS = 2_000_000_000
MS = 1_000_000


def an_exchange(
    latency_ns: int = MS, *, lag_ns: int = 0, failure: NoAnswer | None = None, at_ns: int = 0, **more: Any
) -> Exchange:
    return Exchange(
        at_ns, b"", None, started_ns=at_ns + lag_ns, answered_ns=at_ns + latency_ns, failure=failure, status=200, **more
    )


def a_recorder(*exchanges: Exchange, wrong: tuple[Finding, str] | None = None) -> Recorder:
    recorder = Recorder(BUDGET_NS, 0)
    for exchange in exchanges:
        recorder.started(exchange)
        recorder.ended(exchange, "cart", wrong)
    return recorder


def results_of(*recorders: Recorder, scheduled: int | None = None, workers: int | None = None) -> Results:
    snapshots = [recorder.snapshot() for recorder in recorders]
    wanted = sum(recorder.counts["started"] for recorder in recorders) if scheduled is None else scheduled
    return Merging([wanted], len(recorders) if workers is None else workers, snapshots).results()


def verdict_of(*recorders: Recorder, scheduled: int | None = None, workers: int | None = None) -> tuple[str, str]:
    verdict = judge(results_of(*recorders, scheduled=scheduled, workers=workers), LoadOptions())
    return verdict.word, "; ".join(verdict.reasons)


def test_answer_after_exactly_2000_ms_is_in_time() -> None:
    assert verdict_of(a_recorder(an_exchange(BUDGET_NS)))[0] == "pass"


def test_answer_a_nanosecond_after_2000_ms_is_late() -> None:
    word, reasons = verdict_of(a_recorder(an_exchange(BUDGET_NS + 1), an_exchange()))

    assert word == "fail"
    assert "1 of 2 answers later than 2 s" in reasons


def test_latency_begins_at_the_intended_start() -> None:
    late_start = an_exchange(BUDGET_NS + MS, lag_ns=BUDGET_NS)

    assert a_recorder(late_start).counts["late"] == 1


def test_timed_out_request_is_late_and_unanswered() -> None:
    recorder = a_recorder(an_exchange(10_000 * MS, failure=NoAnswer.TIMED_OUT))

    assert (recorder.counts["late"], recorder.counts["unanswered"]) == (1, 1)


def test_refused_connection_is_no_fast_answer() -> None:
    recorder = a_recorder(an_exchange(failure=NoAnswer.REFUSED))

    assert results_of(recorder).latency().get_total_count() == 0
    assert verdict_of(recorder) == ("fail", "1 requests without an answer")


def test_fast_wrong_answer_is_a_finding() -> None:
    word, reasons = verdict_of(a_recorder(an_exchange(), wrong=(Finding.DOUBLED_PURCHASE, "two answers")))

    assert (word, reasons) == ("fail", "1 x doubled purchase")


def test_late_201_counts_as_a_late_commit() -> None:
    assert a_recorder(an_exchange(BUDGET_NS + MS)).counts["late_commits"] == 1


def test_no_late_answer_bounds_the_share_by_three_in_n() -> None:
    recorder = a_recorder(*(an_exchange() for _ in range(300)))

    assert verdict_of(recorder) == ("pass", "0 late in 300: at most 1 % at 95 % confidence")


@pytest.mark.parametrize(
    ("late", "of", "low", "high"), [(0, 1000, 0.003, 0.003), (10, 1000, 0.015, 0.02), (5, 5, 1, 1)]
)
def test_bound_is_above_the_observed_share(late: int, of: int, low: float, high: float) -> None:
    assert low <= late_at_most(late, of) <= high


def test_lagging_generator_makes_the_run_invalid() -> None:
    recorder = a_recorder(*(an_exchange(5 * MS, lag_ns=(2 * MS if number % 50 == 0 else 0)) for number in range(1000)))

    word, reasons = verdict_of(recorder)

    assert word == "invalid"
    assert "the generator lagged: p99 2.0" in reasons


def test_lag_in_less_than_one_percent_of_starts_is_allowed() -> None:
    recorder = a_recorder(*(an_exchange(5 * MS, lag_ns=(2 * MS if number % 200 == 0 else 0)) for number in range(1000)))

    assert verdict_of(recorder)[0] == "pass"


def test_late_answers_possibly_of_the_generator_are_invalid() -> None:
    on_the_edge = an_exchange(BUDGET_NS + MS, read_delay_ns=3 * MS)

    assert verdict_of(a_recorder(on_the_edge, *(an_exchange() for _ in range(200))))[0] == "invalid"


def test_one_certainly_late_answer_fails() -> None:
    on_the_edge, beyond = an_exchange(BUDGET_NS + MS, read_delay_ns=3 * MS), an_exchange(BUDGET_NS + 500 * MS)

    word, reasons = verdict_of(a_recorder(on_the_edge, beyond, *(an_exchange() for _ in range(200))))

    assert word == "fail"
    assert "1 of them in doubt" in reasons


def test_missed_arrival_makes_the_run_invalid_with_a_reason() -> None:
    recorder = a_recorder(an_exchange())
    recorder.miss("no identity key was ready", 3)

    assert verdict_of(recorder, scheduled=4) == ("invalid", "3 arrivals were not sent: no identity key was ready")


def test_unaccounted_arrival_makes_the_run_invalid() -> None:
    assert verdict_of(a_recorder(an_exchange()), scheduled=2)[0] == "invalid"


def test_request_without_a_result_makes_the_run_invalid() -> None:
    recorder = a_recorder(an_exchange())
    recorder.started(an_exchange())

    assert verdict_of(recorder) == ("invalid", "1 requests had no result at the end of the run")


def test_worker_without_results_makes_the_run_invalid() -> None:
    word, reasons = verdict_of(a_recorder(an_exchange()), workers=2)

    assert word == "invalid"
    assert "1 of 2 workers sent no results" in reasons


def test_empty_run_is_invalid() -> None:
    assert verdict_of(Recorder(BUDGET_NS, 0))[0] == "invalid"


def test_two_workers_with_the_same_purchase_are_cross_talk() -> None:
    snapshots = [a_recorder(an_exchange()).snapshot() | {"purchases": [11, place]} for place in (1, 2)]

    assert Merging([2], 2, snapshots).results().findings == {"cross-talk": 1}


def test_four_workers_and_one_worker_give_equal_results() -> None:
    chance = random.Random(3)  # noqa: S311 - samples
    samples = [
        an_exchange(
            int(chance.lognormvariate(17, 2)),
            lag_ns=chance.randrange(900_000),
            at_ns=place * 5_000_000,
            cold=chance.random() < 0.1,
            failure=NoAnswer.TIMED_OUT if chance.random() < 0.01 else None,
        )
        for place in range(4000)
    ]

    one = results_of(a_recorder(*samples))
    four = results_of(*(a_recorder(*samples[place::4]) for place in range(4)))

    assert four.counts == one.counts
    assert four.seconds == one.seconds
    assert four.longest_ns == one.longest_ns
    for name in one.histograms:
        assert _cells(merged(four.histograms[name])) == _cells(merged(one.histograms[name]))


def test_tally_has_the_cells_of_the_hdr_histogram() -> None:
    chance = random.Random(5)  # noqa: S311 - samples
    values = [int(chance.lognormvariate(9, 3)) for _ in range(5000)] + [0, 1, 2047, 2048, 2049, HIGHEST_US]
    tally, direct = Tally(), HdrHistogram(1, HIGHEST_US, DIGITS)
    for value in values:
        tally.add(value)
        direct.record_value(min(value, HIGHEST_US))

    assert _cells(histogram(tally)) == _cells(direct)
    assert _cells(merged(encoded(tally))) == _cells(direct)


def test_percentiles_are_not_rounded_to_two_digits() -> None:
    tally = Tally()
    for _ in range(100):
        tally.add(1_951_000)

    assert merged(encoded(tally)).get_value_at_percentile(99) == pytest.approx(1_951_000, rel=0.001)


def _cells(of: HdrHistogram) -> list[int]:
    return [of.get_count_at_index(index) for index in range(of.counts_len)]
