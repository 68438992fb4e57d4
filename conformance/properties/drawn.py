"""Strategies that draw stories; Hypothesis shrinks one that goes wrong to the few acts that it takes."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from conformance.properties.story import CARTS, PASSES, REPEATS, RESTART, SCANS, Act, Story

_MOST_BEFORE, _MOST_AFTER = 5, 6
_MOST_OF_HALF = 12
_EARLIER = 4


def stories() -> st.SearchStrategy[Story]:
    """Draw stories of scans, carts, repetitions and time; in two halves, since long lists are seldom drawn."""
    acts = st.one_of(_scans(), _carts(), _repeats("scan"), _repeats("cart"), _some(PASSES))
    halves = (st.lists(acts, min_size=least, max_size=_MOST_OF_HALF) for least in (0, 1))
    return st.tuples(*halves).map(lambda parts: (*parts[0], *parts[1]))


def stories_with_a_restart() -> st.SearchStrategy[Story]:
    """Draw stories in the middle of which the connector is restarted."""
    before = st.lists(st.one_of(_scans(), _carts()), min_size=1, max_size=_MOST_BEFORE)
    acts = st.one_of(_scans(), _carts(), _repeats("scan"), _repeats("cart"))
    after = st.lists(acts, min_size=1, max_size=_MOST_AFTER)
    return st.tuples(before, after).map(lambda parts: (*parts[0], Act(RESTART), *parts[1]))


def _scans() -> st.SearchStrategy[Act]:
    return _some(SCANS)


def _carts() -> st.SearchStrategy[Act]:
    return _some(CARTS)


def _some(words: Iterable[str]) -> st.SearchStrategy[Act]:
    return st.sampled_from([Act(word) for word in words])


def _repeats(what: str) -> st.SearchStrategy[Act]:
    return st.sampled_from([Act(f"repeat {what}", which, how) for which in range(_EARLIER) for how in REPEATS[what]])
