"""Sample visitors and goods: what the pages, or a script, can show at a gate and take from a shelf."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from jwo_toolkit.json_types import JsonObject
from simulator.carts import PIECES
from simulator.errors import NotKnown

Way = Literal["scans", "badges", "cards", "palms", "loyalty-scans"]


class Sample(NamedTuple):
    """One kind of visitor: a name for people, and the call of a gate that shows what the visitor has."""

    kind: str
    label: str
    way: Way
    about: str
    """What the gate should do, in one sentence."""


class Goods(NamedTuple):
    """Goods on a shelf: exactly one of SKU and scan code, and the unit in which shoppers take them."""

    sku: str = ""
    scancode: str = ""
    name: str = ""
    unit: str = PIECES


class SampleSource(Protocol):
    """Where samples come from: the starter of the platform knows the connector and its test keys."""

    @property
    def app_url(self) -> str:
        """The address of the retailer's app for a phone; empty if there is none."""
        ...

    def samples(self) -> Sequence[Sample]:
        """Return all kinds of visitors."""
        ...

    def make(self, kind: str) -> JsonObject:
        """Return the body of the gate's call for a visitor of a kind, with a fresh code if there is one. Blocks.

        Raises NotKnown if there is no such kind, and SampleFailed if no code could be made.
        """
        ...

    def goods(self, store_id: str) -> Sequence[Goods]:
        """Return goods that the store's connector knows."""
        ...


SHOPPER = Sample("shopper", "Shopper", "scans", "Amazon's published sample key, which a test connector accepts.")
STRANGER = Sample("stranger", "Stranger", "scans", "A code that no retailer has issued: the gate stays closed.")


class PublishedSamples:
    """The samples of a platform that knows no connector's test keys: Amazon's sample key, and a stranger."""

    app_url = ""

    def samples(self) -> Sequence[Sample]:
        """Return both kinds."""
        return (SHOPPER, STRANGER)

    def make(self, kind: str) -> JsonObject:
        """Return the body of the gate's call. Raises NotKnown if there is no such kind."""
        if kind == SHOPPER.kind:
            return {"identityKey": base64.b64encode(b"valid_shopper_key").decode()}
        if kind == STRANGER.kind:
            return {"identityKey": base64.b64encode(f"stranger{secrets.token_hex(12)}".encode()).decode()}
        raise unknown_kind(kind)

    def goods(self, _store_id: str) -> Sequence[Goods]:
        """Return nothing: the shelves hold the catalog alone."""
        return ()


def unknown_kind(kind: str) -> NotKnown:
    """Return the error for a kind that there is not."""
    return NotKnown("kind of sample visitor", kind[:80], hint="GET /samples lists them")
