"""Strategies that draw stories; Hypothesis shrinks a failing story to the few acts that are needed."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from conformance.properties.story import CARTS, PASSES, REPEATS, RESTART, SCANS, Act, Story

_MOST_ACTS, _MOST_BEFORE, _MOST_AFTER = 28, 5, 6
_EARLIER = 4


def stories() -> st.SearchStrategy[Story]:
    """Draw stories of scans, carts, repetitions and time; more carts than scans, because their order matters more."""
    return _acts(
        _scans(),
        _carts(),
        _carts(),
        _repeats("scan"),
        _repeats("cart"),
        _repeats("cart"),
        _some(PASSES),
        most=_MOST_ACTS,
    ).filter(bool)


def stories_with_a_restart() -> st.SearchStrategy[Story]:
    """Draw stories with a restart of the connector in the middle; a restart alone would show nothing."""
    before = _acts(_scans(), _carts(), most=_MOST_BEFORE)
    after = _acts(_scans(), _carts(), _repeats("scan"), _repeats("cart"), most=_MOST_AFTER)
    return st.tuples(before, after).filter(all).map(lambda parts: (*parts[0], Act(RESTART), *parts[1]))


def _acts(*kinds: st.SearchStrategy[Act], most: int) -> st.SearchStrategy[Story]:
    """Draw up to `most` acts, from slots that may be empty; a drawn list would nearly always be short."""
    slot = st.one_of(st.none(), *kinds)
    return st.tuples(*[slot] * most).map(lambda drawn: tuple(act for act in drawn if act))


def _scans() -> st.SearchStrategy[Act]:
    return _some(SCANS)


def _carts() -> st.SearchStrategy[Act]:
    return _some(CARTS)


def _some(events: Iterable[str]) -> st.SearchStrategy[Act]:
    return st.sampled_from([Act(event) for event in events])


def _repeats(what: str) -> st.SearchStrategy[Act]:
    return st.sampled_from([Act(f"repeat {what}", which, how) for which in range(_EARLIER) for how in REPEATS[what]])
