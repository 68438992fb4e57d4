"""Scans of badges: the channels of their readers, and one scan for each of them."""

from __future__ import annotations

from conformance.drafts import Draft
from conformance.variants import with_own_ids
from jwo_contract.house import House

_QR = "OPTICAL"


def badge_channels(house: House) -> tuple[str, ...]:
    """Return the channels of badge readers: all but that of QR codes, or that one if the connector takes no other."""
    return tuple(each for each in house.identity.key_channels if each != _QR) or house.identity.key_channels


def at_each_reader(scan: Draft, house: House) -> dict[str, Draft]:
    """Return the scan as a new event of each badge reader, by channel."""
    return {channel: with_own_ids(scan).with_value("keyChannel", channel) for channel in badge_channels(house)}
