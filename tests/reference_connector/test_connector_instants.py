"""The comparison of instants as texts gives the same result as that of the instants."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from reference_connector import cart
from reference_connector.accelerated.instants import is_before


def _written(instant: datetime, fraction: str, zone: str) -> str:
    text = f"{instant:%Y-%m-%dT%H:%M:%S}{fraction}{zone}"
    return text.lower() if zone == "z" else text


_WRITTEN = st.builds(
    _written,
    st.datetimes(datetime(2026, 2, 9, 23, 59, 50), datetime(2026, 2, 10, 0, 0, 10)),  # noqa: DTZ001 - the zone follows
    st.sampled_from(["", ".5", ".50", ".05"]),
    st.sampled_from(["Z", "z", "+00:00", "-00:30"]),
)


@given(_WRITTEN, _WRITTEN)
def test_instants_are_compared_by_their_meaning_in_any_notation(one: str, other: str) -> None:
    assert is_before(one, other) == cart.is_before(one, other)
