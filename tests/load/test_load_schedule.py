"""The schedule: the same for the same seed, complete over all workers, and true to its curve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest

from load.curves import Curve, constant, ramp, spike, steps, store_day
from load.errors import BadOptions
from load.schedule import Kind, Mix, Schedule, make_schedule

CURVES: dict[str, Callable[[], Curve]] = {
    "constant": lambda: constant(100, 10),
    "ramp": lambda: ramp(0, 200, 10),
    "steps": lambda: steps((50, 4), (200, 2), (50, 4)),
    "spike": lambda: spike(20, 300, 10),
    "store_day": lambda: store_day(150, 20),
}


def a_schedule(curve: Curve | None = None, mix: Mix | None = None, *, seed: int = 7, poisson: bool = True) -> Schedule:
    return make_schedule(curve or constant(100, 10), mix or Mix(carts=0.4), seed=seed, poisson=poisson)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("poisson", [True, False])
def test_same_seed_gives_the_same_schedule(name: str, *, poisson: bool) -> None:
    first, second = (a_schedule(CURVES[name](), poisson=poisson) for _ in range(2))

    assert first == second
    assert len(first) > 0


def test_another_seed_gives_another_schedule() -> None:
    assert a_schedule(seed=7) != a_schedule(seed=8)


@pytest.mark.parametrize("workers", [1, 2, 3, 4])
def test_shares_of_all_workers_are_the_whole_schedule(workers: int) -> None:
    whole = a_schedule()

    shares = [whole.share(place, workers) for place in range(workers)]

    together = Counter(pair for share in shares for pair in zip(share.due_ns, share.kinds, strict=True))
    assert together == Counter(zip(whole.due_ns, whole.kinds, strict=True))


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("poisson", [True, False])
def test_starts_ascend_and_stay_within_the_curve(name: str, *, poisson: bool) -> None:
    curve = CURVES[name]()

    schedule = a_schedule(curve, poisson=poisson)

    assert all(first <= second for first, second in pairwise(schedule.due_ns))
    assert schedule.due_ns[0] >= 0
    assert schedule.due_ns[-1] <= curve.duration_s * 1e9


@pytest.mark.parametrize("name", CURVES)
def test_each_second_has_the_curves_number_of_requests(name: str) -> None:
    curve = CURVES[name]()

    wanted = a_schedule(curve, Mix(at_once=0), poisson=False).wanted_by_second()

    for second, count in enumerate(wanted):
        middle = sum(curve.rate_at(second + part / 100 + 0.005) for part in range(100)) / 100
        assert count == pytest.approx(middle, abs=2.1)


def test_constant_curve_spaces_evenly() -> None:
    due_ns = a_schedule(constant(200, 5), Mix(at_once=0), poisson=False).due_ns

    assert {round((second - first) / 1e6, 3) for first, second in pairwise(due_ns)} == {5.0}


def test_random_arrivals_have_exponential_gaps() -> None:
    due_ns = a_schedule(constant(1000, 20), Mix(at_once=0)).due_ns
    gaps = [second - first for first, second in pairwise(due_ns)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5

    assert len(due_ns) == pytest.approx(20_000, rel=0.03)
    assert spread / mean == pytest.approx(1.0, abs=0.05)  # exponential gaps: spread equals mean


def test_pair_starts_at_one_instant_in_one_worker() -> None:
    whole = a_schedule(mix=Mix(carts=0.5, at_once=0.4))

    for share in (whole.share(0, 3), whole.share(1, 3), whole.share(2, 3)):
        for place, kind in enumerate(share.kinds):
            if kind == Kind.SECOND_OF_PAIR:
                assert share.kinds[place - 1] in (Kind.SCAN_TWICE, Kind.CART_TWICE)
                assert share.due_ns[place - 1] == share.due_ns[place]
    assert whole.kinds.count(Kind.SECOND_OF_PAIR) * 2 == pytest.approx(0.4 * len(whole), rel=0.25)


def test_requests_have_the_shares_of_the_mix() -> None:
    kinds = a_schedule(constant(2000, 10), Mix(carts=0.25, bad_keys=0.1, duplicates=0.1, at_once=0)).kinds
    shares = {Kind(kind): count / len(kinds) for kind, count in Counter(kinds).items()}

    assert shares[Kind.BAD_KEY] == pytest.approx(0.1, abs=0.01)
    assert shares[Kind.CART] == pytest.approx(0.8 * 0.25, abs=0.01)
    assert shares[Kind.SCAN_AGAIN] == pytest.approx(0.1 * 0.75, abs=0.01)


def test_mix_with_shares_above_one_is_refused() -> None:
    with pytest.raises(BadOptions):
        Mix(bad_keys=0.6, duplicates=0.6).weights()
