"""Faults of Verify Identity Keys with badges: readers, states, owners, and events that are forgotten."""

from __future__ import annotations

from typing import ClassVar

from conformance.mutants.http_app import Reply, Request
from conformance.mutants.json_values import key_bytes_of, text_at
from conformance.mutants.registry import CONNECTOR_FAULTS, Fault
from conformance.mutants.small_connector import SmallConnector

_fault = CONNECTOR_FAULTS.fault
_OPEN = {b"badge_key", b"associate_badge_key"}
_REFUSED = {"revoked": "VIK-X.119", "lost": "VIK-X.120", "expired": "VIK-X.121"}
"""The states in which a badge opens no gate, and the id that finds one which does."""


def _badge_of(request: Request) -> bytes:
    """Return the key of an issued badge; empty for another key."""
    key = key_bytes_of(request.body)
    return key if key in _OPEN else b""


class _RefusesAtReaders(SmallConnector):
    """The base of faults that know a badge through some channels only."""

    known_by: ClassVar[frozenset[str]] = frozenset()

    def decide(self, request: Request) -> Reply:
        is_unknown = _badge_of(request) and text_at(request.body, "keyChannel") not in self.known_by
        return self.turn_away() if is_unknown else super().decide(request)


for _name, _channels in {
    "knows_badges_as_qr_codes_only": ("OPTICAL",),
    "knows_badges_by_contact_only": ("OPTICAL", "CONTACT"),
    "knows_badges_by_radio_only": ("OPTICAL", "RADIO"),
}.items():
    CONNECTOR_FAULTS.add(
        Fault(_name, ("VIK-X.116",)), type(_name, (_RefusesAtReaders,), {"known_by": frozenset(_channels)})
    )


@_fault("VIK-X.116")
class names_another_owner_at_each_reader(SmallConnector):
    def decide(self, request: Request) -> Reply:
        if not _badge_of(request):
            return super().decide(request)
        return self.let_in(f"visitor-{text_at(request.body, 'keyChannel')}", "SHOPPER")


@_fault("VIK-X.117")
class opens_for_a_badge_once(SmallConnector):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._used: set[tuple[bytes, str]] = set()

    def decide(self, request: Request) -> Reply:
        shown = (_badge_of(request), text_at(request.body, "keyChannel"))
        is_used = bool(shown[0]) and shown in self._used
        self._used.add(shown)
        return self.turn_away() if is_used else super().decide(request)


@_fault("VIK-X.117")
class names_a_new_visitor_each_time_a_badge_opens(SmallConnector):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._entries = 0

    def decide(self, request: Request) -> Reply:
        self._entries += 1
        return self.let_in(f"visitor-{self._entries}", "SHOPPER") if _badge_of(request) else super().decide(request)


class _ForgetsEvents(SmallConnector):
    """The base of faults that decide the events of badges again; without channels, those of every reader."""

    channels: ClassVar[frozenset[str]] = frozenset()

    async def decision(self, event: str, request: Request) -> Reply:
        channel = text_at(request.body, "keyChannel")
        reply = await super().decision(event, request)
        if _badge_of(request) and channel in self.channels:
            self.decisions.kept.pop(event, None)
        return reply


for _name, _found_by, _channels in (
    ("forgets_events_of_badges", ("VIK-X.118", "VIK-X.72"), ("CONTACT", "RADIO", "OPTICAL")),
    ("forgets_events_of_badges_by_contact", ("VIK-X.118", "VIK-X.72"), ("CONTACT",)),
    ("forgets_events_of_badges_by_radio", ("VIK-X.118",), ("RADIO",)),
):
    CONNECTOR_FAULTS.add(Fault(_name, _found_by), type(_name, (_ForgetsEvents,), {"channels": frozenset(_channels)}))


class _OpensForState(SmallConnector):
    """The base of faults that let a badge in although its state forbids it, through some channels."""

    state: ClassVar[str]
    channels: ClassVar[frozenset[str]]

    def decide(self, request: Request) -> Reply:
        is_shown = key_bytes_of(request.body) == f"{self.state}_badge_key".encode()
        if is_shown and text_at(request.body, "keyChannel") in self.channels:
            return self.let_in("shopper-uuid-007", "SHOPPER")
        return super().decide(request)


class _RefusesWith403(SmallConnector):
    """The base of faults that refuse a badge with another status than the house's."""

    state: ClassVar[str]

    def decide(self, request: Request) -> Reply:
        is_shown = key_bytes_of(request.body) == f"{self.state}_badge_key".encode()
        return Reply(403) if is_shown else super().decide(request)


for _state, _id in _REFUSED.items():
    for _end, _channels in {"": ("CONTACT", "RADIO"), "_by_contact": ("CONTACT",), "_by_radio": ("RADIO",)}.items():
        _name = f"opens_for_{_state}_badges{_end}"
        _members = {"state": _state, "channels": frozenset(_channels)}
        CONNECTOR_FAULTS.add(Fault(_name, (_id,)), type(_name, (_OpensForState,), _members))
    _name = f"refuses_{_state}_badges_with_403"
    CONNECTOR_FAULTS.add(Fault(_name, (_id,)), type(_name, (_RefusesWith403,), {"state": _state}))


@_fault("VIK-X.122")
class calls_owners_of_badges_shoppers(SmallConnector):
    def decide(self, request: Request) -> Reply:
        return self.let_in("associate-uuid-007", "SHOPPER") if _badge_of(request) else super().decide(request)


@_fault("VIK-X.122")
class refuses_badges_of_associates(SmallConnector):
    def decide(self, request: Request) -> Reply:
        is_associate = _badge_of(request) == b"associate_badge_key"
        return self.turn_away() if is_associate else super().decide(request)
