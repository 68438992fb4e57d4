"""What the sets of scans share: scans with another value or a changed text at a path."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping

from conformance.drafts import Draft
from conformance.requests import Requests
from conformance.variants import Variant, with_own_ids
from jwo_toolkit.json_types import Json

ScanSet = Callable[[Draft, Requests], Iterator[Variant]]
"""Makes the variants of a valid scan, each with ids of its own."""
Change = Callable[[str], str]

FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
"""For `str.translate`: each ASCII character in full width."""
SHORTEST_DIVISIBLE = 8
"""A part of a shorter key or store id may itself be a valid one."""


def with_changes(base: Draft, path: str, changes: Mapping[str, Change]) -> Iterator[Variant]:
    """Change the text at a path of fresh scans."""
    for label, change in changes.items():
        own = with_own_ids(base).with_value("requestId", str(uuid.uuid4()))
        yield Variant(f"{path} {label}", own.with_value(path, change(own.value(path))))


def with_values(base: Draft, path: str, values: Mapping[str, Json]) -> Iterator[Variant]:
    """Put values at a path of fresh scans."""
    for label, value in values.items():
        yield Variant(f"{path} {label}", with_own_ids(base).with_value(path, value))
